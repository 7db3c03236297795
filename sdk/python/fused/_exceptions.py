"""The exceptions that a UDF can meet.

    Exception
    ├─ PermissionDeniedError     the host was asked for what was not granted; ends the run as a denial where nobody catches it
    ├─ RuntimeError
    │  ├─ UdfRuntimeError        a nested UDF raised; `child_exception_class` names what
    │  └─ UdfTimeoutError        a nested UDF took longer than its limit
    ├─ UdfSerializationError     a nested UDF's result cannot be handed back
    ├─ UdfSelfRecursionError     a UDF submits itself
    └─ TimeoutError
       └─ JobPoolTailTimeoutError  somebody has waited for a pool of runs for as long as he may

Beside them the ones that never leave this package, because the driver turns them into data for the host:

    Problem
    ├─ LoadProblem               the source is no usable UDF
    ├─ ParameterProblem          a parameter is unknown, missing or of the wrong type
    └─ ResultProblem             the result cannot be written down
"""

import sys
from typing import Any


class PermissionDeniedError(Exception):
    """The host was asked for what was not granted: `permission` is its name, `value` what was asked for.

    It is no OSError: HTTP libraries take those for failures of the network, wrap them and try again.
    """

    def __init__(self, message: str, permission: str | None = None, value: str | None = None) -> None:
        super().__init__(message)
        self.permission = permission
        self.value = value


class UdfRuntimeError(RuntimeError):
    """A UDF that was run by another one raised. The text is `ValueError: boom`."""

    def __init__(self, message: str, child_exception_class: str | None = None) -> None:
        super().__init__(message)
        self.child_exception_class = child_exception_class
        # Where in the UDF's source, for the outcome of a run.
        self._line: int | None = None


class UdfTimeoutError(RuntimeError):
    """A UDF that was run by another one took longer than its limit."""


class UdfSelfRecursionError(Exception):
    """A UDF submits itself."""


class JobPoolTailTimeoutError(TimeoutError):
    """`JobPool.tail` has waited as long as it may; `not_succeeded_args` are the arguments of the runs that have no result by then."""

    def __init__(self, message: str, *, timeout: float | None, not_succeeded_args: list[Any]) -> None:
        super().__init__(message)
        self.timeout = timeout
        self.not_succeeded_args = not_succeeded_args


class UdfSerializationError(Exception):
    """A UDF's result cannot be handed back to its caller."""


class Problem(Exception):
    """A mistake that we found ourselves, with the name of what it is about."""

    kind = "internal"
    type_name = "IsolateError"

    def __init__(self, message: str, *, subject: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.subject = subject


class LoadProblem(Problem):
    """The source is no usable UDF; `line` is where, counted from 1."""

    kind = "load"
    type_name = "UdfLoadError"
    raised: str | None = None
    """Class and text of what Python raises for it, where that is a SyntaxError."""

    def __init__(self, message: str, *, file: str | None = None, line: int | None = None) -> None:
        super().__init__(message)
        self.file = file
        self.line = line


class ParameterProblem(Problem):
    """A parameter is unknown, missing or of the wrong type; the subject is its name."""

    kind = "input"
    type_name = "ParameterError"
    raised: str | None = None
    """Class and text of what a caller of `fused.run` expects in its place: `ValueError: …`."""


class ResultProblem(Problem):
    """The result cannot be written down; the subject is the path of the value in it."""

    kind = "result"
    type_name = "ResultError"


def parameter_error(message: str, raised: str | None) -> Exception:
    """What a nested run raises for a ParameterProblem: an unknown name is the caller's TypeError; else it is as if the UDF had raised it,
    what a traceback ends with on stderr included."""
    if raised is None:
        return TypeError(message)
    name, _, text = raised.partition(": ")
    if name == "TypeError" and "got unexpected keyword argument" in text:
        error: Exception = TypeError(text)
    else:
        sys.stderr.write(f"{raised}\n")
        error = UdfRuntimeError(raised, child_exception_class=name)
    error.add_note(message)
    return error
