"""Calls of the host: what a UDF can reach outside of its isolate. The engine's guest lends the two functions."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ._decode import decode
from ._encode import encode
from ._exceptions import PermissionDeniedError
from ._json import loads

_blocking: Callable[..., Any] | None = None
_asynchronous: Callable[..., Any] | None = None
_reason = "this interpreter is in no isolate"
_add_file: Callable[[str, int, int], None] | None = None
_native = 0


class HostError(RuntimeError):
    """The host refused or failed; `type_name` is the class of its error, `code` the kind of failure where that class has kinds, `raised`
    what Python raises in the place of a ParameterError."""

    def __init__(self, message: str, type_name: str, code: str | None = None, raised: str | None = None) -> None:
        super().__init__(message)
        self.type_name = type_name
        self.code = code
        self.raised = raised


def connect(blocking: Callable[..., Any] | None, asynchronous: Callable[..., Any] | None, reason: str,
            add_file: Callable[[str, int, int], None] | None = None) -> None:  # fmt: skip
    """Lends the doors: `(name, text, buffers) -> [text, buffers]`, one that waits and one that gives an awaitable; and one that puts a
    file of the host at a path, given its number and its size in bytes."""
    global _blocking, _asynchronous, _reason, _add_file
    _blocking, _asynchronous, _reason, _add_file = blocking, asynchronous, reason, add_file


def connected() -> bool:
    """Whether there is a host to call: inside an isolate there is, in a plain Python not."""
    return _blocking is not None or _asynchronous is not None


def _read(reply: Any) -> Any:
    text, buffers = reply
    answer = loads(text)
    if answer["ok"]:
        start = text.index('"value":') + len('"value":')
        return decode(text[start:-1], [buffer.to_bytes() for buffer in buffers])
    error = answer["error"]
    if error["type"] == "PermissionDeniedError":
        raise PermissionDeniedError(error["message"], error.get("subject"), error.get("value"))
    raise HostError(error["message"], error["type"], error.get("subject"), error.get("raised"))


def call(name: str, *args: Any) -> Any:
    """Calls `binding.method` of the host and waits for its answer.

    Raises PermissionDeniedError for what was not granted, HostError for any other failure of the host, RuntimeError where this
    platform cannot wait without `await`.
    """
    if _blocking is None and _native:
        raise RuntimeError(f"Cannot call {name} from within a library that is not Python: {_reason}; open the file before you hand it over")
    if _blocking is None and not _can_suspend():
        raise RuntimeError(f"Cannot call {name} without await: {_reason}; use the asynchronous form")
    text, buffers = encode(list(args))
    if _blocking is None:
        from pyodide.ffi import run_sync

        return _read(run_sync(_asynchronous(name, text, buffers)))
    return _read(_blocking(name, text, buffers))


def can_wait() -> bool:
    """Whether a call made here and now can wait for its answer."""
    return _blocking is not None or (_native == 0 and _can_suspend())


def can_block() -> bool:
    """Whether a call can wait wherever it is made: also below a callback of some C++, where to suspend the stack is fatal."""
    return _blocking is not None


@contextmanager
def native() -> Iterator[None]:
    """Code that some C++ calls back: in it a call of the host fails where it could not wait."""
    global _native
    _native += 1
    try:
        yield
    finally:
        _native -= 1


def _can_suspend() -> bool:
    """Whether this code may wait by having its whole stack suspended (JSPI): not below a callback of JavaScript or of some C++."""
    if _asynchronous is None:
        return False
    from pyodide.ffi import can_run_sync

    return can_run_sync()


async def call_async(name: str, *args: Any) -> Any:
    """The same, for `async` UDFs: many calls may be under way. Raises what `call` raises."""
    if _asynchronous is None:
        raise RuntimeError(f"Cannot call {name}: {_reason}")
    text, buffers = encode(list(args))
    return _read(await _asynchronous(name, text, buffers))


def add_file(path: str, file: int, size: int) -> None:
    """Shows a file that lies with the host at a path: it is read on demand. Raises RuntimeError where this platform cannot wait for it."""
    if _add_file is None:
        raise RuntimeError(f"Cannot show {path}: {_reason}, which reading a file on demand takes")
    _add_file(path, file, size)
