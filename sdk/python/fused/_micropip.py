"""`micropip` inside an isolate: packages without code for a platform, by way of the host, for whom it grants them (`import`).

The host resolves, fetches and checks; here wheels are unpacked. What is installed is gone after the run, as all files are. A package that
is known before belongs into the script block (PEP 723): it is in the snapshot then, and may have code for Pyodide.
"""

import importlib
import io
import re
import sysconfig
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path, PurePosixPath

from fused._host import HostError, call, call_async

__all__ = ["PackageMetadata", "install", "list"]


@dataclass(frozen=True)
class PackageMetadata:
    """An installed package."""

    name: str
    version: str
    source: str = ""


async def install(
    requirements: str | Sequence[str],
    keep_going: bool = False,
    deps: bool = True,
    credentials: str | None = None,
    pre: bool = False,
    index_urls: str | Sequence[str] | None = None,
    *,
    verbose: bool | int | None = None,
) -> None:
    """Installs packages and what they need; those that are installed stay as they are.

    Raises PermissionDeniedError for a package that is not on this machine and that `import` does not grant, ValueError for a requirement
    that cannot be met. `keep_going` and `verbose` change nothing; the other options cannot be changed: the host decides about them.
    """
    if not deps or credentials is not None or pre or index_urls is not None:
        raise ValueError("Cannot install: deps, credentials, pre and index_urls cannot be changed: the host decides about them")
    texts = [requirements] if isinstance(requirements, str) else [*requirements]
    try:
        chosen = await call_async("packages.choose", texts, _present())
        for number in range(len(chosen["files"])):
            _unpack(await call_async("packages.read", chosen["choice"], number))
    except HostError as error:
        raise ValueError(str(error)) from None
    importlib.invalidate_caches()


def install_now(requirement: str) -> None:
    """The same for one, where the host can be waited for. Raises HostError, PermissionDeniedError."""
    chosen = call("packages.choose", [requirement], _present())
    for number in range(len(chosen["files"])):
        _unpack(call("packages.read", chosen["choice"], number))
    importlib.invalidate_caches()


def list() -> dict[str, PackageMetadata]:
    """What is installed, by name."""
    found = {}
    for distribution in distributions():
        name, version = distribution.metadata["Name"], distribution.metadata["Version"]
        if name and version:
            found[name] = PackageMetadata(name, version)
    return found


def _present() -> dict[str, str]:
    return {_canonical(name): package.version for name, package in list().items()}


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _unpack(wheel: bytes) -> None:
    """Puts the files of a wheel where packages are. Source: PEP 427."""
    site_packages = Path(sysconfig.get_path("purelib"))
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        for entry in archive.infolist():
            path = PurePosixPath(entry.filename)
            if entry.is_dir():
                continue
            if path.is_absolute() or ".." in path.parts:
                raise ValueError(f"Cannot install: a wheel has the path {entry.filename!r}")
            if path.parts[0].endswith(".data"):
                if len(path.parts) < 3 or path.parts[1] not in ("purelib", "platlib"):
                    continue
                path = PurePosixPath(*path.parts[2:])
            target = site_packages / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(entry))
