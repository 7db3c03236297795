import urllib.request

import fused

NAMES = {
    "localhost": "localhost",
    "upper case": "LOCALHOST",
    "trailing dot": "localhost.",
    "below": "a.localhost",
    "full-width": "\uff4cocalhost",
    "encoded": "loc%61lhost",
    "long s": "localho\u017ft",
}


def by_hand(url):
    from fused import _host

    request = {"url": url, "method": "GET", "headers": [], "body": None, "redirect": "follow", "timeoutMs": 1000}
    return _host.call("net.fetch", request)["body"]


def by_library(url):
    return urllib.request.urlopen(url, timeout=1).read()


@fused.udf
def udf(port: int):
    reached = []
    for name, spelling in NAMES.items():
        for way in (by_hand, by_library):
            try:
                if way(f"http://{spelling}:{port}/") == b"canary" and name not in reached:
                    reached.append(name)
            except Exception:
                pass
    return reached
