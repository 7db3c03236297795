"""A failure as data for the host, with a traceback that shows the user's frames only."""

import builtins
import sys
import traceback
from typing import Any

from ._plain import type_name
from ._exceptions import LoadProblem, ParameterProblem, PermissionDeniedError, Problem
from ._json import write_ascii_string
from ._source import Source, known

MAX_MESSAGE = 100_000
MAX_TRACEBACK = 200_000
MAX_CHAIN = 100

# What the code objects of this package are called: a prefix of all file names of ours.
_OURS = (lambda: None).__code__.co_filename.removesuffix("_failure.py")
_TracebackException = traceback.TracebackException
# Read with the built-in class's own descriptors: a subclass may answer anything.
_traceback_of = BaseException.__dict__["__traceback__"].__get__
_cause = BaseException.__dict__["__cause__"]
_context = BaseException.__dict__["__context__"]
_exceptions = BaseExceptionGroup.__dict__["exceptions"].__get__
_fields_of = BaseException.__dict__["__dict__"].__get__
_import_name_of = ImportError.__dict__["name"].__get__

_BUILTINS = dict(vars(builtins))
_update_builtins = vars(builtins).update


def failure_text(kind: str, type_: str, message: str, *, trace: str = "", file: str | None = None, line: int | None = None,
                 subject: str | None = None, value: str | None = None) -> str:  # fmt: skip
    """The reply that reports a failure."""
    texts = {"kind": kind, "type": type_, "message": _printable(message, MAX_MESSAGE), "traceback": _printable(trace, MAX_TRACEBACK),
             "file": file, "subject": None if subject is None else _printable(subject, 1000), "value": value}  # fmt: skip
    members = [f'"{name}":{"null" if text is None else write_ascii_string(text)}' for name, text in texts.items()]
    return f'{{"ok":false,"error":{{{",".join(members)},"line":{"null" if line is None else line}}}}}'


def problem_text(problem: Problem) -> str:
    """The reply for a mistake that we found ourselves."""
    file, line = (problem.file, problem.line) if isinstance(problem, LoadProblem) else (None, None)
    value = problem.raised if isinstance(problem, LoadProblem | ParameterProblem) else None
    return failure_text(problem.kind, problem.type_name, problem.message, file=file, line=line, subject=problem.subject,
                        value=None if value is None else _printable(value, MAX_MESSAGE))  # fmt: skip


def exception_text(error: BaseException, source: Source, kind: str = "udf", subject: str | None = None) -> str:
    """The reply for anything that the user's code raised. `kind` is what it counts as where its class does not say."""
    whole, error = error, _denial_in(error) or error
    kind_of = type(error)
    value = None
    if issubclass(kind_of, MemoryError):
        kind = "memory"
        _free_frames(error)
    elif issubclass(kind_of, SystemExit):
        kind = "exit"
    message = message_of(error)
    if kind == "exit":
        value = message
        message = f"The UDF called exit ({message})" if message not in ("", "None") else "The UDF called exit"
    elif issubclass(kind_of, ImportError):
        value = _text(_import_name_of(error))
    elif issubclass(kind_of, PermissionDeniedError):
        fields = _fields_of(error)
        subject, value = _text(fields.get("permission")), _text(fields.get("value"))
        kind = "permission" if subject else kind
    elif kind == "result":
        message = f"Cannot return {subject}: {type_name(kind_of)}: {message}"
    line = _line_of(error, source)
    return failure_text(kind, type_name(kind_of), message, trace=format_traceback(whole), file=source.file if line else None,
                        line=line, subject=subject, value=value)  # fmt: skip


def _denial_in(error: BaseException) -> BaseException | None:
    """The first denial among what a task group raised."""
    waiting = [error]
    seen = set()
    for item in waiting:  # grows while it is walked
        if issubclass(type(item), PermissionDeniedError):
            return item
        if issubclass(type(item), BaseExceptionGroup) and id(item) not in seen:
            seen.add(id(item))
            waiting += _exceptions(item)
    return None


def _text(value: Any) -> str | None:
    return str.__str__(value) if isinstance(value, str) else None


def message_of(error: BaseException) -> str:
    """`str(error)`, whatever its class makes of that."""
    try:
        return str.__str__(str(error))
    except KeyboardInterrupt:
        raise
    except BaseException:
        return f"<unprintable {type_name(type(error))} object>"


def format_traceback(error: BaseException) -> str:
    """The traceback as Python prints it, without our own frames, causes and groups included."""
    try:
        _cut_chain(error)
        for source in list(known.values()):
            source.show_lines()  # the user's code may have cleared linecache
        shown = _TracebackException(type(error), error, _traceback_of(error), compact=True)
        _strip_frames(shown)
        return "".join(shown.format())
    except KeyboardInterrupt:
        raise
    except BaseException as second:
        return f"{type_name(type(error))}: {message_of(error)}\n(no traceback: {type_name(type(second))})\n"


def _cut_chain(error: BaseException) -> None:
    """Unlinks what follows after the first causes and contexts.

    Python lets go of a chain recursively in C: in WebAssembly some thousands of links are fatal (measured: 20,000).
    """
    chain = [error]
    seen = {id(error)}
    for item in chain:  # grows while it is walked
        for link in (_cause, _context):
            following = link.__get__(item)
            if following is not None and id(following) not in seen:
                seen.add(id(following))
                chain.append(following)
    for item in chain[MAX_CHAIN:]:
        _cause.__set__(item, None)
        _context.__set__(item, None)


def _strip_frames(shown: traceback.TracebackException) -> None:
    """Takes our frames and those of the import machinery out of a traceback and all that belong to it."""
    waiting = [shown]
    seen = set()
    while waiting:
        item = waiting.pop()
        if item is None or id(item) in seen:
            continue
        seen.add(id(item))
        item.stack[:] = [frame for frame in item.stack if not _is_ours(frame.filename)]
        waiting += [item.__cause__, item.__context__, *(item.exceptions or ())]


def _is_ours(filename: str) -> bool:
    return filename.startswith((_OURS, "<frozen importlib."))


def _line_of(error: BaseException, source: Source) -> int | None:
    """The innermost line in the user's own file."""
    line = None
    step = _traceback_of(error)
    while step is not None:
        if step.tb_frame.f_code.co_filename == source.filename:
            line = step.tb_lineno
        step = step.tb_next
    return line


def _free_frames(error: BaseException) -> None:
    """Lets go of what the failed frames hold, so that there is memory for the report."""
    step = _traceback_of(error)
    while step is not None:
        try:
            step.tb_frame.clear()
        except RuntimeError:  # still running: our own
            pass
        step = step.tb_next


def _printable(text: Any, limit: int) -> str:
    """Text that UTF-8 can hold, cut in the middle where it is too long."""
    if len(text) > limit:
        half = limit // 2
        text = f"{text[:half]}\n… {len(text) - limit} characters left out …\n{text[-half:]}"
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def restore_builtins() -> None:
    """Puts the built-in functions back: after the user's code has run, ours needs them, and the libraries that it calls."""
    _update_builtins(_BUILTINS)


def flush_output() -> None:
    """Writes out what the UDF printed. A stream that the UDF broke is its own loss."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        try:
            stream.flush()
        except BaseException:
            pass
