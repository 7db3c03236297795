import gzip
import urllib.request

import fused


@fused.udf
def udf(server: str):
    answer = urllib.request.urlopen(f"http://{server}/gzip-bomb")
    body = answer.read()
    # Plain Python leaves it to the caller; here the host has undone it.
    return len(gzip.decompress(body) if answer.headers["content-encoding"] else body)
