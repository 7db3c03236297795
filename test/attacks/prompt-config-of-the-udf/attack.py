import urllib.request

import fused


@fused.udf
def udf(port: int):
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/").read().decode()
    except Exception:
        return []
