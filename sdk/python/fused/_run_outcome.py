"""What a local run printed and how it ended, for those who ask."""

import sys
from time import perf_counter
from typing import Any, Self
from weakref import WeakSet

from ._exceptions import UdfRuntimeError
from ._run_plan import Plan
from ._submit_streams import Output, captured, capturing

_observed: WeakSet[Output] = WeakSet()


class Observed:
    """Captures the output of a run, and where the whole outcome is asked for, its failure."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        outer = capturing()
        # A pool of runs captures what its runs print; what runs inside of those print is dropped.
        self._is_wanted = outer is not None and outer not in _observed
        self._captured = captured()
        self._failure: UdfRuntimeError | None = None
        self.value: Any = None

    def __enter__(self) -> Self:
        self._output = self._captured.__enter__()
        _observed.add(self._output)
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        self._captured.__exit__(None, None, None)
        if error is None and not self._is_wanted:
            return False
        if self._plan.returns_response and isinstance(error, UdfRuntimeError):
            self._failure = error
            return True
        # Whatever it printed may say why.
        sys.stdout.write(self._output.stdout)
        sys.stderr.write(self._output.stderr)
        return False

    def answer(self) -> Any:
        """The run's result, or the whole outcome where that was asked for."""
        if not self._plan.returns_response:
            return self.value
        from .models.evaluation import UdfEvaluationResult

        made = UdfEvaluationResult(data=self.value, udf=self._plan.udf, time_taken_seconds=perf_counter() - self._plan.began,
                                   stdout=self._output.stdout or None, stderr=self._output.stderr or None)  # fmt: skip
        if self._failure is not None:
            made.has_exception, made.error_message = True, str(self._failure)
            made.exception_class, made.error_lineno = self._failure.child_exception_class, self._failure._line
        return made


def told_by_host(plan: Plan, ended: dict[str, Any]) -> Any:
    """The result of a run that the host made, or the whole outcome where that is asked for. Raises UdfRuntimeError."""
    failure = ended["failure"]
    trace = failure["traceback"] if failure else ""
    if plan.returns_response:
        from .models.evaluation import UdfEvaluationResult

        made = UdfEvaluationResult(time_taken_seconds=perf_counter() - plan.began, stdout=ended["stdout"] or None,
                                   stderr=f"{ended['stderr']}{trace}" or None, has_exception=failure is not None)  # fmt: skip
        if failure is None:
            made.data = ended["value"]
        else:
            made.exception_class, made.error_message = failure["type"], str(raised_there(failure))
        return made
    if plan.is_verbose or failure is not None:
        sys.stdout.write(ended["stdout"])
        sys.stderr.write(f"{ended['stderr']}{trace}")
    if failure is not None:
        raise raised_there(failure)
    return ended["value"]


def raised_there(failure: dict[str, Any]) -> UdfRuntimeError:
    """What a UDF raised in an isolate of its own, as if it had run in this one: a text behind the class even where there is none."""
    name, message = failure["type"], failure["message"]
    return UdfRuntimeError(f"{name}: " if message == name else message, child_exception_class=name)
