"""`download` and `file_path`: files under one folder of the isolate, or of this machine."""

from typing import TYPE_CHECKING

from ._host import HostError, add_file, call, connected
from ._storage import HostFile, check_whole, storage_error

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER = "/mnt/cache"
"""Where a UDF sees its files."""


def _checked(file_path: str) -> str:
    """The path below its folder, without empty parts: a URL is a path, too. Raises TypeError and ValueError for what is no relative path,
    or leaves the folder."""
    if not isinstance(file_path, str):
        raise TypeError(f"file_path must be a text: received {type(file_path).__name__}")
    parts = [part for part in file_path.split("/") if part not in ("", ".")]
    if not parts or "\0" in file_path or "\\" in file_path:
        raise ValueError(f"file_path must be a path with slashes: received {file_path!r}")
    if file_path.startswith("/"):
        raise ValueError(f"file_path must be relative: received {file_path!r}")
    if ".." in parts:
        raise ValueError(f"file_path must stay in its folder: received {file_path!r}")
    return "/".join(parts)


def download(url: str, file_path: str, storage: str = "auto", *, checksum: str | None = None) -> "Path":
    """Fetches a file once, for all runs and processes, and gives its path (a `pathlib.Path`).

    Inside an isolate the file is read on demand: it may be larger than memory. It can be read and not written. Elsewhere it is a file
    below the folder of the option `data_directory`; what is there already under this path is taken, whatever its address was.

    url: http or https; needs the permission `net` for its host, also where the file is there already. A place of the storage
      (`fd://`, `s3://`, `gs://`, `file://`) needs `read`: it is not fetched, but read where it lies.
    file_path: where the UDF sees it; relative, below one folder.
    storage: "auto" and "local" are this machine's; "mount" and "object" need storage that is configured.
    checksum: "sha256:" and 64 hexadecimal digits; another file than this is an error, and is not kept.

    Raises PermissionDeniedError, ValueError for a bad path or checksum, RuntimeError where the download fails, OSError where the storage
    does; outside of an isolate HTTPError where a server refuses. The next call tries again.
    """
    from pathlib import Path

    # As the published client takes it: below the folder all the same.
    file_path = _checked(file_path.lstrip("/") if isinstance(file_path, str) else file_path)
    sha256 = None
    if checksum is not None:
        kind, _, sha256 = checksum.partition(":")
        if kind != "sha256":
            raise ValueError(f'checksum must be "sha256:" and 64 hexadecimal digits: received {checksum!r}')
    if not connected():
        from ._download_here import download_here

        return download_here(url, file_path, storage, sha256)
    request = {"url": url, "path": file_path, "storage": storage, "sha256": sha256, "timeoutMs": None}
    try:
        answer = call("download.get", request)
    except HostError as error:
        failure = storage_error(error)
        if failure is error:
            failure = (ValueError if error.code in ("request", "url") else RuntimeError)(str(error))
        raise failure from None
    target = f"{_FOLDER}/{file_path}"
    _show(target, answer["file"], answer["size"])
    return Path(target)


def _show(target: str, file: int, size: int) -> None:
    try:
        add_file(target, file, size)
        return
    except RuntimeError:
        pass
    check_whole(target, size)
    import os

    os.makedirs(os.path.dirname(target), exist_ok=True)
    whole = HostFile(file, size)
    with open(target, "wb") as out:
        out.writelines(whole.parts())
    whole.close()


def file_path(file_path: str, mkdir: bool = True, storage: str = "auto") -> str:
    """The absolute path of a file or folder for this run, whose folders are made.

    file_path: relative. With a suffix it is a file, and the folders above it are made; without one it is a folder.
    mkdir: False makes nothing.
    storage: as for `download`; what lies there is gone after the run, inside an isolate.

    Raises ValueError for a path that is absolute or leaves its folder.
    """
    import os

    file_path = _checked(file_path)
    if not connected():
        from ._download_here import data_folder

        target = str(data_folder(storage) / file_path)
    elif storage in ("auto", "local"):
        target = f"{_FOLDER}/{file_path}"
    else:
        raise ValueError(f'storage must be "auto" or "local" here: received {storage!r}')
    if mkdir:
        os.makedirs(os.path.dirname(target) if os.path.splitext(target)[1] else target, exist_ok=True)
    return target
