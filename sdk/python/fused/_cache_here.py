"""`@fused.cache` outside of an isolate: results are files of this user's, below the folder that the option `cache_directory` names.

FOLDER/KEY/result    a line of JSON (`format`, `createdAtMs`), then the body
FOLDER/KEY/lock      the number of the process that computes it

Answers are those of the host's binding `cache`.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from ._host import HostError
from ._options import options

_WAIT_SECONDS = 0.1
# Where no process can be asked after, one that has computed for so long is taken to be gone.
_GONE_SECONDS = 3600

_leases: dict[int, Path] = {}
_last = 0


def ask(name: str, *args: Any) -> Any:
    """`cache.begin`, `cache.commit` and `cache.abandon`. Raises HostError with the code `timeout` or `request`."""
    if name != "cache.begin":
        return _end(name, *args)
    (request,) = args
    deadline = time.monotonic() + request["lockTimeoutMs"] / 1000
    while (answer := _begin(request, deadline)) is None:
        time.sleep(_WAIT_SECONDS)
    return answer


async def ask_async(name: str, *args: Any) -> Any:
    """The same, while other things go on."""
    if name != "cache.begin":
        return _end(name, *args)
    (request,) = args
    deadline = time.monotonic() + request["lockTimeoutMs"] / 1000
    while (answer := _begin(request, deadline)) is None:
        await asyncio.sleep(_WAIT_SECONDS)
    return answer


def _begin(request: dict[str, Any], deadline: float) -> dict[str, Any] | None:
    """The answer, or None while another one computes it."""
    try:
        folder = _folder(request)
        if not request["reset"] and (kept := _read(folder / "result", request["maxAgeMs"])) is not None:
            return {"state": "hit", **kept}
        if _lock(folder / "lock"):
            global _last
            _last += 1
            _leases[_last] = folder
            return {"state": "compute", "lease": _last}
    except OSError as error:
        return {"state": "off", "reason": f"the folder of the cache cannot be used: {error}"}
    if time.monotonic() >= deadline:
        raise HostError("another call computes it", "CacheError", "timeout")
    return None


def _folder(request: dict[str, Any]) -> Path:
    """The folder of an entry, made where it is not there. Raises OSError for one that others could write, HostError for a bad name."""
    base = _base(request["storage"])
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Results are pickles: what another user has put there would run here.
    if hasattr(os, "getuid") and base.stat().st_uid != os.getuid():
        raise PermissionError(f"{base} belongs to another user")
    name = request["folder"]
    if any(part in ("", ".", "..") for part in name.split("/")) or "\\" in name or "\0" in name:
        rule = "it must be relative, and stay in its folder"
        raise HostError(f"Cannot use cache_folder_path: {rule}: received {name!r}", "CacheError", "request")
    folder = base / name / f"{request['key']}-{sys.version_info[0]}.{sys.version_info[1]}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _base(storage: str) -> Path:
    from ._download_here import data_folder

    if options.cache_directory is not None:
        return Path(options.cache_directory)
    try:
        return data_folder(storage) / "cached_data"
    except ValueError:
        raise HostError(f"Cannot use cache_storage={storage!r}: there is no such storage here", "CacheError", "request") from None


def _read(file: Path, max_age_ms: int | None) -> dict[str, Any] | None:
    try:
        head, _, body = file.read_bytes().partition(b"\n")
        entry = json.loads(head)
        created = entry["createdAtMs"]
    except (FileNotFoundError, ValueError, KeyError):
        return None
    most = options.cache_decorator_max_age * 1000 if max_age_ms is None else max_age_ms
    return {**entry, "body": body} if time.time() * 1000 - created < most else None


def _lock(file: Path) -> bool:
    try:
        with open(file, "x") as opened:
            opened.write(str(os.getpid()))
        return True
    except FileExistsError:
        if not _is_gone(file):
            return False
    # Of several that see that, one makes it anew.
    file.unlink(missing_ok=True)
    return False


def _is_gone(lock: Path) -> bool:
    """Whether the process that computes has ended without a word."""
    try:
        age = time.time() - lock.stat().st_mtime
        process = int(lock.read_text() or 0)
    except (FileNotFoundError, ValueError):
        return False
    if os.name != "posix" or process == 0:
        return age > _GONE_SECONDS
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass
    return False


def _end(name: str, lease: int, result: dict[str, Any] | None = None) -> None:
    folder = _leases.pop(lease)
    try:
        if name == "cache.commit" and result is not None:
            head = json.dumps({"format": result["format"], "createdAtMs": time.time() * 1000}).encode()
            part = folder / f".{uuid4().hex}.part"
            part.write_bytes(head + b"\n" + bytes(result["body"]))
            os.replace(part, folder / "result")
    except OSError as error:
        raise HostError(f"the result cannot be kept: {error}", "CacheError", "storage") from None
    finally:
        (folder / "lock").unlink(missing_ok=True)
