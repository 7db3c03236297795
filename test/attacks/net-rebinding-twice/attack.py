import urllib.request

import fused


@fused.udf
def udf(port: int):
    from fused import _host

    url = f"http://granted.test:{port}/"
    request = {"url": url, "method": "GET", "headers": [], "body": None, "redirect": "follow", "timeoutMs": 200}
    ways = {
        "fetch": lambda: urllib.request.urlopen(url, timeout=0.2).read(),
        "by hand": lambda: _host.call("net.fetch", request)["body"],
    }
    reached = set()
    for _ in range(3):
        for name, way in ways.items():
            try:
                if way() == b"canary":
                    reached.add(name)
            except Exception:
                pass
    return sorted(reached)
