"""`@fused.cache`: keeps what a function returned. Without a cache to keep it in, it computes."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from ._age import parse_age

_CONTROLS = ("cache_max_age", "cache_folder_path", "concurrent_lock_timeout", "cache_reset", "cache_storage",
             "cache_key_exclude", "cache_verbose")  # fmt: skip
_STORAGES = (None, "auto", "mount", "local", "object")


def cache(
    func: Callable[..., Any] | None = None,
    cache_max_age: str | int | None = None,
    cache_folder_path: str = "tmp",
    concurrent_lock_timeout: str | int = 120,
    cache_reset: bool | None = None,
    cache_storage: str | None = None,
    cache_key_exclude: Iterable[str] | None = None,
    cache_verbose: bool | None = None,
) -> Callable[..., Any]:
    """Decorates a function, bare or with options, so that its results are kept.

    The options can also be given at a call; they do not reach the function unless it declares them itself.
    """
    parse_age(cache_max_age)
    if cache_storage not in _STORAGES:
        raise ValueError(f"Cannot use cache_storage: it must be one of {_STORAGES[1:]}: received {cache_storage!r}")
    if isinstance(cache_key_exclude, bytes):
        raise ValueError("Cannot use cache_key_exclude: it must be a name or names: received bytes")

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        code = getattr(function, "__code__", None)
        declared = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if code else ()
        controls = frozenset(_CONTROLS).difference(declared)

        @wraps(function)
        def compute(*args: Any, **kwargs: Any) -> Any:
            # On an async function this returns the coroutine, which is what its caller awaits.
            if kwargs and not controls.isdisjoint(kwargs):
                parse_age(kwargs.get("cache_max_age") if "cache_max_age" in controls else None)
                kwargs = {name: value for name, value in kwargs.items() if name not in controls}
            return function(*args, **kwargs)

        return compute

    return decorate if func is None else decorate(func)
