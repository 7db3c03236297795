"""`@fused.cache`: keeps what a function returned, with the host, which says who may read it.

A key is made over the function's code, what it refers to and its arguments (`_cache_key`). Where the host keeps nothing, the function
is called and that is all. Outside of an isolate results are files (`_cache_here`).
"""

import sys
import warnings
from builtins import BaseException  # held: the user's code may delete it
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from functools import wraps
from time import time
from typing import Any, TypeVar, overload

from ._cache_asks import ask, ask_async, can_await, can_wait
from ._cache_key import KeyMaker
from ._cache_options import NAMES, Options, read_options
from ._cached_values import pack, unpack
from ._host import HostError
from ._options import Options as Defaults
from ._options import options as defaults
from ._per_run import memory
from ._udf import unwrap

_Function = TypeVar("_Function", bound=Callable[..., Any])

_COROUTINE = 0x80
_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))

# The keys whose functions run around this one: asking for such a key would wait for itself.
_computing: ContextVar[frozenset[str]] = ContextVar("_computing", default=frozenset())


@overload
def cache(func: None = None, cache_max_age: str | int | None = None, cache_folder_path: str = "tmp",
          concurrent_lock_timeout: str | int = 120, cache_reset: bool | None = None, cache_storage: str | None = None,
          cache_key_exclude: str | Iterable[str] | None = None, cache_verbose: bool | None = None,
          _is_quiet: bool = False) -> Callable[[_Function], _Function]: ...  # fmt: skip
@overload
def cache(func: _Function, cache_max_age: str | int | None = None, cache_folder_path: str = "tmp",
          concurrent_lock_timeout: str | int = 120, cache_reset: bool | None = None, cache_storage: str | None = None,
          cache_key_exclude: str | Iterable[str] | None = None, cache_verbose: bool | None = None,
          _is_quiet: bool = False) -> _Function: ...  # fmt: skip
def cache(func: Callable[..., Any] | None = None, cache_max_age: str | int | None = None, cache_folder_path: str = "tmp",
          concurrent_lock_timeout: str | int = 120, cache_reset: bool | None = None, cache_storage: str | None = None,
          cache_key_exclude: str | Iterable[str] | None = None, cache_verbose: bool | None = None,
          _is_quiet: bool = False) -> Callable[..., Any]:  # fmt: skip
    """Decorates a function, method or async function, bare or with options, so that its results are kept.

    A later call with equal arguments, in this run or another one of the same UDF, gives the kept result: a fresh object each time.
    Arguments are compared by type and content, however they are passed; so are the globals and closures that the function reads, unless
    it changes them itself. What a function raises is not kept; what it prints is not printed again.

    cache_max_age: a number and s, m, h or d ("12h"), or seconds: an older result is computed again. 0 neither reads nor keeps.
        Default: what the request's header cache-decorator-max-age says, else 48 hours.
    cache_folder_path: the folder of the cache, relative. Functions in different folders share nothing.
    concurrent_lock_timeout: how long a call waits while another one computes the same result; seconds, or as for cache_max_age.
    cache_reset: True computes again and keeps that.
    cache_storage: "local" (this machine), "mount", "object", or "auto" (the default): what the host has.
    cache_key_exclude: a parameter or several that do not count, such as a connection.
    cache_verbose: False prints nothing when a kept result is returned.

    The options can also be given at a call and hold for that call alone; they do not reach the function unless it declares them itself.

    Raises ValueError for a bad option. A call raises TypeError, naming the parameter, where an argument has no content to tell it by
    (an open file, a lock), and TimeoutError where it has waited too long.
    """
    options = read_options({
        "cache_max_age": cache_max_age,
        "cache_folder_path": cache_folder_path,
        "concurrent_lock_timeout": concurrent_lock_timeout,
        "cache_reset": cache_reset,
        "cache_storage": cache_storage,
        "cache_key_exclude": cache_key_exclude,
        "cache_verbose": cache_verbose,
    }, Options(is_quiet=_is_quiet))  # fmt: skip

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        if isinstance(function, (staticmethod, classmethod)):
            return type(function)(decorate(function.__func__))
        if not callable(function):
            raise TypeError(f"Cannot cache: it must be a function: received {type(function).__name__}")
        cached = _Cached(function, options)
        code = getattr(function, "__code__", None)
        return _decorate_async(cached) if code and code.co_flags & _COROUTINE else _decorate(cached)

    return decorate if func is None else decorate(func)


def _decorate(cached: "_Cached") -> Callable[..., Any]:
    function = cached.function

    @wraps(function)
    def compute(*args: Any, **kwargs: Any) -> Any:
        visit = _Visit(cached, args, kwargs, can_wait())
        while visit.request is not None:
            with visit:
                visit.take(ask("cache.begin", visit.request))
        if visit.is_hit:
            return visit.value
        if visit.lease is None:
            return function(*visit.args, **visit.kwargs)
        visit.begin()
        try:
            result = function(*visit.args, **visit.kwargs)
        except BaseException:
            with visit:
                ask("cache.abandon", visit.lease)
            raise
        finally:
            visit.end()
        with visit:
            ask(*visit.last_call(result))
        return result

    return compute


def _decorate_async(cached: "_Cached") -> Callable[..., Any]:
    function = cached.function

    @wraps(function)
    async def compute(*args: Any, **kwargs: Any) -> Any:
        visit = _Visit(cached, args, kwargs, can_await())
        while visit.request is not None:
            with visit:
                visit.take(await ask_async("cache.begin", visit.request))
        if visit.is_hit:
            return visit.value
        if visit.lease is None:
            return await function(*visit.args, **visit.kwargs)
        visit.begin()
        try:
            result = await function(*visit.args, **visit.kwargs)
        except GeneratorExit:  # nothing may be awaited any more
            if can_wait():
                with visit:
                    ask("cache.abandon", visit.lease)
            raise
        except BaseException:
            with visit:
                await ask_async("cache.abandon", visit.lease)
            raise
        finally:
            visit.end()
        with visit:
            await ask_async(*visit.last_call(result))
        return result

    return compute


class _Cached:
    """A function and how its results are kept."""

    def __init__(self, function: Callable[..., Any], options: Options) -> None:
        self.function = function
        self.name: str = getattr(function, "__name__", type(function).__name__)
        plain = unwrap(function)
        code = plain and plain.__code__
        declared = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if code else ()
        self.controls = NAMES.difference(declared)
        self.options = options
        self.keys = KeyMaker(function, plain, self.name)


class _Visit:
    """One call of a cached function. As a context manager it takes in what the host failed at."""

    def __init__(self, cached: _Cached, args: tuple, kwargs: dict[str, Any], can_ask: bool) -> None:
        self._cached = cached
        self._options = cached.options
        if kwargs and not cached.controls.isdisjoint(kwargs):
            self._options = read_options({name: kwargs[name] for name in kwargs if name in cached.controls}, cached.options)
            kwargs = {name: value for name, value in kwargs.items() if name not in cached.controls}
        self.args = args
        self.kwargs = kwargs
        self.is_hit = False
        self.value: Any = None
        self.lease: int | None = None
        self.request: dict[str, Any] | None = None
        """What is still to be asked for, or None."""
        self.key = ""
        if self._options.max_age == 0 or "cache is off" in memory():
            return
        if can_ask:
            self._prepare()
        elif can_await():
            _say_once(f"The results of {cached.name} are not kept: this platform can wait for the host in async functions only")

    def _prepare(self) -> None:
        options = self._options
        self.key, self._references = self._cached.keys.key(self.args, self.kwargs, options.exclude)
        if self.key in _computing.get():
            return
        storage = defaults.cache_storage if options.storage == "auto" else options.storage
        age = _default_age() if options.max_age is None else options.max_age
        self.request = {"key": self.key, "name": self._cached.name[:100], "folder": options.folder, "storage": storage,
                        "maxAgeMs": None if age is None else age * 1000, "reset": options.reset,
                        "lockTimeoutMs": options.lock_timeout * 1000}  # fmt: skip

    def take(self, answer: dict[str, Any]) -> None:
        """Reads what the host answered. A result that cannot be read is asked for no more."""
        request, self.request = self.request, None
        if answer["state"] == "compute":
            self.lease = answer["lease"]
        elif answer["state"] == "off" and self._options.is_quiet:
            pass
        elif answer["state"] == "off":
            memory()["cache is off"] = True
            _say_once(f"Results of @fused.cache are not kept: {answer['reason']}")
        else:
            try:
                self.value = unpack(answer["format"], answer["body"])
            except Exception:
                # Of a class that has gone since, or written by another version of a package.
                self.request = {**request, "reset": True}
                return
            self.is_hit = True
            if self._options.verbose and defaults.verbose_cached_functions:
                print(f"'{self._cached.name}' returned cached result: {_age_text(time() - answer['createdAtMs'] / 1000)} old")

    def begin(self) -> None:
        """Before the function is called."""
        self._cached.keys.begin(self.lease, self._references)
        self._around = _computing.get()
        _computing.set(self._around | {self.key})

    def end(self) -> None:
        """When it has ended, however it has."""
        _computing.set(self._around)
        self._cached.keys.end(self.lease)

    def last_call(self, result: Any) -> tuple[Any, ...]:
        """What the host is told when the function has returned."""
        try:
            format_name, body = pack(result)
        except Exception as error:
            _warn_once(f"The result of {self._cached.name} is not kept: {type(error).__name__}: {error}")
            return "cache.abandon", self.lease
        return "cache.commit", self.lease, {"format": format_name, "body": body}

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type | None, error: BaseException | None, trace: Any) -> bool:
        if not isinstance(error, HostError):
            return False
        self.request = None
        if error.code == "timeout":
            raise TimeoutError(
                f"Cannot get the result of {self._cached.name}: another call has been computing it for {self._options.lock_timeout} s. "
                "Set concurrent_lock_timeout for a longer wait"
            ) from None
        if error.code == "request":
            raise ValueError(str(error)) from None
        if error.type_name != "CacheError":  # a host without this binding
            memory()["cache is off"] = True
        _say_once(f"The results of {self._cached.name} are not kept: {error}")
        return True


def _default_age() -> int | None:
    """In seconds. None leaves it to the host, which a request may tell."""
    age = defaults.cache_decorator_max_age
    return None if age == Defaults._options["cache_decorator_max_age"].default else age


def _age_text(seconds: float) -> str:
    """`2h 5m`: the largest unit and the one below it."""
    left = max(int(seconds), 0)
    parts = []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        parts.append(f"{count}{unit}" if count else "")
    first = next((index for index, part in enumerate(parts) if part), len(parts) - 1)
    return " ".join(part for part in parts[first : first + 2] if part) or "0s"


def _say_once(message: str) -> None:
    if _is_first(message):
        print(message, file=sys.stderr)


def _warn_once(message: str) -> None:
    if _is_first(message):
        warnings.warn(message, RuntimeWarning, stacklevel=4)


def _is_first(message: str) -> bool:
    said = memory().setdefault("said", set())
    return message not in said and not said.add(message)
