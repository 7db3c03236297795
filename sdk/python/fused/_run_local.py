"""Runs of UDFs in this interpreter, each in a namespace of its own."""

import sys
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from ._bind import OPTION, bind, unknown_parameter
from ._exceptions import LoadProblem, ParameterProblem, UdfRuntimeError, parameter_error
from ._failure import format_traceback, message_of
from ._source import MODULE_NAME, Source
from ._udf_object import Udf
from ._udf_source import source_of, unwrap

# Of the modules that run, for as long as they are there.
_entrypoints: WeakKeyDictionary[ModuleType, str] = WeakKeyDictionary()


def running() -> tuple[ModuleType | None, str | None]:
    """The module of the UDF that runs, and its entrypoint; None where none does."""
    module = sys.modules.get(MODULE_NAME)
    return module, _entrypoints.get(module) if module is not None else None


def open_call(source: Source, given: dict[str, Any], tile: dict | None) -> tuple[Callable[..., Any], list, dict]:
    """Executes a source in a fresh module and binds its entrypoint: function, positional and keyword arguments.

    Raises LoadProblem or ParameterProblem for our own findings, and whatever the source raises.
    """
    if source.declared is not None and not given.keys() <= {*source.declared, OPTION}:
        # Before anything runs: binding would find it only after the module's own code.
        unknown = next(key for key in given if key not in source.declared and key != OPTION)
        raise unknown_parameter(source.name, source.entrypoint, unknown, source.declared)
    module = ModuleType(MODULE_NAME)
    namespace = module.__dict__
    namespace["fused"] = sys.modules[__package__]
    namespace["__file__"] = source.file
    namespace.update(source.names)
    # Registered, because pickle and dataclasses look a class's module up by name.
    sys.modules[MODULE_NAME] = module
    _entrypoints[module] = source.entrypoint
    exec(source.code, namespace)
    entry = namespace.get(source.entrypoint)
    if type(entry) is Udf:
        if entry.parameters:
            given = {**entry.parameters, **given}
        entry = entry._function
    if not callable(entry):
        raise source.problem(f"{source.entrypoint} is no function any more once the module has run")
    function = entry if type(entry) is FunctionType else unwrap(entry)
    if function is None:
        return entry, [], given
    if hasattr(function, "__wrapped__"):
        function = unwrap(function) or function
    args, kwargs = bind(source.name, function, given, tile)
    return entry, args, kwargs


def run_source(source: Source, given: dict[str, Any], tile: dict | None = None) -> Any:
    """The result of a loaded source; of an asynchronous one, its coroutine.

    Raises UdfRuntimeError for what it raises, and for values that its parameters do not take; TypeError for a parameter that it has not.
    """
    before = sys.modules.get(MODULE_NAME)
    try:
        function, args, kwargs = open_call(source, {name: _own(value) for name, value in given.items()}, tile)
        return function(*args, **kwargs)
    except LoadProblem as problem:
        raise ValueError(problem.message) from None
    except ParameterProblem as problem:
        raise parameter_error(problem.message, problem.raised) from None
    except Exception as error:
        raise _child_error(error, source) from None
    finally:
        _put_back(before)


def _own(value: Any) -> Any:
    """The value as a run gets it that shares nothing with its caller, as far as people change such values."""
    kind = type(value)
    if kind in (list, tuple, set):
        return kind(map(_own, value))
    if kind is dict:
        return {key: _own(item) for key, item in value.items()}
    return value.copy() if kind.__module__.partition(".")[0] in _COPIED and hasattr(value, "copy") else value


_COPIED = ("pandas", "geopandas", "numpy", "xarray")


def evaluate(udf: Udf, given: dict[str, Any], tile: dict | None) -> Any:
    """The same for a UDF object, whose own default parameters count and whose headers are importable meanwhile."""
    source = source_of(udf)
    with udf._importable():
        return run_source(source, {**udf.parameters, **given}, tile)


async def evaluate_async(udf: Udf, given: dict[str, Any], tile: dict | None) -> Any:
    """The same; what an asynchronous UDF gives is awaited."""
    source = source_of(udf)
    with udf._importable():
        result = run_source(source, {**udf.parameters, **given}, tile)
        if not hasattr(result, "__await__"):
            return result
        try:
            return await result
        except Exception as error:
            raise _child_error(error, source) from None


def declared_parameters(udf: Udf) -> tuple[str, ...] | None:
    """The names of the parameters that a UDF takes; None where it takes any. Raises ValueError for code that is no usable UDF."""
    function = unwrap(vars(udf).get("_function"))
    if function is None:
        declared = source_of(udf).declared
        return None if declared is None else tuple(declared)
    code = function.__code__
    takes_any = bool(code.co_flags & 0x08)
    return None if takes_any else code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _child_error(error: Exception, source: Source) -> UdfRuntimeError:
    sys.stderr.write(format_traceback(error))
    name = type(error).__name__
    failure = UdfRuntimeError(f"{name}: {message_of(error)}", child_exception_class=name)
    failure._line = _line_of(error, source)
    return failure


def _line_of(error: Exception, source: Source) -> int | None:
    """The line of the source that the innermost of its frames was at."""
    line, place = None, error.__traceback__
    while place is not None:
        if place.tb_frame.f_code.co_filename == source.filename:
            line = place.tb_lineno
        place = place.tb_next
    return line


def _put_back(module: ModuleType | None) -> None:
    if module is None:
        sys.modules.pop(MODULE_NAME, None)
    else:
        sys.modules[MODULE_NAME] = module
