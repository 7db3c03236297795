"""What a thread or a task prints, kept apart from what all others print."""

import io
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any


class Output:
    """What was printed."""

    def __init__(self) -> None:
        self._streams = {"stdout": io.StringIO(), "stderr": io.StringIO()}

    @property
    def stdout(self) -> str:
        """To the standard output."""
        return self._streams["stdout"].getvalue()

    @property
    def stderr(self) -> str:
        """To the standard error."""
        return self._streams["stderr"].getvalue()


_output: ContextVar[Output | None] = ContextVar("_output", default=None)
_lock = threading.Lock()
_users = 0


class _Stream:
    """Stands in front of a stream of the process: writes to what the one who writes is captured by, if anything."""

    def __init__(self, name: str, real: Any) -> None:
        self._name = name
        self._real = real

    def write(self, text: str) -> int:
        output = _output.get()
        return (output._streams[self._name] if output else self._real).write(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def capturing() -> Output | None:
    """What this thread or task is captured by."""
    return _output.get()


# By the stream that it stands in front of. They stay: another thread may be in the middle of printing to one (Python 3.11 holds no
# reference to `sys.stdout` while it writes).
_stands: dict[int, _Stream] = {}


def _stand_in(name: str) -> Any:
    real = getattr(sys, name)
    if isinstance(real, _Stream) or real is None:
        return real
    return _stands.setdefault(id(real), _Stream(name, real))


@contextmanager
def captured() -> Iterator[Output]:
    """Captures what is printed meanwhile by this thread or task."""
    global _users
    with _lock:
        _users += 1
        sys.stdout, sys.stderr = _stand_in("stdout"), _stand_in("stderr")
    output = Output()
    token = _output.set(output)
    try:
        yield output
    finally:
        _output.reset(token)
        with _lock:
            _users -= 1
            # Somebody may have put another one in its place meanwhile.
            if _users == 0:
                sys.stdout, sys.stderr = _real(sys.stdout), _real(sys.stderr)


def _real(stream: Any) -> Any:
    return stream._real if isinstance(stream, _Stream) else stream
