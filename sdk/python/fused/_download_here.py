"""`download` and `file_path` outside of an isolate: files below the folder of the option `data_directory`."""

import hashlib
import os
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from ._options import options

_MOUNT = "/mount/fused-system/tmp"


def data_folder(storage: str) -> Path:
    """The folder that a kind of storage stands for. Raises ValueError for one that has none."""
    folders = {"auto": options.data_directory, "local": options.temp_directory, "mount": Path(_MOUNT)}
    if storage not in folders:
        raise ValueError(f'storage must be "auto", "local" or "mount" here: received {storage!r}')
    return Path(folders[storage])


def download_here(url: str, path: str, storage: str, sha256: str | None) -> Path:
    """Fetches a file, unless it is there. Nobody sees a part of it: it gets its name once all of it is there, and is the same."""
    target = data_folder(storage) / path
    if target.is_file() and (sha256 is None or _hash(target.read_bytes()) == sha256):
        return target
    content = _fetch(url)
    if sha256 is not None and _hash(content) != sha256:
        raise RuntimeError(f"Cannot download {url}: its checksum is sha256:{_hash(content)} and not sha256:{sha256}")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{uuid4().hex}.part")
    try:
        part.write_bytes(content)
        os.replace(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return target


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _fetch(url: str) -> bytes:
    scheme = urlsplit(url).scheme
    if scheme not in ("http", "https"):
        from ._global_api import get_api

        return get_api().get(url)
    from ._server.http import request
    from ._server.server import http_error

    # No limit: a large file takes its time.
    answer = request("GET", url)
    if answer.status >= 400:
        raise http_error(answer)
    return answer.body
