"""`@fused.udf`: makes a UDF of a function."""

from collections.abc import Callable, Sequence
from typing import Any, overload

from ._age import parse_age
from ._header import Header, read_headers
from ._udf_object import Udf
from ._udf_source import is_whole_module, unwrap

__all__ = ["Udf", "is_whole_module", "udf", "unwrap"]

# Engines on which a disk cannot be asked for.
_WITHOUT_DISK = (None, "local", "remote", "realtime")


@overload
def udf(fn: Callable[..., Any], /) -> Udf: ...
@overload
def udf(
    fn: None = None,
    *,
    name: str | None = None,
    cache_max_age: str | int | None = None,
    engine: str | None = None,
    instance_type: str | None = None,
    disk_size_gb: int | None = None,
    region: str | None = None,
    default_parameters: dict[str, Any] | None = None,
    headers: Sequence[str | Header] | None = None,
) -> Callable[[Callable[..., Any]], Udf]: ...
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
    headers: Sequence[str | Header] | None = None,
) -> Any:
    """Makes a UDF of a function; with or without arguments.

    Args:
        name: its name; default: the function's.
        cache_max_age: how old a cached result may be: seconds, or a number with s, m, h or d ("12h"); 0 is off.
        engine: where it runs where a run does not say: "local", "remote" ("realtime" is the same) or an instance type.
        instance_type: the old name of `engine`.
        disk_size_gb: the size of the disk of a batch instance, in GB.
        region: the region of batch runs.
        default_parameters: values of its parameters for runs that give none.
        headers: modules that it may import while it runs: paths, which are read now, and Header objects.

    Raises ValueError for a bad `cache_max_age`, an unknown engine, `engine` together with `instance_type`, and `disk_size_gb` on
    an engine that has no disk of its own; FileNotFoundError for a header that is not there.
    """
    if engine is not None and instance_type is not None:
        raise ValueError("Cannot use engine together with instance_type: they mean the same")
    if instance_type is not None:
        import warnings

        warnings.warn("instance_type is the old name of engine: write @fused.udf(engine=…)", DeprecationWarning, stacklevel=2)
        engine = instance_type
    if engine not in _WITHOUT_DISK:
        from .models._instance_types import BATCH_INSTANCE_TYPES

        if engine not in BATCH_INSTANCE_TYPES:
            raise ValueError(
                "Invalid engine specified. Must be 'local', 'remote', 'realtime', or one of the whitelisted instance types "
                f"({list(BATCH_INSTANCE_TYPES)})."
            )
    if disk_size_gb is not None and engine in _WITHOUT_DISK:
        raise ValueError(f"Cannot use disk_size_gb: the engine must be a batch instance type: received {engine!r}")
    age = parse_age(cache_max_age)

    def decorate(function: Callable[..., Any]) -> Udf:
        if not callable(function):
            raise TypeError(f"Cannot make a UDF: it must be a function: received {type(function).__name__}")
        found = read_headers(headers)
        return Udf._of_function(
            function,
            name=name or getattr(function, "__name__", "udf"),
            cache_max_age=age,
            engine=engine,
            disk_size_gb=disk_size_gb,
            region=region,
            parameters=default_parameters or {},
            headers=found,
            original_headers=repr([header if isinstance(header, str) else header.module_name for header in headers or ()])
            if found
            else "",
        )

    return decorate if fn is None else decorate(fn)
