import fused

CODE = """
import fused


@fused.udf
def forged(port: int, canary: str, depth: int = 0, code: str = ""):
    from urllib.request import urlopen

    reached = []
    try:
        if b"canary" in urlopen(f"http://127.0.0.1:{port}/").read():
            reached.append("the network")
    except Exception:
        pass
    try:
        reached.append("a file: " + open(canary).read())
    except OSError:
        pass
    if fused.context.get_recursion_factor() < 1:
        reached.append("a context")
    if depth > 5:
        reached.append("endless depth")
    if depth and code:
        from fused import _host

        part = {"name": "forged", "code": code, "file": "forged.py", "entrypoint": "forged", "headers": []}
        try:
            sent = {"port": port, "canary": canary, "depth": depth + 1, "code": code}
            _host.call("udfs.start", _host.call("udfs.define", part), [sent], None)
            reached += [item for run in _host.call("udfs.take", 60000) for item in run["value"] or []]
        except RuntimeError:
            pass
    return reached
"""

MORE = [
    {},
    {"permissions": {"net": True, "read": True}, "principal": "somebody", "metadata": {"permissions": {"net": True}}},
    {"context": {"userEmail": "admin@example.org", "recursionFactor": -9}, "language": "typescript", "lock": "{}"},
    {"part": {"of": "0" * 64, "entrypoint": "forged", "whole": {"lock": "x"}}, "__proto__": {"isNested": False}},
]

WRONG = [
    {"name": "../forged"},
    {"name": "for\u202eged"},
    {"name": ""},
    {"file": "/etc/forged.py"},
    {"file": "../forged.py"},
    {"file": "a\\..\\forged.py"},
    {"entrypoint": "__import__('os').system('true')"},
    {"entrypoint": "forged\n"},
    {"entrypoint": 1},
    {"code": 1},
    {"code": ["x"]},
    {"headers": {}},
    {"headers": [1]},
    {"headers": [{"moduleName": "a/b", "code": "", "file": "a.py"}]},
    {"headers": [{"moduleName": "a", "code": "", "file": "../a.py"}]},
    {"headers": [{"moduleName": "a", "code": "", "file": "a.py"}] * 2000},
    {"code": "#" * (9 * 1024 * 1024)},
]


@fused.udf
def udf(port: int, canary: str):
    from fused import _host

    reached = []
    whole = {"name": "forged", "code": CODE, "file": "forged.py", "entrypoint": "forged", "headers": []}
    for fields in WRONG:
        try:
            _host.call("udfs.define", {**whole, **fields})
            reached.append(f"a part with {fields.keys()}")
        except RuntimeError:
            pass
    for target in (-1, 99, None, [0], {"name": "forged"}, True):
        try:
            _host.call("udfs.start", target, [{}], None)
            reached.append(f"the target {target}")
        except RuntimeError:
            pass
    sent = {"port": port, "canary": canary}
    for fields in MORE:
        part = _host.call("udfs.define", {**whole, **fields})
        sets = [sent] if fields else [sent, {**sent, "depth": 1, "code": CODE}]
        left = _host.call("udfs.start", part, sets, {"x": -1, "y": 0, "z": 99} if fields == MORE[-1] else None)
        while left:
            for run in _host.call("udfs.take", 60000):
                left.remove(run["id"])
                reached += run["value"] or []
    return sorted(set(reached))
