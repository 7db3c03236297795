"""Results of whole runs, kept for later ones by the host."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from . import _host
from ._cache import cache
from ._udf_object import Udf


def kept(udf: Udf, compute: Callable[[], Any], key: list[Any], *, age: int, label: str, is_asked: bool = True) -> Any:
    """What came of the same source and `key` before, where somebody keeps it and it is not older than `age` (seconds); else computed now.

    Where nobody has asked for that, it is kept by a host alone.
    """
    if not is_asked and not _host.connected():
        return compute()

    def computed(source: list[Any], key: list[Any], compute: Callable[[], Any]) -> Any:
        return compute()

    return _cached(computed, udf, age, label)(_source(udf), key, compute)


async def kept_async(udf: Udf, compute: Callable[[], Awaitable[Any]], key: list[Any], *, age: int, label: str) -> Any:
    """The same for what is awaited."""

    async def computed(source: list[Any], key: list[Any], compute: Callable[[], Awaitable[Any]]) -> Any:
        return await compute()

    return await _cached(computed, udf, age, label)(_source(udf), key, compute)


def is_asynchronous(udf: Udf) -> bool:
    """Whether calling it gives a coroutine, which nobody can keep."""
    return re.search(rf"^\s*async\s+def\s+{re.escape(udf.entrypoint)}\b", udf.code, re.MULTILINE) is not None


def _cached(computed: Callable[..., Any], udf: Udf, age: int, label: str) -> Callable[..., Any]:
    computed.__name__ = f"{udf.name} ({label})"
    folder = f"{label}-{udf.entrypoint}"
    # A run says nothing of where its result comes from.
    return cache(computed, cache_max_age=age, cache_key_exclude="compute", cache_folder_path=folder,
                 cache_verbose=False if label == "run" else None, _is_quiet=True)  # fmt: skip


def _source(udf: Udf) -> list[Any]:
    return [udf.code, udf.entrypoint, [[header.module_name, header.code()] for header in udf.headers], udf.parameters]
