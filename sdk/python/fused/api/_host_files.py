"""The files of the host's storage, by its binding `storage`. Raises PermissionDeniedError for what was not granted, OSError."""

from collections.abc import Iterator
from typing import Any

from .._storage import MOST_PART, HostFile, ask
from ..models.api._list import ListDetails

_NEW = {"contentType": None, "ifNoneMatch": False}
_HOUR = 60 * 60


def entries(url: str) -> list[ListDetails]:
    """What lies in a folder."""
    from datetime import datetime, timezone

    found = []
    after = None
    while True:
        page = ask("list", url, {"recursive": False, "after": after})
        for entry in page["entries"]:
            modified = entry["modifiedMs"]
            changed = None if modified is None else datetime.fromtimestamp(modified / 1000, timezone.utc)
            found.append(ListDetails(url=entry["url"], file_name=entry["name"], is_directory=entry["isDirectory"], size=entry["size"],
                                     last_modified=changed))  # fmt: skip
        after = page["next"]
        if after is None:
            return found


def parts(url: str) -> Iterator[bytes]:
    """The bytes of a file, in parts."""
    file = HostFile.open(url)
    try:
        yield from file.parts()
    finally:
        file.close()


def write(url: str, data: Any) -> None:
    """Writes a file: bytes, or what a binary file that is open has. Nothing of it is there until all of it is."""
    if isinstance(data, bytes | bytearray | memoryview) and len(data) <= MOST_PART:
        ask("put", url, bytes(data), _NEW)
        return
    content = _parts_of(data)
    upload = ask("openWrite", url, _NEW)
    while True:
        try:
            part = next(content, None)
        except BaseException:
            ask("abortWrite", upload)
            raise
        if part is None:
            break
        ask("writePart", upload, part)  # where it fails the host has thrown all of it away
    ask("commitWrite", upload)


def _parts_of(data: Any) -> Iterator[bytes]:
    if isinstance(data, bytes | bytearray | memoryview):
        return (bytes(data[start : start + MOST_PART]) for start in range(0, len(data), MOST_PART))
    if not hasattr(data, "read"):
        raise TypeError(f"What is uploaded must be bytes or a binary file: received {type(data).__name__}; encode a text first")
    if hasattr(data, "seek"):
        data.seek(0)
    return iter(lambda: data.read(MOST_PART), b"")


def delete(url: str, depth: Any) -> bool:
    """Deletes a file or a folder. Gives whether there was anything."""
    return ask("delete", url, {"maxDeletionDepth": depth})


def sign(url: str) -> str:
    """An address that gives the file to whoever has it, for an hour."""
    return ask("sign", url, {"expiresSeconds": _HOUR})


def sign_prefix(url: str) -> dict[str, str]:
    """Such addresses for all files below a place, by their paths."""
    return ask("signPrefix", url, {"expiresSeconds": _HOUR})
