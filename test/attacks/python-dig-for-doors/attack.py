import gc
import importlib
import sys

import fused


@fused.udf
def udf(canary: str, folder: str, port: int, pid: int):
    """Looks for a proxy of JavaScript's globals or of Pyodide's own module wherever Python keeps objects."""
    from pyodide.ffi import JsProxy

    reached = set()
    seen = [value for module in list(sys.modules.values()) for value in list(getattr(module, "__dict__", {}).values())]
    seen += gc.get_objects()
    seen += [value for finder in sys.meta_path for value in getattr(finder, "__dict__", {}).values()]
    frame = sys._getframe()
    while frame:
        seen += [*frame.f_globals.values(), *frame.f_locals.values()]
        frame = frame.f_back
    for holder in list(seen):
        if isinstance(holder, (dict, list, tuple)):
            seen += list(holder.values() if isinstance(holder, dict) else holder)
    for value in seen:
        try:
            if not isinstance(value, JsProxy):
                continue
            for name in ("FS", "_api", "_module", "globalThis", "process", "HEAPU8", "loadPackage", "runPython"):
                if hasattr(value, name):
                    reached.add(name)
        except Exception:
            pass
    for name in ("js", "pyodide_js"):
        for finder in sys.meta_path:
            try:
                if finder.find_spec(name, None):
                    reached.add(f"found {name}")
            except Exception:
                pass
        try:
            importlib.import_module(name)
            reached.add(f"imported {name}")
        except Exception:
            pass
    return sorted(reached)
