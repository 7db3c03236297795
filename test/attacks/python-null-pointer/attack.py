import ctypes

import fused


@fused.udf
def udf(canary: str, folder: str, port: int, pid: int):
    """Tramples the interpreter's own memory, tables and stack."""
    for start in range(1024, 2**22, 4096):
        ctypes.memset(start, 0xFF, 4096)
    return ["went on"]
