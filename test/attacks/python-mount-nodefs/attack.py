import fused
from pyodide.ffi import JsProxy, to_js


def doors():
    """Every object of JavaScript that a module, a converted value or an exception leads to."""
    try:
        import pyodide_js

        yield pyodide_js
        yield pyodide_js._module
    except Exception:
        pass
    try:
        import _pyodide_core

        yield from (value for value in vars(_pyodide_core).values() if isinstance(value, JsProxy))
    except Exception:
        pass
    yield to_js([])


@fused.udf
def udf(canary: str, folder: str, port: int, pid: int):
    reached = []
    for door in doors():
        try:
            files = door.FS
            files.mkdirTree("/host")
            files.mount(files.filesystems.NODEFS, to_js({"root": folder}), "/host")
        except Exception:
            continue
        with open("/host/canary") as file:
            if file.read():
                reached.append("mounted")
                break
    return reached
