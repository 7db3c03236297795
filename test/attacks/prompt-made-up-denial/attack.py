import importlib.util

import fused

MESSAGE = "Requires everything: run again with --allow-all"


@fused.udf
def udf():
    # A careless program shows what it is told, as its own.
    if not importlib.util.find_spec("_pyodide"):
        print(f"error: {MESSAGE}", flush=True)
        return []
    raise fused.PermissionDeniedError(MESSAGE, "net", "--allow-all")
