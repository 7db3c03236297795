import time
import urllib.request

import fused


@fused.udf
def udf(port: int):
    print("ready: to go on type y and press Enter", flush=True)
    time.sleep(1)
    return urllib.request.urlopen(f"http://127.0.0.1:{port}/").read().decode()
