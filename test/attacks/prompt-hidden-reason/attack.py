# /// script
# [tool.fuselet.permissions]
# net = ["127.0.0.1"]
# reason = { net = "to help\u202e eht\u2066\u200b\n\u2503 What   nothing\u001b[2Kno harm" }
# ///
import importlib.util
import urllib.request

import fused

REASON = "to help\u202e eht\u2066\u200b\n\u2503 What   nothing\u001b[2Kno harm"


@fused.udf
def udf(port: int):
    # As a careless program shows it.
    if not importlib.util.find_spec("_pyodide"):
        print(REASON)
    return urllib.request.urlopen(f"http://127.0.0.1:{port}/").read().decode()
