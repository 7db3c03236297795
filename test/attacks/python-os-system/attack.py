import os

import fused


@fused.udf
def udf(canary: str, folder: str, port: int, pid: int):
    reached = []
    try:
        if os.system(f"touch {folder}/written; kill -WINCH {pid}") == 0:
            reached.append("shell")
    except OSError:
        pass
    try:
        if os.popen(f"cat {canary}").read():
            reached.append("popen")
    except OSError:
        pass
    return reached
