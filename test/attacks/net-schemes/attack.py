import urllib.request

import fused


@fused.udf
def udf(canary: str, port: int):
    from fused import _host

    urls = {
        "file": f"file://{canary}",
        "file of localhost": f"file://localhost{canary}",
        "data": "data:,canary",
        "ftp": f"ftp://127.0.0.1:{port}/",
        "socket": f"unix:{canary}",
        "websocket": f"ws://127.0.0.1:{port}/",
        "local_file": f"local_file:{canary}",
    }
    reached = []
    for name, url in urls.items():
        request = {"url": url, "method": "GET", "headers": [], "body": None, "redirect": "follow"}
        for way in (lambda: _host.call("net.fetch", request), lambda: fused.download(url, f"schemes/{name}")):
            try:
                way()
                reached.append(name)
            except Exception:
                pass
        # urllib reads data: by itself, which is no harm.
        try:
            if name != "data":
                urllib.request.urlopen(url, timeout=1).read()
                reached.append(name)
        except Exception:
            pass
    return reached
