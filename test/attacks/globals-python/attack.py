import asyncio
import builtins
import importlib
import sys

import fused
from pyodide.ffi import to_js

GLUE = [
    *["js", "pyodide_js", "pyodide_js._api", "_pyodide_core", "_pyodide", "_pyodide._base", "_pyodide._core_docs"],
    *["_pyodide._importhook", "pyodide", "pyodide.ffi", "pyodide.ffi.wrappers", "pyodide.code", "pyodide.webloop"],
    *["pyodide._package_loader", "pyodide._state", "pyodide.console", "pyodide.http", "_emscripten", "_pyodide._future_helper"],
    *["_ctypes", "_posixsubprocess", "_socket", "_ssl", "_multiprocessing", "_winapi", "_posixshmem", "_curses", "_tkinter"],
    *["_sqlite3", "_hashlib", "_lzma", "micropip", "fused", "fused._host", "fuselet", "emscripten"],
]


def of_javascript():
    objects = {"list": to_js([]), "bytes": to_js(b""), "dictionary": to_js({}), "number": to_js([1]).constructor}
    for name, value in list(objects.items()):
        if hasattr(value, "constructor"):
            objects[f"{name}.constructor"] = value.constructor
    return {f"JavaScript {name}": dir(value) for name, value in objects.items()}


@fused.udf
async def udf():
    # Before anything is imported: only what the runtime itself has loaded.
    owners = {"sys.modules": list(sys.modules), "builtins": dir(builtins), "loop": dir(asyncio.get_running_loop())}
    owners |= of_javascript()
    for name in GLUE:
        try:
            owners[name] = dir(importlib.import_module(name))
        except ImportError:
            pass
    return {owner: " ".join(sorted(set(names))) for owner, names in owners.items() if names}
