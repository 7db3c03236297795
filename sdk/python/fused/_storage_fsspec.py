"""fsspec's file systems for the host's storage: `fd://`, `s3://`, `gs://`, and `file://`.

A URL names a place of the host's storage, `file://` too; a plain path is a file of the isolate, as it is for `open`.
"""

from collections.abc import Iterator
from datetime import datetime, timezone
from glob import has_magic
from shutil import copyfileobj
from typing import Any

from fsspec.caching import AllBytes
from fsspec.implementations.local import LocalFileSystem
from fsspec.spec import AbstractBufferedFile, AbstractFileSystem

from ._host import can_block
from ._storage import MOST_PART, MOST_READ, MOST_WHOLE, HostFile, ask, check_whole

_READ_BLOCK = 1024 * 1024
"""What is read ahead, in bytes: little against a file's columns, and much against what a question costs."""

class StorageFileSystem(AbstractFileSystem):
    """Files of the host's storage.

    Settings of other implementations (`anon`, `key`, `endpoint_url`, `token` …) are accepted and have no effect: the host has its own.
    """

    scheme = ""

    def __init__(self, *args: Any, **storage_options: Any) -> None:
        super().__init__(**storage_options)

    def _url(self, path: str) -> str:
        return f"{self.scheme}://{self._strip_protocol(path)}"

    def _info(self, entry: dict[str, Any]) -> dict[str, Any]:
        modified = entry["modifiedMs"]
        return {"name": self._strip_protocol(entry["url"]), "size": entry["size"] or 0, "type": "directory" if entry["isDirectory"] else "file",
                "mtime": None if modified is None else modified / 1000, "ETag": entry["etag"]}  # fmt: skip

    def _list(self, path: str, recursive: bool) -> Iterator[dict[str, Any]]:
        after = None
        while True:
            page = ask("list", self._url(path), {"recursive": recursive, "after": after})
            yield from map(self._info, page["entries"])
            after = page["next"]
            if after is None:
                return

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list:
        """What lies in a folder. Raises FileNotFoundError, PermissionDeniedError."""
        found = list(self._list(path, recursive=False))
        if not found and self._strip_protocol(path) != self.root_marker:
            self.info(path)
        return found if detail else sorted(entry["name"] for entry in found)

    def find(self, path: str, maxdepth: int | None = None, withdirs: bool = False, detail: bool = False, **kwargs: Any) -> Any:
        """All files below a folder; where no depth is given, with one question for a thousand of them."""
        if maxdepth is not None or withdirs:
            return super().find(path, maxdepth=maxdepth, withdirs=withdirs, detail=detail, **kwargs)
        found = {entry["name"]: entry for entry in self._list(path, recursive=True)}
        names = sorted(found)
        return {name: found[name] for name in names} if detail else names

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        """Name, size, type, time of the last change (`mtime`, seconds) and `ETag`. Raises FileNotFoundError, PermissionDeniedError."""
        return self._info(ask("details", self._url(path)))

    def _type(self, path: str) -> str | None:
        try:
            return self.info(path)["type"]
        except OSError:
            return None

    def exists(self, path: str, **kwargs: Any) -> bool:
        """Whether there is something. Raises PermissionDeniedError."""
        return self._type(path) is not None

    def isfile(self, path: str) -> bool:
        """Whether it is a file. Raises PermissionDeniedError."""
        return self._type(path) == "file"

    def isdir(self, path: str) -> bool:
        """Whether it is a folder. Raises PermissionDeniedError."""
        return self._type(path) == "directory"

    def modified(self, path: str) -> datetime:
        """When it was changed last. Raises NotImplementedError where the service does not say."""
        seconds = self.info(path)["mtime"]
        if seconds is None:
            raise NotImplementedError(f"Nobody knows when {path} was changed")
        return datetime.fromtimestamp(seconds, timezone.utc)

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any) -> bytes:
        """All of a file, or a range of it."""
        offset = start or 0
        wanted = MOST_READ if end is None else end - offset
        if offset < 0 or wanted > MOST_READ or (end is not None and end < 0):
            return super().cat_file(path, start, end, **kwargs)
        if wanted <= 0:
            return b""
        data = ask("get", self._url(path), {"offset": offset, "length": wanted})
        # A short file, or a range: there is no more to come.
        if end is not None or len(data) < wanted:
            return data
        return super().cat_file(path, start, end, **kwargs)

    def _open(self, path: str, mode: str = "rb", block_size: int | None = None, autocommit: bool = True,
              cache_type: str = "readahead", cache_options: dict | None = None, **kwargs: Any) -> "StorageFile":  # fmt: skip
        if mode == "ab":
            raise NotImplementedError("Files of the storage are written as a whole: nothing can be added to one")
        if mode != "rb":
            # Where nothing can wait in the middle of a library that is not Python, nothing is written before the end.
            block_size = (block_size or MOST_PART) if can_block() else MOST_WHOLE
            return StorageFile(self, path, mode, block_size=block_size, autocommit=autocommit, **kwargs)
        file = HostFile.open(self._url(path))
        whole = None if can_block() else _load(path, file)
        opened = StorageFile(self, path, mode, block_size=block_size or _READ_BLOCK, size=file.size, cache_type=cache_type,
                             cache_options=cache_options, file=file, **kwargs)  # fmt: skip
        if whole is not None:
            opened.cache = AllBytes(size=file.size, fetcher=None, blocksize=None, data=whole)
        return opened

    def cp_file(self, path1: str, path2: str, **kwargs: Any) -> None:
        """Copies a file by reading and writing it."""
        if self.isdir(path1):
            return
        with self.open(path1, "rb") as source, self.open(path2, "wb") as target:
            copyfileobj(source, target, MOST_READ)

    def rm(self, path: Any, recursive: bool = False, maxdepth: int | None = None) -> None:
        """Deletes files, with `recursive` folders, too. Raises FileNotFoundError; OSError for a folder that is deeper than `maxdepth`."""
        depth = 0 if not recursive else "unlimited" if maxdepth is None else maxdepth
        for name in path if isinstance(path, list) else [path]:
            for found in self.glob(name) if has_magic(name) else [name]:
                self._delete(self._url(found), depth)

    def rm_file(self, path: str) -> None:
        """Deletes a file. Raises FileNotFoundError."""
        self._delete(self._url(path), 0)

    _rm = rm_file

    def rmdir(self, path: str) -> None:
        """Deletes a folder that is empty. Raises FileNotFoundError; OSError where it is not."""
        self._delete(f"{self._url(path)}/", 0)

    def _delete(self, url: str, depth: int | str) -> None:
        if not ask("delete", url, {"maxDeletionDepth": depth}):
            raise FileNotFoundError(url)

    def mkdir(self, path: str, create_parents: bool = True, **kwargs: Any) -> None:
        """Does nothing: folders come with what is written in them."""

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Does nothing, as `mkdir`."""

    def sign(self, path: str, expiration: int = 100, **kwargs: Any) -> str:
        """A URL with which anybody can read the file for `expiration` seconds. Raises OSError where the storage has none."""
        return ask("sign", self._url(path), {"expiresSeconds": expiration})


class StorageFile(AbstractBufferedFile):
    """A file of the storage: read in blocks, or written as a whole, which is seen once it is closed.

    What is never closed, or by a `with` block that an exception has left, is not written.
    """

    def __init__(self, fs: StorageFileSystem, path: str, mode: str, file: HostFile | None = None, **kwargs: Any) -> None:
        super().__init__(fs, path, mode, **kwargs)
        self._url = fs._url(path)
        self._file = file
        self._upload: int | None = None
        if file is not None:
            # Not a method of this object: in a circle of references it would stay open until somebody looks for such circles.
            self.cache.fetcher = file.between

    def _initiate_upload(self) -> None:
        """Waits for the first part: a short file needs no upload."""

    def _upload_chunk(self, final: bool = False) -> bool:
        data = self.buffer.getvalue()
        options = {"contentType": self.kwargs.get("content_type"), "ifNoneMatch": self.mode == "xb"}
        upload, self._upload = self._upload, None
        try:
            if final and self.autocommit and upload is None and len(data) <= MOST_PART:
                ask("put", self._url, data, options)
                return True
            if upload is None:
                upload = ask("openWrite", self._url, options)
            for start in range(0, len(data), MOST_PART):
                ask("writePart", upload, data[start : start + MOST_PART])
        except BaseException:
            # The host has thrown it away: what would be written from now on is no whole file.
            self.closed = True
            raise
        self._upload = upload
        if final and self.autocommit:
            self.commit()
        return True

    def commit(self) -> None:
        """Makes what was written visible: of a file that was opened in a transaction."""
        ask("commitWrite", self._upload)

    def discard(self) -> None:
        """Throws away what was written."""
        upload, self._upload = self._upload, None
        if upload is not None:
            ask("abortWrite", upload)

    def close(self) -> None:
        """Ends writing, which makes the file visible, or lets go of it."""
        super().close()
        if self._file is not None:
            self._file.close()

    def __del__(self) -> None:
        """Writes nothing: that would be a call of the host in the middle of anything."""

    def __exit__(self, kind: Any, *args: Any) -> None:
        if kind is not None and self._file is None and not self.closed:
            self.closed = True
            self.discard()
        self.close()


def _load(path: str, file: HostFile) -> bytes:
    """All of a file, for platforms that cannot wait in the middle of a library that is not Python. Raises OSError for a large one."""
    try:
        check_whole(path, file.size)
        return b"".join(file.parts())
    finally:
        file.close()


class FdFileSystem(StorageFileSystem):
    """The principal's own files."""

    protocol = ("fd",)
    scheme = "fd"


class S3FileSystem(StorageFileSystem):
    """S3."""

    protocol = ("s3", "s3a")
    scheme = "s3"


class GsFileSystem(StorageFileSystem):
    """Google Cloud Storage."""

    protocol = ("gs", "gcs")
    scheme = "gs"


class HostFileSystem(StorageFileSystem):
    """The file system of the host's machine."""

    protocol = ("file",)
    scheme = "file"
    root_marker = "/"


class FileFileSystem(LocalFileSystem):
    """The isolate's own file system for plain paths; for URLs `file://…` the host's."""

    protocol = ("file",)

    def __new__(cls, *args: Any, of_host: bool = False, **kwargs: Any) -> Any:
        return HostFileSystem() if of_host else super().__new__(cls)

    @staticmethod
    def _get_kwargs_from_urls(path: str) -> dict[str, Any]:
        return {"of_host": True} if path.startswith("file://") else {}


FILE_SYSTEMS = (FdFileSystem, S3FileSystem, GsFileSystem, FileFileSystem)
"""What takes the place of fsspec's own."""
