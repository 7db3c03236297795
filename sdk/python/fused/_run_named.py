"""`fused.run` of a name: the host runs that UDF in an isolate of its own."""

import sys
from typing import Any

from ._exceptions import UdfRuntimeError, UdfTimeoutError
from ._host import HostError, call, call_async


def run_named(name: str, parameters: dict[str, Any], tile: dict[str, int] | None) -> Any:
    """The result of a run of the UDF that the host knows by this name. Raises what `fused.run` says."""
    try:
        return _result(call("udfs.run", name, parameters, tile))
    except HostError as error:
        raise _spoken(error) from None


async def run_named_async(name: str, parameters: dict[str, Any], tile: dict[str, int] | None) -> Any:
    """The same, while other things go on."""
    try:
        return _result(await call_async("udfs.run", name, parameters, tile))
    except HostError as error:
        raise _spoken(error) from None


def _result(answer: dict[str, Any]) -> Any:
    failure = answer["failure"]
    if failure is None:
        return answer["value"]
    # What it printed says why; after a success nobody asked for it.
    sys.stdout.write(answer["stdout"])
    sys.stderr.write(answer["stderr"])
    sys.stderr.write(failure["traceback"])
    raise UdfRuntimeError(failure["message"], child_exception_class=failure["type"])


def _spoken(error: HostError) -> Exception:
    """The host's error as the one that callers of `fused.run` expect."""
    text = str(error)
    if error.type_name == "ParameterError":
        return TypeError(text)
    if error.type_name in ("UsageError", "UdfLoadError"):
        return ValueError(text)
    if error.type_name == "LimitExceededError" and error.code == "timeMs":
        return UdfTimeoutError(text)
    return error
