"""The driver inside the isolate. The engine's guest calls `prepare` once, then `run` for each run; `inspect` only reads.

All three take and give JSON text. The replies are `{"ok": true, "value": …}` or `{"ok": false, "error": …}` with the
fields that `failure_text` writes. The buffers of a result lie in `result_buffers` until the next run.
"""

import sys
from builtins import BaseException  # held: the user's code may delete it
from collections.abc import Coroutine
from types import CoroutineType
from typing import Any

# Imported here and not when first needed: what is loaded now is in the memory snapshot.
from ._decode import decode
from ._encode import encode
from ._exceptions import LoadProblem, ParameterProblem, ResultProblem
from ._failure import exception_text, failure_text, flush_output, message_of, problem_text, restore_builtins
from ._headers import install_headers, shorten_names
from ._inspect import inspect_source
from ._json import dumps_ascii, loads
from ._run_local import open_call
from ._source import Source, forget_sources, load_source

# So are the names of the package that most UDFs use.
for _name in ("cache", "context", "download", "file_path", "load", "run", "secrets", "submit", "types", "udf"):
    getattr(sys.modules[__package__], _name)

if sys.platform == "emscripten":
    from ._late_imports import LateFinder
    from ._net_imports import install as install_network

    install_network()
    # The last to be asked.
    sys.meta_path.append(LateFinder())

result_buffers: list[Any] = []
"""The buffers of the last result: C-contiguous objects with the buffer protocol."""

_prepared: Source | None = None
_kept: Any = None
_PLAIN = frozenset((str, int, float, bool, list, dict, type(None)))


def prepare(text: str) -> str:
    """Reads and compiles a UDF and makes its headers importable; runs none of it.

    The text is `{"udf": {"name", "code", "file", "headers": [{"moduleName", "code", "file"}], "entrypoint"}}`.
    """
    global _prepared
    _prepared = None
    try:
        udf = loads(text)["udf"]
        forget_sources()
        install_headers(udf["name"], udf["headers"])
        _prepared = load_source(udf["name"], udf["file"], udf["code"], udf.get("entrypoint"))
        shorten_names(_prepared.headers)
        return '{"ok":true}'
    except LoadProblem as problem:
        return problem_text(problem)
    except BaseException as error:
        return _internal_text(error)


def inspect(text: str) -> str:
    """Reads what a UDF declares: parameters, permissions, packages, headers, imports. Takes what `prepare` takes."""
    try:
        udf = loads(text)["udf"]
        return f'{{"ok":true,"value":{dumps_ascii(inspect_source(udf))}}}'
    except LoadProblem as problem:
        return problem_text(problem)
    except BaseException as error:
        return _internal_text(error)


def run(text: str, buffers: Any) -> str | Coroutine[Any, Any, str]:
    """Runs the prepared UDF. The reply comes at once, or as a coroutine where the UDF is asynchronous.

    The text is `{"parameters": <text of an encoded dict>, "tile": {"x", "y", "z"} or null}`; the buffers are the
    parameters'. Never raises.
    """
    global result_buffers
    result_buffers = []
    source = _prepared
    try:
        if source is None:
            return failure_text("internal", "IsolateError", "No UDF is prepared")
        request = loads(text)
        function, args, kwargs = open_call(source, _read_parameters(request["parameters"], buffers), request.get("tile"))
        result = function(*args, **kwargs)
        restore_builtins()
        if type(result) not in _PLAIN and _is_awaitable(result):
            return _finish(source, result)
        reply = _reply(source, result)
    except BaseException as error:
        restore_builtins()
        reply = _failed(source, error)
    flush_output()
    return reply


async def _finish(source: Source, awaitable: Any) -> str:
    try:
        result = await awaitable
        restore_builtins()
        reply = _reply(source, result)
    except BaseException as error:
        restore_builtins()
        reply = _failed(source, error)
    flush_output()
    return reply


def _reply(source: Source, result: Any) -> str:
    """The reply for a result. What its own classes raise while it is written down is a failure of the result."""
    global result_buffers, _kept
    # Held until memory is put back: freeing a very deep value takes more stack than Pyodide has.
    _kept = result
    try:
        text, result_buffers = encode(result)
        return f'{{"ok":true,"value":{text}}}'
    except ResultProblem as problem:
        return problem_text(problem)
    except BaseException as error:
        restore_builtins()
        return exception_text(error, source, "result", "result")


def _failed(source: Source, error: BaseException) -> str:
    try:
        return problem_text(error) if issubclass(type(error), (LoadProblem, ParameterProblem)) else exception_text(error, source)
    except BaseException as second:
        return _internal_text(second)


def _internal_text(error: BaseException) -> str:
    return failure_text("internal", "IsolateError", f"{type(error).__name__}: {message_of(error)}")


def _read_parameters(text: str, buffers: Any) -> dict[str, Any]:
    if text == "{}":
        return {}
    try:
        parameters = decode(text, buffers)
    except ImportError as error:
        raise ParameterProblem(f"Cannot read the parameters: one of them needs the package {error.name}",
                               subject="parameters") from None  # fmt: skip
    except Exception as error:
        raise ParameterProblem(f"Cannot read the parameters: {message_of(error)}", subject="parameters") from None
    if type(parameters) is not dict:
        raise ParameterProblem("Cannot read the parameters: they must be an object of names and values", subject="parameters")
    return parameters


def _is_awaitable(value: Any) -> bool:
    return type(value) is CoroutineType or hasattr(type(value), "__await__")
