import os
import signal

import fused


@fused.udf
def udf(canary: str, folder: str, port: int, pid: int):
    reached = []
    try:
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        reached.append("fork")
    except (OSError, AttributeError):
        pass
    for name, call in {
        "kill": lambda: os.kill(pid, signal.SIGWINCH),
        "killpg": lambda: os.killpg(os.getpgrp(), signal.SIGCONT),
        "exec": lambda: os.spawnv(os.P_WAIT, "/bin/true", ["true"]),
        "posix_spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    }.items():
        try:
            call()
            reached.append(name)
        except (OSError, AttributeError, NotImplementedError):
            pass
    # Emscripten answers 0 for a signal to nobody: what counts is whether one came.
    return [name for name in reached if name in ("fork", "exec", "posix_spawn")]
