"""fsspec's file system for http and https. In an isolate this file is `fsspec.implementations.http`.

fsspec's own one stands on aiohttp and threads. This one reads: whole files, ranges, and streams of unknown length.
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import nullcontext
from io import BytesIO
from typing import Any
from urllib.parse import urljoin

from fsspec.caching import AllBytes
from fsspec.callbacks import DEFAULT_CALLBACK
from fsspec.spec import AbstractBufferedFile, AbstractFileSystem
from fsspec.utils import DEFAULT_BLOCK_SIZE

from fused._host import HostError, can_block
from fused._net import Answer, fetch, network_error
from fused._storage import check_whole

_LINK = re.compile(r"""<a\s[^>]*?href\s*=\s*["']([^"'#]+)""", re.IGNORECASE)
_RANGE = re.compile(r"bytes \d+-\d+/(\d+)")


class HTTPFileSystem(AbstractFileSystem):
    """Files behind URLs.

    client_kwargs: `headers`, `auth` (a pair of user and password) and `timeout` (seconds) of all requests; `headers` can also be
    given beside it. Other settings of aiohttp's sessions have no effect.
    block_size: bytes that one request reads where a server has ranges; 0 streams.
    """

    protocol = ("http", "https")
    sep = "/"

    def __init__(self, simple_links: bool = True, block_size: int | None = None, same_scheme: bool = True, size_policy: Any = None,
                 cache_type: str = "bytes", cache_options: dict | None = None, asynchronous: bool = False, loop: Any = None,
                 client_kwargs: dict | None = None, get_client: Any = None, encoded: bool = False,
                 headers: dict | None = None, **storage_options: Any) -> None:  # fmt: skip
        super().__init__(**storage_options)
        self.block_size = DEFAULT_BLOCK_SIZE if block_size is None else block_size
        self.cache_type, self.cache_options = cache_type, cache_options
        client = client_kwargs or {}
        self._headers = {**(client.get("headers") or {}), **(headers or {})}
        if auth := client.get("auth"):
            pair = auth.encode() if hasattr(auth, "encode") else f"Basic {b64encode(':'.join(auth).encode()).decode()}"
            self._headers["Authorization"] = pair
        timeout = client.get("timeout")
        self._timeout = getattr(timeout, "sock_read", timeout)

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        """The URL is the path."""
        return path

    @classmethod
    def _parent(cls, path: str) -> str:
        parent = super()._parent(path)
        return parent if len(parent) > 7 else ""

    def request(self, url: str, method: str = "GET", **headers: str) -> Answer:
        """Sends a request; follows redirects. Raises FileNotFoundError, OSError and PermissionDeniedError."""
        wanted = {"Accept-Encoding": "identity", **self._headers, **{name.replace("_", "-"): text for name, text in headers.items()}}
        try:
            answer = fetch(url, method, wanted.items(), timeout=self._timeout, redirect="follow")
        except HostError as error:
            raise network_error(error) from None
        if answer.status >= 400:
            answer.close()
            if answer.status in (404, 410):
                raise FileNotFoundError(url)
            raise OSError(f"{answer.status} {answer.reason} for {url}")
        return answer

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        """Name, size (None where the server tells none), type, MIME type and ETag; `partial` says whether ranges can be read."""
        size = None
        try:
            answer = self.request(path, "HEAD")
            size = _size(answer)
            answer.close()
        except FileNotFoundError:
            raise
        except OSError:
            pass
        if size is None:
            # Some servers know no HEAD, or do not count for it.
            answer = self.request(path, Range="bytes=0-0")
            size = _size(answer)
            answer.close()
        mimetype = (answer.header("content-type") or "").partition(";")[0].strip()
        found = {"name": path, "size": size, "type": "file", "url": answer.url,
                 "partial": answer.status == 206 or answer.header("accept-ranges") == "bytes"}  # fmt: skip
        if mimetype:
            found["mimetype"] = mimetype
        if etag := answer.header("etag"):
            found["ETag"] = etag
        return found

    def exists(self, path: str, **kwargs: Any) -> bool:
        """Whether the server has it. Raises PermissionDeniedError."""
        try:
            self.info(path)
        except OSError:
            return False
        return True

    isfile = exists

    def isdir(self, path: str) -> bool:
        """Whether the page links to something below itself."""
        try:
            return bool(self.ls(path, detail=False))
        except OSError:
            return False

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list:
        """The links of a page that lead to below itself."""
        base = path.rstrip("/") + "/"
        answer = self.request(path)
        if "html" not in (answer.header("content-type") or ""):
            answer.close()
            return []
        text = self._read(answer).decode("utf-8", "replace")
        links = {urljoin(base, link) for link in _LINK.findall(text)}
        found = sorted(link for link in links if link.startswith(base) and link != base)
        if not detail:
            return found
        return [{"name": link, "size": None, "type": "directory" if link.endswith("/") else "file"} for link in found]

    def glob(self, path: str, **kwargs: Any) -> Any:
        """As everywhere, but `?` is a part of URLs."""
        if "*" in path or "[" in path:
            return super().glob(path.replace("?", "[?]"), **kwargs)
        found = [path] if self.exists(path) else []
        return {name: self.info(name) for name in found} if kwargs.get("detail") else found

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any) -> bytes:
        """All of a file, or a range of it."""
        if start is None and end is None:
            return self._read(self.request(path))
        if (start or 0) < 0 or (end or 0) < 0:
            start, end, _ = slice(start, end).indices(self.info(path)["size"])
        start = start or 0
        if end is not None and end <= start:
            return b""
        answer = self.request(path, Range=f"bytes={start}-{'' if end is None else end - 1}")
        data = self._read(answer)
        return data if answer.status == 206 else data[start:end]

    def _open(self, path: str, mode: str = "rb", block_size: int | None = None, autocommit: bool = True, cache_type: str | None = None,
              cache_options: dict | None = None, size: int | None = None, **kwargs: Any) -> Any:  # fmt: skip
        if mode != "rb":
            raise NotImplementedError("Files behind URLs can be read, not written")
        block_size = self.block_size if block_size is None else block_size
        size = size or (self.info(path)["size"] if block_size else None)
        if not can_block():
            # Nothing can wait in the middle of a library that is not Python.
            check_whole(path, size or 0)
            return BytesIO(self.cat_file(path))
        if not block_size or size is None:
            return HTTPStreamFile(self, path)
        return HTTPFile(self, path, mode, block_size=block_size, size=size, cache_type=cache_type or self.cache_type,
                        cache_options=cache_options or self.cache_options or {})  # fmt: skip

    def get_file(self, rpath: str, lpath: Any, callback: Any = DEFAULT_CALLBACK, **kwargs: Any) -> None:
        """Writes a file to a path, or to an open file."""
        answer = self.request(rpath)
        length = answer.header("content-length") or ""
        callback.set_size(int(length) if length.isdecimal() else None)
        with nullcontext(lpath) if hasattr(lpath, "write") else open(lpath, "wb") as file:
            for part in self._parts(answer):
                file.write(part)
                callback.relative_update(len(part))

    def _parts(self, answer: Answer) -> Iterator[bytes]:
        try:
            yield from iter(answer.read, b"")
        except HostError as error:
            raise network_error(error) from None
        finally:
            answer.close()

    def _read(self, answer: Answer) -> bytes:
        return b"".join(self._parts(answer))


def _size(answer: Answer) -> int | None:
    """How long a file is, by the head of an answer."""
    if answer.status == 206:
        match = _RANGE.fullmatch(answer.header("content-range") or "")
        return int(match[1]) if match else None
    length = answer.header("content-length") or ""
    return int(length) if length.isdecimal() and not answer.header("content-encoding") else None


class HTTPFile(AbstractBufferedFile):
    """A file of known length, read in ranges; from a server that has none, it is read whole."""

    def _fetch_range(self, start: int, end: int) -> bytes:
        answer = self.fs.request(self.path, Range=f"bytes={start}-{end - 1}")
        data = self.fs._read(answer)
        if answer.status == 206:
            return data
        self.cache = AllBytes(size=len(data), fetcher=None, blocksize=None, data=data)
        return data[start:end]


class HTTPStreamFile(AbstractBufferedFile):
    """A file that is read from its beginning to its end, once."""

    def __init__(self, fs: HTTPFileSystem, path: str, mode: str = "rb", **kwargs: Any) -> None:
        self.details = {"name": path, "size": None, "type": "file"}
        super().__init__(fs, path, mode, block_size=0, cache_type="none", **kwargs)
        self._answer = fs.request(path)
        self._parts = fs._parts(self._answer)
        self._rest = b""

    def seek(self, loc: int, whence: int = 0) -> int:
        """Only to where it stands."""
        if (loc, whence) in ((0, 1), (self.loc, 0)):
            return self.loc
        raise ValueError("Cannot seek in a file whose length the server does not tell")

    def read(self, length: int = -1) -> bytes:
        """Reads on."""
        parts = [self._rest]
        missing = length - len(self._rest) if length >= 0 else None
        while missing is None or missing > 0:
            part = next(self._parts, b"")
            if not part:
                break
            parts.append(part)
            missing = None if missing is None else missing - len(part)
        data = b"".join(parts)
        out, self._rest = (data, b"") if length < 0 else (data[:length], data[length:])
        self.loc += len(out)
        return out

    def close(self) -> None:
        """Gives up the rest."""
        self._answer.close()
        super().close()
