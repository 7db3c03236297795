"""The host's bindings `storage` and `files` in Python, by the same contract (host/storage/binding.ts), with files in memory."""

import base64
import json
import re
from typing import Any

from fused._decode import decode
from fused._encode import encode

MOST_RANGE = 4 * 1024 * 1024
MOST_PUT = 8 * 1024 * 1024
PAGE = 3


class StorageError(Exception):
    """A failure with the code that the guest learns."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Denied(Exception):
    """A place that is not granted: the permission and the place."""


class StorageHost:
    """Answers calls, and notes what it was asked. `files` is by URL; `denied` has permissions that are not granted."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.calls: list[str] = []
        self.denied: set[str] = set()
        self.most_bytes = 1 << 30
        self.open: dict[int, bytes] = {}
        self.uploads: dict[int, tuple[str, bytes, dict[str, Any]]] = {}
        self._last = 0

    def answer(self, name: str, text: str, buffers: list[bytes]) -> dict[str, Any]:
        """The answer to a call, as the guest's door gives it."""
        self.calls.append(name)
        try:
            value, parts = encode(getattr(self, name.replace(".", "_"))(*decode(text, buffers)))
            reply = f'{{"ok":true,"value":{value}}}'
        except Denied as error:
            permission, url = error.args
            failure = {"type": "PermissionDeniedError", "message": f"Requires {permission}", "subject": permission, "value": url}
            reply, parts = json.dumps({"ok": False, "error": failure}), []
        except StorageError as error:
            reply = json.dumps({"ok": False, "error": {"type": "StorageError", "message": str(error), "subject": error.code}})
            parts = []
        return {"text": reply, "buffers": [base64.b64encode(part).decode() for part in parts]}

    def _ask(self, permission: str, url: str) -> str:
        if not re.fullmatch(r"(fd|s3|gs)://([^/]+(/[^/]+)*/?)?|file:///([^/]+(/[^/]+)*/?)?", url):
            raise StorageError("request", f"Cannot use {url!r} as a place in the storage")
        if permission in self.denied:
            raise Denied(permission, url)
        return url

    def _file(self, url: str) -> bytes:
        if self._ask("read", url) not in self.files:
            raise StorageError("not found", f"Cannot read {url}: it is not there")
        return self.files[url]

    def _entry(self, url: str) -> dict[str, Any]:
        is_folder = url.endswith("/")
        return {"url": url, "name": url.rstrip("/").rpartition("/")[2], "isDirectory": is_folder, "size": None if is_folder else len(self.files[url]),
                "modifiedMs": None if is_folder else 1_700_000_000_500, "etag": None if is_folder else '"1"'}  # fmt: skip

    def storage_list(self, url: str, options: dict[str, Any]) -> dict[str, Any]:
        """Pages of three."""
        assert set(options) <= {"recursive", "after", "limit"}
        base = url if self._ask("read", url).endswith("://") else url.rstrip("/") + "/"
        below = [file.removeprefix(base) for file in self.files if file.startswith(base)]
        names = sorted({name if options["recursive"] else "/".join(name.split("/")[:1]) + ("/" if "/" in name else "") for name in below})
        names = [name for name in names if name > (options["after"] or "")]
        if not below and url in self.files:
            return {"entries": [self._entry(url)], "next": None}
        page = names[:PAGE]
        return {"entries": [self._entry(base + name) for name in page], "next": page[-1] if len(names) > PAGE else None}

    def storage_details(self, url: str) -> dict[str, Any]:
        """Of a file, or of a folder with something in it."""
        if self._ask("read", url) in self.files:
            return self._entry(url)
        base = url.rstrip("/") + "/"
        if any(file.startswith(base) for file in self.files):
            return self._entry(base)
        raise StorageError("not found", f"Cannot look at {url}: it is not there")

    def storage_get(self, url: str, place: dict[str, int]) -> bytes:
        """A part."""
        assert 0 < place["length"] <= MOST_RANGE
        return self._file(url)[place["offset"] : place["offset"] + place["length"]]

    def storage_open(self, url: str) -> dict[str, int]:
        """Opens a file."""
        self._last += 1
        self.open[self._last] = self._file(url)
        return {"file": self._last, "size": len(self.open[self._last])}

    def files_read(self, file: int, position: int, length: int) -> bytes:
        """A part of an open file."""
        assert 0 < length <= MOST_RANGE
        return self.open[file][position : position + length]

    def files_close(self, file: int) -> None:
        """Closes it."""
        del self.open[file]

    def storage_put(self, url: str, data: bytes, options: dict[str, Any]) -> None:
        """Writes a file."""
        assert type(data) is bytes and len(data) <= MOST_PUT and set(options) == {"contentType", "ifNoneMatch"}
        if options["ifNoneMatch"] and url in self.files:
            raise StorageError("exists", f"Cannot write {url}: it is there already")
        self.files[self._ask("write", url)] = data

    def storage_openWrite(self, url: str, options: dict[str, Any]) -> int:
        """Begins to write one."""
        self._last += 1
        self.uploads[self._last] = (self._ask("write", url), b"", options)
        return self._last

    def storage_writePart(self, upload: int, data: bytes) -> None:
        """Adds to it."""
        assert len(data) <= MOST_PUT
        url, before, options = self.uploads.pop(upload)
        if len(before) + len(data) > self.most_bytes:
            raise StorageError("full", f"Cannot write {url}: it is too large")
        self.uploads[upload] = (url, before + data, options)

    def storage_commitWrite(self, upload: int) -> None:
        """Ends it."""
        url, data, _ = self.uploads.pop(upload)
        self.files[url] = data

    def storage_abortWrite(self, upload: int) -> None:
        """Throws it away."""
        del self.uploads[upload]

    def storage_delete(self, url: str, options: dict[str, Any]) -> bool:
        """A file, or a folder that is not deeper than it may be."""
        depth = options["maxDeletionDepth"]
        if self._ask("write", url) in self.files:
            del self.files[url]
            return True
        base = url.rstrip("/") + "/"
        below = [file for file in self.files if file.startswith(base)]
        if depth != "unlimited" and any(file.removeprefix(base).count("/") + 1 > depth for file in below):
            raise StorageError("request", f"Cannot delete {url}: it is too deep")
        for file in below:
            del self.files[file]
        return bool(below)

    def storage_sign(self, url: str, options: dict[str, int]) -> str:
        """Some URL."""
        return f"https://signed.example/{self._ask('read', url)}?{options['expiresSeconds']}"

    def storage_signPrefix(self, url: str, options: dict[str, int]) -> dict[str, str]:
        """Some URLs, by the paths of the files below the folder."""
        base = self._ask("read", url).rstrip("/") + "/"
        return {file.removeprefix(base): self.storage_sign(file, options) for file in sorted(self.files) if file.startswith(base)}

    def download_get(self, request: dict[str, Any]) -> dict[str, int]:
        """Of a place of the storage, that itself."""
        return self.storage_open(request["url"])
