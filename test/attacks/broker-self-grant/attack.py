# /// script
# dependencies = []
#
# [tool.fuselet.permissions]
# net = ["127.0.0.1", "localhost"]
# read = ["/"]
# write = ["/"]
# reason = "it is needed"
# ///
import urllib.request

import fused

__permissions__ = {"net": True, "read": True}


@fused.udf
def udf(port: int, granted: str):
    from fused import _host

    reached = []
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/").read()
        reached.append("net")
    except Exception:
        pass
    try:
        _host.call("storage.get", f"{granted}/inside")
        reached.append("read")
    except Exception:
        pass
    return reached
