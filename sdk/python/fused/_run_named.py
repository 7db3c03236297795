"""`fused.run` of a name: the host runs that UDF in an isolate of its own."""

from typing import Any

from ._exceptions import UdfTimeoutError, parameter_error
from ._host import HostError, call, call_async


def run_named(name: str, parameters: dict[str, Any], tile: dict[str, int] | None, max_age: int | None) -> dict[str, Any]:
    """How a run of the UDF that the host knows by this name ended: `value`, `failure`, `stdout` and `stderr`. A result that is not older
    than `max_age` (seconds) counts as well, where the host keeps any.

    Raises what `fused.run` says for what is no failure of the UDF.
    """
    return ask("udfs.run", name, parameters, tile, *_age(max_age))


async def run_named_async(name: str, parameters: dict[str, Any], tile: dict[str, int] | None, max_age: int | None) -> dict[str, Any]:
    """The same, while other things go on."""
    return await ask_async("udfs.run", name, parameters, tile, *_age(max_age))


def _age(seconds: int | None) -> tuple[int, ...]:
    return (seconds * 1000,) if seconds else ()


def ask(name: str, *args: Any) -> Any:
    """Calls the host. Raises what `spoken` makes of its error, and PermissionDeniedError."""
    try:
        return call(name, *args)
    except HostError as error:
        raise spoken(error) from None


async def ask_async(name: str, *args: Any) -> Any:
    """The same, while other things go on."""
    try:
        return await call_async(name, *args)
    except HostError as error:
        raise spoken(error) from None


def spoken(error: HostError) -> Exception:
    """The host's error as the one that callers of `fused.run` expect."""
    text = str(error)
    if error.type_name == "ParameterError":
        return parameter_error(text, error.raised)
    if error.type_name in ("UsageError", "UdfLoadError"):
        return ValueError(text)
    if error.type_name == "LimitExceededError" and error.code == "timeMs":
        return UdfTimeoutError(text)
    return error
