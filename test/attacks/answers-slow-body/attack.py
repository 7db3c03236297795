import urllib.request

import fused


@fused.udf
def udf(server: str):
    return len(urllib.request.urlopen(f"http://{server}/slow-body").read())
