"""The UDF as an object: what `@fused.udf` makes of a function."""

from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

from ._age import parse_age
from ._source import known

# Engines on which a disk cannot be asked for.
_WITHOUT_DISK = (None, "local", "remote", "realtime")


class Udf:
    """A user-defined function. Calling it runs it: alone, without the module around it."""

    def __init__(self, function: Callable[..., Any], *, name: str | None = None, cache_max_age: str | int | None = None,
                 engine: str | None = None, disk_size_gb: int | None = None, region: str | None = None,
                 default_parameters: dict[str, Any] | None = None, headers: Sequence[Any] | None = None) -> None:  # fmt: skip
        self._function = function
        self.entrypoint: str = getattr(function, "__name__", "udf")
        self.name = name or self.entrypoint
        self.cache_max_age = parse_age(cache_max_age)
        self.engine = engine
        self.disk_size_gb = disk_size_gb
        self.region = region
        self.parameters: dict[str, Any] = dict(default_parameters or {})
        self.headers = tuple(headers or ())
        self.metadata: dict[str, Any] = {}
        self.__doc__ = getattr(function, "__doc__", None)

    @property
    def code(self) -> str:
        """The source text that a run of this UDF executes."""
        from ._run import source_of

        return source_of(self).text

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the UDF in a namespace of its own and gives its result."""
        from ._run import run_with_positional

        return run_with_positional(self, args, kwargs)

    def __repr__(self) -> str:
        lines = (f"    {field}={getattr(self, field)!r}," for field in ("name", "entrypoint", "parameters"))
        return "\n".join(("Udf(", *lines, ")"))


def udf(
    fn: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    cache_max_age: str | int | None = None,
    engine: str | None = None,
    instance_type: str | None = None,
    disk_size_gb: int | None = None,
    region: str | None = None,
    default_parameters: dict[str, Any] | None = None,
    headers: Sequence[Any] | None = None,
) -> Any:
    """Makes a UDF of a function; with or without arguments.

    Raises ValueError for a bad `cache_max_age`, for `engine` together with `instance_type`, and for `disk_size_gb` on
    an engine that has no disk of its own.
    """
    if engine is not None and instance_type is not None:
        raise ValueError("Cannot use engine together with instance_type: they mean the same")
    engine = engine if instance_type is None else instance_type
    if disk_size_gb is not None and engine in _WITHOUT_DISK:
        raise ValueError(f"Cannot use disk_size_gb: the engine must be a batch instance type: received {engine!r}")

    def decorate(function: Callable[..., Any]) -> Udf:
        if not callable(function):
            raise TypeError(f"Cannot make a UDF: it must be a function: received {type(function).__name__}")
        return Udf(function, name=name, cache_max_age=cache_max_age, engine=engine, disk_size_gb=disk_size_gb,
                   region=region, default_parameters=default_parameters, headers=headers)  # fmt: skip

    return decorate if fn is None else decorate(fn)


def unwrap(function: Any) -> FunctionType | None:
    """The plain function under decorators that keep to `functools.wraps`, or None."""
    for _ in range(100):
        if type(function) is FunctionType and not hasattr(function, "__wrapped__"):
            return function
        if not hasattr(function, "__wrapped__"):
            return None
        function = function.__wrapped__
    return None


def is_whole_module(function: FunctionType) -> bool:
    """Whether the function stands at the top of a source that was loaded here, so that its run executes all of it."""
    return function.__code__.co_filename in known and "<locals>" not in function.__qualname__
