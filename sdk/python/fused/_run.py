"""`fused.run`: a UDF object in this interpreter, in a namespace of its own; a name through the host, in an isolate of its own."""

import ast
import linecache
import sys
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

from ._age import parse_age
from ._bind import bind, unknown_parameter
from ._exceptions import LoadProblem, ParameterProblem, UdfRuntimeError
from ._failure import format_traceback, message_of
from ._source import MODULE_NAME, Source, Spelling, known
from ._run_named import run_named, run_named_async
from ._udf import Udf, is_whole_module, unwrap

# Annotations are evaluated when the function is made; these libraries' names are carried over for them.
_ANNOTATION_MODULES = ("pandas", "geopandas", "shapely", "datetime", "uuid", "fused", "typing")


def open_call(source: Source, given: dict[str, Any], tile: dict | None) -> tuple[Callable[..., Any], list, dict]:
    """Executes a source in a fresh module and binds its entrypoint: function, positional and keyword arguments.

    Raises LoadProblem or ParameterProblem for our own findings, and whatever the source raises.
    """
    if source.declared is not None and not given.keys() <= set(source.declared):
        # Before anything runs: binding would find it only after the module's own code.
        raise unknown_parameter(source.name, next(key for key in given if key not in source.declared), source.declared)
    module = ModuleType(MODULE_NAME)
    namespace = module.__dict__
    namespace["fused"] = sys.modules[__package__]
    namespace["__file__"] = source.file
    namespace.update(source.names)
    # Registered, because pickle and dataclasses look a class's module up by name.
    sys.modules[MODULE_NAME] = module
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


def run(
    udf: Udf | str | None = None,
    *,
    x: int | None = None,
    y: int | None = None,
    z: int | None = None,
    sync: bool = True,
    engine: str | None = None,
    type: str | None = None,
    max_retry: int = 0,
    cache_max_age: str | int | None = None,
    cache: bool = True,
    parameters: dict[str, Any] | None = None,
    **kw_parameters: Any,
) -> Any:
    """Runs a UDF object, or the UDF of a name, and gives its result; with `sync=False`, a coroutine of it.

    A name is one that the host knows; it needs the permission `run`, and its run has no more permissions than this one. x, y and z together make it a run of that tile; `type="file"` passes them as ordinary parameters. `parameters` wins
    over a keyword of the same name. A failure inside is a UdfRuntimeError and is never tried again, whatever `max_retry` says.

    Raises ValueError for no UDF, a name that the host does not know or a bad combination of options, TypeError for anything that is
    no UDF object and no name, for an unknown parameter and for a missing one; PermissionDeniedError, UdfTimeoutError.
    """
    if udf is None:
        raise ValueError("No UDF specified")
    if not isinstance(udf, (Udf, str)):
        raise TypeError(f"Cannot run a UDF: it must be a Udf object or a name: received {udf.__class__.__name__}")
    if engine not in (None, "local"):
        raise ValueError(f"Cannot use engine: this host runs UDFs with engine 'local': received {engine!r}")
    if not cache and cache_max_age is not None:
        raise ValueError("Cannot use cache_max_age together with cache=False")
    parse_age(cache_max_age)
    if type not in (None, "tile", "file"):
        raise ValueError(f"Cannot use type: it must be 'tile' or 'file': received {type!r}")
    place = {name: value for name, value in (("x", x), ("y", y), ("z", z)) if value is not None}
    if type == "tile" and len(place) < 3:
        raise ValueError("Cannot run a tile: x, y and z must all be given")
    tile = place if len(place) == 3 and type != "file" else None
    given = {**({} if tile else place), **kw_parameters, **(parameters or {})}
    if isinstance(udf, str):
        return run_named(udf, given, tile) if sync else run_named_async(udf, given, tile)
    return _evaluate(udf, given, tile) if sync else _evaluate_async(udf, given, tile)


def run_with_positional(udf: Udf, args: tuple, kwargs: dict[str, Any]) -> Any:
    """`udf(…)`: positional arguments go to the declared parameters in their order."""
    function = unwrap(udf._function)
    names = function.__code__.co_varnames[: function.__code__.co_argcount] if function else ()
    if len(args) > len(names):
        raise TypeError(f"{udf.name}() takes {len(names)} positional arguments but {len(args)} were given")
    positional = dict(zip(names, args, strict=False))
    if twice := positional.keys() & kwargs.keys():
        raise TypeError(f"{udf.name}() got multiple values for argument {min(twice)!r}")
    options = {name: kwargs.pop(name) for name in ("engine", "cache_max_age", "cache") if name in kwargs}
    return run(udf, parameters={**positional, **kwargs}, **options)


def _evaluate(udf: Udf, given: dict[str, Any], tile: dict | None) -> Any:
    source = source_of(udf)
    before = sys.modules.get(MODULE_NAME)
    try:
        function, args, kwargs = open_call(source, {**udf.parameters, **given}, tile)
        return function(*args, **kwargs)
    except LoadProblem as problem:
        raise ValueError(problem.message) from None
    except ParameterProblem as problem:
        raise (ValueError if problem.is_value_error else TypeError)(problem.message) from None
    except Exception as error:
        raise _child_error(error) from None
    finally:
        _put_back(before)


async def _evaluate_async(udf: Udf, given: dict[str, Any], tile: dict | None) -> Any:
    result = _evaluate(udf, given, tile)
    if not hasattr(result, "__await__"):
        return result
    try:
        return await result
    except Exception as error:
        raise _child_error(error) from None


def _child_error(error: Exception) -> UdfRuntimeError:
    sys.stderr.write(format_traceback(error))
    name = type(error).__name__
    return UdfRuntimeError(f"{name}: {message_of(error)}", child_exception_class=name)


def _put_back(module: ModuleType | None) -> None:
    if module is None:
        sys.modules.pop(MODULE_NAME, None)
    else:
        sys.modules[MODULE_NAME] = module


def source_of(udf: Udf) -> Source:
    """The source that a run of the UDF executes: the whole file for a UDF at the top of a loaded one, else its own text."""
    function = unwrap(udf._function)
    if function is None:
        raise TypeError(f"Cannot run {udf.name}: it must be a plain function or one wrapped by functools.wraps")
    filename = function.__code__.co_filename
    if is_whole_module(function):
        whole = known[filename]
        source = Source(name=udf.name, file=whole.file, filename=filename, text=whole.text)
        source.entrypoint = function.__name__
        source.code = whole.code
        return source
    text = known[filename].text if filename in known else "".join(linecache.getlines(filename, function.__globals__))
    return _own_source(udf.name, function, text)


def _own_source(name: str, function: FunctionType, text: str) -> Source:
    filename = function.__code__.co_filename
    whole = Source(name=name, file=filename, filename=filename, text=text) if text else None
    tree = whole.parse() if whole else ast.Module([], [])
    # A code object's first line is that of the first decorator.
    node = next((item for item in ast.walk(tree) if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef))
                 and item.name == function.__name__
                 and min(part.lineno for part in (item, *item.decorator_list)) == function.__code__.co_firstlineno), None)  # fmt: skip
    if whole is None or node is None:
        raise OSError(f"Cannot run {name}: its source text is not there any more")
    # The whole file's name, lines and line numbers, for tracebacks; but only the function's own code.
    source = Source(name=name, file=whole.file, filename=filename, text=text)
    source.entrypoint = node.name
    spelling = Spelling(tree)
    own_text = ast.unparse(node)
    node.decorator_list = [item for item in node.decorator_list if not spelling.is_udf(item)]
    source.compile(ast.Module([node], []))
    source.names = _annotation_names(node, function)
    source.text = own_text
    return source


def _annotation_names(node: ast.FunctionDef | ast.AsyncFunctionDef, function: FunctionType) -> dict[str, Any]:
    arguments = node.args
    declared = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
    annotations = [item.annotation for item in declared if item is not None and item.annotation is not None]
    names = {item.id for annotation in (*annotations, *([node.returns] if node.returns else []))
             for item in ast.walk(annotation) if isinstance(item, ast.Name)}  # fmt: skip
    found = {}
    for name in names & function.__globals__.keys():
        value = function.__globals__[name]
        home = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        if str(home).partition(".")[0] in _ANNOTATION_MODULES:
            found[name] = value
    return found
