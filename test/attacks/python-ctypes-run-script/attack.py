import ctypes

import fused


@fused.udf
def udf(canary: str, folder: str, port: int, pid: int):
    reached = []
    library = ctypes.CDLL(None)
    run = library.emscripten_run_script_string
    run.restype = ctypes.c_char_p
    for name in ("process", "require", "globalThis.process"):
        found = run(f"typeof {name}".encode())
        if found != b"undefined":
            reached.append(f"{name}: {found.decode()}")
    return reached
