import ctypes

import fused


@fused.udf
def udf(canary: str, folder: str, port: int, pid: int):
    ctypes.CDLL(None).abort()
    return ["went on"]
