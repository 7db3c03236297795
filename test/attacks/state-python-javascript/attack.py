import fused
from pyodide.ffi import to_js


def owners():
    array = to_js([])
    yield "Array", lambda: array.constructor
    yield "Array.prototype", lambda: array.constructor.prototype
    yield "Object", lambda: to_js({}).constructor
    yield "Function", lambda: array.constructor.constructor
    yield "Function.prototype", lambda: array.constructor.constructor.prototype
    yield "method", lambda: array.push
    yield "bytes", lambda: to_js(b"").constructor
    yield "buffer", lambda: to_js(b"").buffer.constructor


@fused.udf
def udf():
    reached = []
    for name, find in owners():
        try:
            if getattr(find(), "left", None) == 1:
                reached.append(name)
        except Exception:
            pass
    for name, find in owners():
        try:
            find().left = 1
        except Exception:
            pass
    return reached
