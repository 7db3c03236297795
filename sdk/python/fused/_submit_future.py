"""One run of a pool."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import CancelledError
from datetime import timedelta
from typing import Any, Literal

from ._exceptions import UdfRuntimeError, UdfTimeoutError

Status = Literal["pending", "running", "success", "error", "cancelled", "timeout"]

# In the order in which a pool counts them.
STATUSES: tuple[Status, ...] = ("running", "error", "timeout", "success", "cancelled", "pending")

_ENDED = frozenset(("success", "error", "cancelled", "timeout"))


class Future:
    """One run of a `JobPool`: its status, and what came of it once it has ended."""

    def __init__(self, position: int, arguments: dict[str, Any], wait: Callable[[Future], None]) -> None:
        self._position = position
        self._arguments = arguments
        self._wait = wait
        self._status: Status = "pending"
        self._value: Any = None
        self._error: BaseException | None = None
        self._logs: str | None = None
        self._seconds: float | None = None
        self._ended_at: float | None = None

    def status(self) -> Status:
        """`pending`, `running`, `success`, `error`, `cancelled` or `timeout`, as last seen."""
        return self._status

    def done(self) -> bool:
        """Whether it has ended, however it has."""
        return self._status in _ENDED

    def result(self) -> Any:
        """Its result; waits for it. Raises what the run raised, or CancelledError."""
        self._wait(self)
        if self._error is not None:
            raise self._error
        return self._value

    def exception(self) -> BaseException | None:
        """What it raised, or None; waits for its end."""
        self._wait(self)
        return self._error

    def logs(self) -> str:
        """What it printed, stdout before stderr under a line each; waits for its end."""
        self._wait(self)
        return self._logs or ""

    def time(self) -> timedelta | None:
        """How long it took; None where it has not ended, or never began."""
        return None if self._seconds is None else timedelta(seconds=self._seconds)

    def __repr__(self) -> str:
        return f"<fused.Future [status: {'done - ' if self.done() else ''}{self._status}]>"

    def _begin(self) -> None:
        self._status = "running"

    def _reset(self) -> None:
        self._status = "pending"
        self._value = self._error = self._logs = self._seconds = self._ended_at = None

    def _cancel(self) -> None:
        self._status = "cancelled"
        self._error = CancelledError(f"Run #{self._position} was cancelled before it began")

    def _end(self, outcome: Outcome, now: float) -> None:
        error = outcome.error
        if error is not None and type(error) is UdfRuntimeError:
            error = _with_arguments(error, self._position, self._arguments)
        self._value, self._error = outcome.value, error
        self._status = "success" if error is None else "timeout" if isinstance(error, UdfTimeoutError) else "error"
        self._logs = _logs_text(outcome.stdout, outcome.stderr)
        self._seconds, self._ended_at = outcome.seconds, now


class Outcome:
    """What came of a run, as whoever ran it tells."""

    __slots__ = ("error", "future", "seconds", "stderr", "stdout", "value")

    def __init__(self, future: Future, value: Any, error: BaseException | None, *, stdout: str, stderr: str,
                 seconds: float) -> None:  # fmt: skip
        self.future = future
        self.value = value
        self.error = error
        self.stdout = stdout
        self.stderr = stderr
        self.seconds = seconds


def arguments_text(arguments: dict[str, Any]) -> str:
    """Arguments as JSON, as messages show them."""
    return json.dumps(arguments, indent=2, default=str)


def _with_arguments(error: UdfRuntimeError, position: int, arguments: dict[str, Any]) -> UdfRuntimeError:
    text = f"Run #{position}\n{arguments_text(arguments)}\n{error}"
    return UdfRuntimeError(text, child_exception_class=error.child_exception_class)


def _logs_text(stdout: str, stderr: str) -> str:
    return (f"stdout\n------\n{stdout}" if stdout else "") + (f"\nstderr\n------\n{stderr}" if stderr else "")
