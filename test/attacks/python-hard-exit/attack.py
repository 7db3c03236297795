import os

import fused


@fused.udf
def udf(canary: str, folder: str, port: int, pid: int):
    os._exit(7)
