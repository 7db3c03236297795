"""Files on a server, or inside an isolate those of the host's storage."""

import builtins
import os
from pathlib import Path
from typing import Any, BinaryIO, Literal
from urllib.parse import urlsplit

from .. import _host
from .._options import options
from .._server.http import request
from .._server.server import http_error
from ..models.api._list import ListDetails
from . import _host_files
from ._connection import Connection, in_path
from ._multipart import multipart

MOUNT = "file:///mount"
"""Where the shared disk of the runs is."""

_SCHEMES = ("s3", "gs", "fd", "gdrive", "dropbox", "onedrive", "file")


class FilesApi(Connection):
    """The part of FusedAPI for files.

    Inside an isolate they are those of the host's storage: PermissionDeniedError for what was not granted, OSError for what fails.
    Elsewhere they are the server's: HTTPError where it refuses. A path is a URL: `s3://`, `gs://`, `fd://` (your own files), or
    `/mount/…`, `file:///mount/…` (the disk that runs share).
    """

    def list(self, path: str, *, details: bool = False, client_id: str | None = None) -> "builtins.list[str] | builtins.list[ListDetails]":
        """What lies below a path: URLs, or with `details` ListDetails objects. Raises ValueError for a path that is no URL."""
        path = _checked(path)
        if self._asks_host:
            entries = _host_files.entries(path)
            return entries if details else [entry.url for entry in entries]
        client_id = client_id or self._client_id_if_known()
        if path.startswith(MOUNT):
            found = self._list_mount(path, client_id)
        else:
            found = self._call("GET", f"files/list{'-details' if details else ''}", params={"path": path, "client_id": client_id})
        if details:
            return [ListDetails.model_validate(entry) for entry in found]
        return [entry if isinstance(entry, str) else entry["url"] for entry in found]

    def get(self, path: str, *, client_id: str | None = None) -> bytes:
        """The bytes of a file. Raises ValueError for a path that is no URL."""
        path = _checked(path)
        if self._asks_host:
            return b"".join(_host_files.parts(path))
        client_id = client_id or self._client_id_if_known()
        if path.startswith(MOUNT):
            return self._call("GET", self._mount_path(client_id, "download"), params={"file_name": _below_mount(path)}, raw=True).body
        return self._call("GET", "files/get", params={"path": path, "client_id": client_id}, raw=True).body

    def download(self, path: str, local_path: str | Path, *, client_id: str | None = None) -> None:
        """Writes a file to a path of this machine (inside an isolate: of the isolate). Raises ValueError for a path that is no URL."""
        if self._asks_host:
            parts = _host_files.parts(_checked(path))
            first = next(parts, b"")  # before the file is made: what is not there leaves none behind
            with open(local_path, "wb") as file:
                file.write(first)
                file.writelines(parts)
            return
        content = self.get(path, client_id=client_id)
        Path(local_path).write_bytes(content)

    def upload(self, path: str, data: bytes | BinaryIO, client_id: str | None = None, timeout: float | None = None) -> None:
        """Writes a file.

        Args:
            path: where to.
            data: the bytes, or a binary file that is open.
            client_id: the realtime client whose rights count. None is the one for you.
            timeout: seconds for each wait. None is the option `request_timeout`.

        Raises ValueError for a path that is no URL.
        """
        path = _checked(path)
        if self._asks_host:
            return _host_files.write(path, data)
        client_id = client_id or self._client_id_if_known()
        content = _content(data)
        if path.startswith(MOUNT):
            place = _below_mount(path)
            kind, body = multipart({"dir": os.path.dirname(place) or "/"}, os.path.basename(place), content)
            self._call("POST", self._mount_path(client_id, "upload"), body=body, headers={"Content-Type": kind}, timeout=timeout)
            return None
        signed = self._call("GET", "files/sign-upload", params={"path": path, "content_length": len(content), "client_id": client_id})
        return _post(signed, content, timeout)

    def _upload_temporary(self, extension: str, content: bytes) -> str:
        """Keeps bytes at a place that the server chooses, for an input of a job. Gives the place."""
        params = {"extension": extension, "content_length": len(content), "client_id": self._client_id_if_known()}
        answer = self._call("GET", "files/sign-upload-temp", params=params)
        _post(answer["signed_post"], content, None)
        return answer["storage_url"]

    def _upload_input(self, given: Any) -> Any:
        """The places of a job's input, one or a list: what lies on this machine is uploaded, a frame as Parquet. Raises TypeError."""
        if hasattr(given, "to_parquet"):
            return self._upload_temporary("parquet", _parquet(given))
        if isinstance(given, builtins.list | tuple):
            return [self._upload_input(one) for one in given]
        if isinstance(given, Path) or (isinstance(given, str) and "://" not in given and os.path.isfile(given)):
            local = Path(given)
            return self._upload_temporary(local.name.rsplit(".", 1)[-1], local.read_bytes())
        if isinstance(given, str):
            return given
        raise TypeError(f"Unsupported input type: {type(given)}")

    def delete(self, path: str, max_deletion_depth: int | Literal["unlimited"] = 3, *, client_id: str | None = None) -> bool:
        """Deletes a file, or all that lies below a folder.

        Args:
            path: what to delete.
            max_deletion_depth: how many folders deep it may reach; what lies deeper is refused. "unlimited" is any depth.
            client_id: the realtime client whose rights count. None is the one for you.

        Gives whether there was anything. Raises ValueError for a path that is no URL.
        """
        path = _checked(path)
        if self._asks_host:
            return _host_files.delete(path, max_deletion_depth)
        client_id = client_id or self._client_id_if_known()
        if path.startswith(MOUNT):
            place = _below_mount(path).rstrip("/")
            folder, _, name = place.rpartition("/")
            siblings = self._list_mount(f"{MOUNT}{folder}", client_id)
            is_file = any(entry.get("file_name") == name and not entry.get("is_directory") for entry in siblings)
            route = self._mount_path(client_id, "delete-file" if is_file else "delete-dir")
            return self._call("DELETE", route, json={"item": place})
        params = {"path": path, "max_deletion_depth": max_deletion_depth, "client_id": client_id}
        return self._call("DELETE", "files/delete", params=params)

    def sign_url(self, path: str, *, client_id: str | None = None) -> str:
        """An address that gives the file to whoever has it, for a while. Whether there is such a file is not checked."""
        if self._asks_host:
            return _host_files.sign(_checked(path))
        return self._call("GET", "files/sign", params={"path": path, "client_id": client_id or self._client_id_if_known()})

    def sign_url_prefix(self, path: str, *, client_id: str | None = None) -> dict[str, str]:
        """Such addresses for all files below a path, by their paths."""
        if self._asks_host:
            return _host_files.sign_prefix(_checked(path))
        return self._call("GET", "files/sign_prefix", params={"path": path, "client_id": client_id or self._client_id_if_known()})

    def _resolve(self, path: str) -> str:
        if self._asks_host:
            return _checked(path)
        return self._call("POST", "files/resolve", params={"path": path})

    @property
    def _asks_host(self) -> bool:
        return self._base_url is None and _host.connected()

    def _list_mount(self, path: str, client_id: str | None) -> builtins.list[dict[str, Any]]:
        route = self._mount_path(client_id, "list")
        answer = self._call("POST", route, params={"limit": -1}, json={"item": _below_mount(path).removeprefix("/")})
        return [{**entry, "url": f"{MOUNT}/{entry['url']}"} for entry in answer["items"]]

    def _mount_path(self, client_id: str | None, verb: str) -> str:
        return f"efs/{in_path(client_id or self._client_id())}/{verb}"


def _checked(path: str) -> str:
    """The path as a URL. Raises ValueError."""
    if path.startswith("/mount"):
        return f"file://{path}"
    if urlsplit(path).scheme in _SCHEMES or _host.connected():  # the host says itself what it takes
        return path
    raise ValueError(
        f"Path '{path}' is invalid. It must start with one of {', '.join(map(repr, _SCHEMES))}, "
        "or be an absolute local path under /mount (e.g., /mount/path/to/file)."
    )


def _below_mount(path: str) -> str:
    return path.removeprefix(MOUNT)


def _content(data: Any) -> bytes:
    if hasattr(data, "read"):
        # A file is taken from its beginning, wherever it was read up to.
        if hasattr(data, "seek"):
            data.seek(0)
        data = data.read()
    if isinstance(data, bytes | bytearray | memoryview):
        return bytes(data)
    raise TypeError(f"What is uploaded must be bytes or a binary file: received {type(data).__name__}; encode a text first")


def _parquet(frame: Any) -> bytes:
    from io import BytesIO

    buffer = BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


def _post(signed: dict[str, Any], content: bytes, timeout: float | None) -> None:
    """Sends bytes to a signed place: it is told nothing of who we are."""
    kind, body = multipart(signed["fields"], "file", content)
    timeout = options.request_timeout if timeout is None else timeout
    answer = request("POST", signed["url"], body=body, headers={"Content-Type": kind}, timeout=timeout)
    if answer.status >= 400:
        raise http_error(answer)
