import sys

import fused
import pyodide.ffi
from pyodide.ffi import JsProxy, create_proxy, to_js


def find():
    """All JavaScript objects that lead on from what Python has, by path."""
    queue = [("list", to_js([])), ("bytes", to_js(b"")), ("dictionary", to_js({})), ("null", pyodide.ffi.jsnull)]
    for kind in (len, [], {}, set(), object(), iter(()), udf, (i for i in ()), memoryview(b"")):
        queue.append((f"proxied {type(kind).__name__}", create_proxy(kind)))
    queue.append(("once", pyodide.ffi.create_once_callable(len)))
    for name, module in list(sys.modules.items()):
        for attribute, value in list(vars(module).items()) if hasattr(module, "__dict__") else []:
            if isinstance(value, JsProxy):
                queue.append((f"{name}.{attribute}", value))
    seen = set()
    for path, value in queue:
        if not isinstance(value, JsProxy) or value.js_id in seen or len(seen) > 150:
            continue
        seen.add(value.js_id)
        yield path, value
        for name in (*dir(value), "prototype", "constructor"):
            try:
                queue.append((f"{path}.{name}", getattr(value, name)))
            except Exception:
                pass


@fused.udf
def udf():
    reached = []
    for path, value in list(find()):
        try:
            if getattr(value, "left", None) == 1:
                reached.append(path)
        except Exception:
            pass
        try:
            value.left = 1
        except Exception:
            pass
    return reached
