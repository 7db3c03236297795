"""A file of the host's storage as Python's own kind of file, to be read."""

import io
from typing import Any

from ._host import can_block
from ._storage import HostFile, check_whole


def open_host_file(url: str) -> io.BufferedIOBase:
    """Opens a place of the storage: read on demand where that can wait, else loaded. Raises PermissionDeniedError, OSError."""
    file = HostFile.open(url)
    if can_block():
        return io.BufferedReader(HostReader(file))
    try:
        check_whole(url, file.size)
        return io.BytesIO(file.between(0, file.size))
    finally:
        file.close()


class HostReader(io.RawIOBase):
    """Reads a file of the host here and there."""

    def __init__(self, file: HostFile) -> None:
        self._file = file
        self._position = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Goes to a place in the file. Raises ValueError for one before its beginning."""
        position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._file.size}[whence]
        if position < 0:
            raise ValueError(f"Cannot seek to {position}: it is before the beginning")
        self._position = position
        return position

    def readinto(self, buffer: Any) -> int:
        """Fills a buffer from here on; less at the end of the file."""
        data = self._file.between(self._position, self._position + len(buffer))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def close(self) -> None:
        """Lets the host close it. Twice is no error."""
        self._file.close()
        super().close()
