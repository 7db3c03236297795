"""The functions of `fused.api` for files."""

import builtins
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, overload

from .. import _global_api
from ..models.api._list import ListDetails
from ._files import FilesApi, _parquet

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd


def files() -> FilesApi:
    """The FusedAPI that was made last, else one for files alone: inside an isolate no more of it is needed, or loaded."""
    return _global_api._api or FilesApi(None, None)


@overload
def list(path: str, *, details: Literal[False] = False) -> builtins.list[str]: ...
@overload
def list(path: str, *, details: Literal[True]) -> builtins.list[ListDetails]: ...
def list(path: str, *, details: bool = False) -> builtins.list[str] | builtins.list[ListDetails]:
    """What lies below a path: URLs, or with `details` ListDetails objects.

    Args:
        path: `s3://`, `gs://`, `fd://` (your own files), or `/mount/…` (the disk that runs share).
        details: give sizes (bytes) and times, too.

    Raises ValueError for a path that is no URL, PermissionDeniedError inside an isolate for what was not granted, HTTPError elsewhere.
    """
    return files().list(path, details=details)


def get(path: str) -> bytes:
    """The bytes of a file. Paths and errors are those of `list`."""
    return files().get(path)


def download(path: str, local_path: str | Path) -> None:
    """Writes a file to the disk, inside an isolate to that of the isolate. Paths and errors are those of `list`.

    Args:
        path: the file.
        local_path: where to.
    """
    files().download(path, local_path)


def upload(local_path: "str | Path | bytes | BinaryIO | pd.DataFrame | gpd.GeoDataFrame", remote_path: str,
           timeout: float | None = None) -> None:  # fmt: skip
    """Writes a file. Paths and errors are those of `list`.

    Args:
        local_path: the path of a local file, bytes, a binary file that is open, or a frame, which becomes Parquet.
        remote_path: where to. With a slash at its end the name of the local file is put behind it.
        timeout: seconds for each wait. None is the option `request_timeout`.

    Raises FileNotFoundError where there is no such local file.
    """
    data: Any = local_path
    if isinstance(local_path, str | Path):
        local = Path(local_path)
        if isinstance(local_path, str) and not local.exists():
            from ..warnings import FusedTypeWarning

            message = "local_path is taken as a path, and there is no such file. To upload the text itself, encode it first."
            warnings.warn(FusedTypeWarning(message), stacklevel=2)
        if remote_path.endswith("/"):
            remote_path += local.name
        with open(local, "rb") as file:
            return files().upload(remote_path, file, timeout=timeout)
    if hasattr(local_path, "to_parquet"):
        data = _parquet(local_path)
    return files().upload(remote_path, data, timeout=timeout)


def delete(path: str, max_deletion_depth: int | Literal["unlimited"] = 3) -> bool:
    """Deletes a file, or all that lies below a folder. Paths and errors are those of `list`.

    Args:
        path: what to delete.
        max_deletion_depth: how many folders deep it may reach; what lies deeper is refused. "unlimited" is any depth.

    Gives whether there was anything.
    """
    return files().delete(path, max_deletion_depth)


def sign_url(path: str) -> str:
    """An address that gives the file to whoever has it, for a while. Whether there is such a file is not checked.

    Paths and errors are those of `list`.
    """
    return files().sign_url(path)


def sign_url_prefix(path: str) -> dict[str, str]:
    """Such addresses for all files below a path, by their paths. Paths and errors are those of `list`."""
    return files().sign_url_prefix(path)


def resolve(path: str) -> str:
    """The full place of an `fd://` path; inside an isolate that is the path itself. Raises HTTPError where the server refuses, RuntimeError without one."""
    return files()._resolve(path)
