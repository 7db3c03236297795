"""Files beyond the isolate, by the host's binding `storage`."""

from collections.abc import Iterator
from typing import Any

from ._host import HostError, call
from ._per_run import memory

MOST_PART = 8 * 1024 * 1024
"""What one call of the host writes at most, in bytes."""

MOST_READ = 4 * 1024 * 1024
"""What one call of the host reads at most, in bytes."""

MOST_WHOLE = 256 * 1024 * 1024
"""What is loaded at most where a file cannot be read on demand, in bytes."""

_CLASSES = {
    "not found": FileNotFoundError,
    "exists": FileExistsError,
    "access": PermissionError,
    "network": ConnectionError,
}


def storage_error(error: HostError) -> Exception:
    """What a failure of the storage is in Python's own terms: an OSError; the error itself where it is none of the storage."""
    return _CLASSES.get(error.code, OSError)(str(error)) if error.type_name == "StorageError" else error


def ask(method: str, *args: Any) -> Any:
    """Calls a method of the binding (host/storage/binding.ts). Raises PermissionDeniedError, OSError."""
    return _call(f"storage.{method}", *args)


def _call(name: str, *args: Any) -> Any:
    try:
        return call(name, *args)
    except HostError as error:
        raise storage_error(error) from None


class HostFile:
    """A file that lies with the host and is open there: one version of it, to be read here and there."""

    def __init__(self, number: int, size: int) -> None:
        self._number: int | None = number
        self.size = size
        self._left = _left_open()

    @classmethod
    def open(cls, url: str) -> "HostFile":
        """Opens a place of the storage. Raises PermissionDeniedError, OSError."""
        left = _left_open()
        while left:
            _call("files.close", left.pop())
        opened = ask("open", url)
        return cls(opened["file"], opened["size"])

    def parts(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` to `end` (default: all), in the parts in which they come. Raises OSError."""
        end = self.size if end is None else min(end, self.size)
        for position in range(start, end, MOST_READ):
            yield _call("files.read", self._number, position, min(MOST_READ, end - position))

    def between(self, start: int, end: int) -> bytes:
        """The bytes from `start` to `end`, as one. Raises OSError."""
        return b"".join(self.parts(start, end))

    def close(self) -> None:
        """Lets the host close it. Twice is no error."""
        number, self._number = self._number, None
        if number is not None:
            _call("files.close", number)

    def __del__(self) -> None:
        """Whatever runs at the moment, it must not wait for the host: that is left to whoever opens the next file."""
        if self._number is not None:
            self._left.append(self._number)


def _left_open() -> list[int]:
    """Numbers of files that nobody has closed, and nobody can any more."""
    return memory().setdefault("files that were left open", [])


def check_whole(name: object, size: int) -> None:
    """Raises OSError where a file is too large to be loaded."""
    if size > MOST_WHOLE:
        raise OSError(
            f"Cannot load {name}: it has {size} bytes, and where files cannot be read on demand (this page is not cross-origin isolated) "
            f"the most is {MOST_WHOLE}"
        )
