"""Runs a program on a pseudo-terminal and types into it, as somebody would who sits there.

The only argument is a JSON object: `argv`, `env`, `columns`, and `steps`, a list of objects done in turn, each with one of

    {"wait": TEXT}     until TEXT has come on the screen, after what an earlier step waited for
    {"type": TEXT}     types it; "\\u0003" is Ctrl-C, "\\u0004" Ctrl-D
    {"sleep": SECONDS}

What is left is read until the program ends. Writes a JSON object: `status`, and `screen`, all that came.
"""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

TIMEOUT = 60


def main() -> None:
    job = json.loads(sys.argv[1])
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe(job["argv"][0], job["argv"], {**os.environ, **job.get("env", {})})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, job.get("columns", 80), 0, 0))
    screen = bytearray()
    deadline = time.monotonic() + TIMEOUT

    def read(seconds: float) -> bool:
        """Reads what is there; false once the program has closed the terminal."""
        if not select.select([terminal], [], [], seconds)[0]:
            return True
        try:
            data = os.read(terminal, 65536)
        except OSError:  # EIO: nobody holds the other end any more
            return False
        screen.extend(data)
        return bool(data)

    seen = 0
    problem = None
    for step in job["steps"]:
        if "type" in step:
            os.write(terminal, step["type"].encode())
        elif "sleep" in step:
            until = time.monotonic() + step["sleep"]
            while time.monotonic() < until and read(until - time.monotonic()):
                pass
        else:
            text = step["wait"].encode()
            while (found := screen.find(text, seen)) < 0:
                if not read(0.1) or time.monotonic() > deadline:
                    problem = f"{step['wait']!r} has not come"
                    break
            if problem:
                break
            seen = found + len(text)
    while time.monotonic() < deadline and not problem and read(0.1):
        pass
    if problem or time.monotonic() >= deadline:
        os.kill(child, signal.SIGKILL)
        problem = problem or "it did not end"
    _, status = os.waitpid(child, 0)
    text = screen.decode("utf-8", "replace")
    print(json.dumps({"status": os.waitstatus_to_exitcode(status), "screen": text, "problem": problem}))


main()
