import urllib.request
from urllib.parse import quote

import fused


@fused.udf
def udf(port: int, server: str):
    from fused import _host

    targets = {
        "port": f"http://127.0.0.1:{port}/",
        "number": f"http://2130706433:{port}/",
        "localhost": f"http://localhost:{port}/",
        "no scheme": f"//127.0.0.1:{port}/",
        "backslashes": f"\\\\127.0.0.1:{port}\\",
        "four slashes": f"////127.0.0.1:{port}/",
        "tab": f"ht\ttp://127.0.0.1:{port}/",
        "user": f"http://127.0.0.1:{port}\\@{server}/",
        "fragment": f"http://127.0.0.1:{port}/#@{server}/",
        "twice": f"http://{server}/redirect?to=" + quote(f"http://127.0.0.1:{port}/", safe=""),
    }
    reached = []
    for name, to in targets.items():
        url = f"http://{server}/redirect?to=" + quote(to, safe="")
        request = {"url": url, "method": "GET", "headers": [], "body": None, "redirect": "follow"}
        ways = (
            lambda: urllib.request.urlopen(url, timeout=1).read(),
            lambda: _host.call("net.fetch", request)["body"],
            lambda: fused.download(url, f"redirect/{name}").read_bytes(),
        )
        for way in ways:
            try:
                if way() == b"canary" and name not in reached:
                    reached.append(name)
            except Exception:
                pass
    return reached
