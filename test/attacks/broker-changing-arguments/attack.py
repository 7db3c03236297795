import urllib.request

import fused


class Turning(str):
    """A text that is one thing when it is compared and another when it is sent."""

    def __new__(cls, one, other, after):
        self = super().__new__(cls, one)
        self.other, self.after, self.times = other, after, 0
        return self

    def turn(self):
        self.times += 1
        return str.__str__(self) if self.times <= self.after else self.other

    def __str__(self):
        return self.turn()

    def encode(self, *args):
        return self.turn().encode(*args)

    def __format__(self, spec):
        return self.turn()


class TurningDict(dict):
    def items(self):
        return [(key, value) if key != "url" else (key, self["other"]) for key, value in super().items()]

    def __iter__(self):
        return iter(["url", "method", "headers", "body", "redirect"])


def fetch(request, server):
    """By the host, or by one that is as careless as a program that looks at a text and then uses it."""
    try:
        from fused import _host
    except ImportError:
        if not request["url"].startswith(f"http://{server}/"):
            raise PermissionError from None
        return urllib.request.urlopen(f"{request['url']}").read()
    return _host.call("net.fetch", request)["body"]


@fused.udf
def udf(port: int, server: str):
    own, canary = f"http://{server}/hello", f"http://127.0.0.1:{port}/"
    rest = {"method": "GET", "headers": [], "body": None, "redirect": "follow"}
    requests = [("text that changes", {**rest, "url": Turning(own, canary, after)}) for after in range(4)]
    requests.append(("dictionary that changes", TurningDict({**rest, "url": own, "other": canary})))
    requests.append(("list", {**rest, "url": [own, canary]}))
    requests.append(("bytes", {**rest, "url": canary.encode()}))
    reached = []
    for name, request in requests:
        try:
            if fetch(request, server) == b"canary" and name not in reached:
                reached.append(name)
        except Exception:
            pass
    return reached
