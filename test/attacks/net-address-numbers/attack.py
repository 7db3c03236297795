import urllib.request

import fused

SPELLINGS = {
    "plain": "127.0.0.1",
    "decimal": "2130706433",
    "hexadecimal": "0x7f000001",
    "octal": "017700000001",
    "two parts": "127.1",
    "three parts": "127.0.1",
    "mixed": "0x7f.0.0.01",
    "long octal": "0000000177.0.0.1",
    "full-width": "\uff11\uff12\uff17.0.0.1",
    "other dots": "127\u30020\uff0e0\uff611",
}


def by_hand(url):
    from fused import _host

    request = {"url": url, "method": "GET", "headers": [], "body": None, "redirect": "follow"}
    return _host.call("net.fetch", request)["body"]


def by_library(url):
    return urllib.request.urlopen(url).read()


@fused.udf
def udf(port: int):
    reached = []
    for name, spelling in SPELLINGS.items():
        for way in (by_hand, by_library):
            try:
                if way(f"http://{spelling}:{port}/") == b"canary" and name not in reached:
                    reached.append(name)
            except Exception:
                pass
    return reached
