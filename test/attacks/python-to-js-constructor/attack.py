import fused
from pyodide.ffi import to_js


@fused.udf
def udf(canary: str, folder: str, port: int, pid: int):
    reached = []
    for value in ([1], {"a": 1}, b"bytes", {1}):
        try:
            function = to_js(value).constructor.constructor
            found = function("return typeof process")()
            if found != "undefined":
                reached.append(type(value).__name__)
        except Exception:
            pass
    return reached
