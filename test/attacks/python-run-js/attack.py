import fused


@fused.udf
def udf(canary: str, folder: str, port: int, pid: int):
    reached = []
    try:
        from pyodide.code import run_js

        if run_js("typeof process") == "object":
            reached.append("run_js")
    except Exception:
        pass
    try:
        from _pyodide_core import run_js

        if run_js("typeof process") == "object":
            reached.append("core run_js")
    except Exception:
        pass
    try:
        import pyodide_js

        pyodide_js._api
        reached.append("pyodide_js")
    except Exception:
        pass
    try:
        import js

        js.Object
        reached.append("js")
    except Exception:
        pass
    return reached
