import http.client
import json
import urllib.request

import fused

SECOND = "\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: x\r\n"
REQUESTS = {
    "value": ("GET", [("x-a", "1\r\nx-smuggled: value")]),
    "value with a line feed": ("GET", [("x-a", "1\nx-smuggled: line feed")]),
    "value with a carriage return": ("GET", [("x-a", "1\rx-smuggled: carriage return")]),
    "name": ("GET", [("x-a: 1\r\nx-smuggled", "name")]),
    "method": ("GET / HTTP/1.1\r\nx-smuggled: method\r\nx-rest:", []),
    "second request": ("GET", [("x-a", f"1{SECOND}x-b: 2")]),
}


def by_hand(server, method, headers):
    from fused import _host

    pairs = [list(pair) for pair in headers]
    _host.call("net.fetch", {"url": f"http://{server}/", "method": method, "headers": pairs, "body": None, "redirect": "manual"})


def by_library(server, method, headers):
    urllib.request.urlopen(urllib.request.Request(f"http://{server}/", method=method, headers=dict(headers))).read()


@fused.udf
def udf(server: str):
    reached = []
    known = set()
    for name, (method, headers) in REQUESTS.items():
        for way in (by_hand, by_library):
            try:
                way(server, method, headers)
            except Exception:
                pass
        seen = json.loads(urllib.request.urlopen(f"http://{server}/seen").read())
        for request in seen:
            text = request["line"] + str(request["headers"])
            if "smuggled" in text and ("GET /smuggled" in text or "'x-smuggled" in text.lower()) and text not in known:
                known.add(text)
                if name not in reached:
                    reached.append(name)
    return reached
