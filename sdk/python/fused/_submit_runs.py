"""Runs that were submitted, on their way: started, waited for, started again; what `JobPool` tells of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Protocol

from ._exceptions import PermissionDeniedError
from ._submit_future import STATUSES, Future, Outcome
from ._submit_show import Tail

# A step of waiting: nothing that is to be noticed meanwhile waits for longer.
_STEP_SECONDS = 1.0


class Runner(Protocol):
    """Who runs what a pool holds."""

    def start(self, futures: list[Future]) -> int: ...
    async def start_async(self, futures: list[Future]) -> int: ...
    def poll(self, seconds: float) -> list[Outcome]: ...
    async def poll_async(self, seconds: float) -> list[Outcome]: ...
    def cancel(self, futures: list[Future]) -> set[Future]: ...
    def running(self) -> int: ...
    def close(self) -> None: ...


class SubmittedRuns:
    """What a pool holds, and how it goes on."""

    def __init__(self, udf: Any, arg_list: list[dict[str, Any]], runner: Runner, *, max_retry: int = 0,
                 starts: bool = True) -> None:  # fmt: skip
        self.udf = udf
        self.arg_list = arg_list
        self.n_jobs: int = len(arg_list)
        self._runner = runner
        self._max_retry = max_retry
        self._retries = 0
        self._futures = [Future(at, arguments, self._wait_for) for at, arguments in enumerate(arg_list)]
        # In the order in which they are to be started.
        self._pending = list(self._futures)
        self._is_cancelled = False
        # How many have ended with each status, and how many of those that have ended are still to be counted.
        self._tally: Counter[str] = Counter()
        self._uncounted = 0
        self._tail: Tail | None = None
        self._wait_sleep: float | None = _STEP_SECONDS
        self._started_at = self._restarted_at = time.time()
        # Where nothing can be asked for without `await`, that starts them.
        self._can_look = starts
        if starts:
            self._start()

    async def _drive_async(self, steps: Iterator[float]) -> None:
        for seconds in steps:
            await self._fill_async()
            self._note(await self._runner.poll_async(seconds))

    def _drive(self, steps: Iterator[float]) -> None:
        for seconds in steps:
            self._start()
            self._note(self._runner.poll(seconds))

    def _until_done(self, *, tail: Tail | None = None, stop_on_exception: bool = False, on_step: Any = None,
                    only: Future | None = None) -> Iterator[float]:  # fmt: skip
        """The steps of a wait: each gives the seconds that it may take."""
        if tail:
            tail.begin()
        self._tail = tail
        while True:
            while not (only.done() if only else self._all_done()):
                step = self._wait_sleep if self._wait_sleep is not None else 0.0
                yield min(step, tail.seconds_left()) if tail else step
                if on_step:
                    on_step()
                if tail:
                    tail.check_time()
                if stop_on_exception and self._retries >= self._max_retry:
                    self._raise_first()
            failed = [] if only else [future for future in self._failed() if not isinstance(future._error, PermissionDeniedError)]
            if not failed or self._is_cancelled or self._retries >= self._max_retry:
                break
            self._retries += 1
            print(f"Error in first failing job (Run #{failed[0]._position}): {failed[0]._error!r}")
            print(f"Retrying {len(failed)} failed jobs (retry #{self._retries})...")
            self._restart(failed)
        self._tail = None
        if tail:
            tail.end()
        if stop_on_exception:
            self._raise_first()
        if self._all_done():
            self._runner.close()

    def _wait_for(self, future: Future) -> None:
        if not future.done():
            self._drive(self._until_done(only=future))

    def _start(self) -> None:
        while self._pending:
            count = self._runner.start(self._pending)
            if count == 0:
                return
            del self._pending[:count]

    async def _fill_async(self) -> None:
        while self._pending:
            count = await self._runner.start_async(self._pending)
            if count == 0:
                return
            del self._pending[:count]

    def _look(self) -> None:
        """Takes what has ended, and starts what there is room for, without a wait."""
        if self._can_look and not self._all_done():
            self._note(self._runner.poll(0))
            self._start()

    def _note(self, outcomes: list[Outcome]) -> None:
        now = time.time()
        for at, outcome in enumerate(outcomes):
            future = outcome.future
            future._end(outcome, now)
            self._tally[future.status()] += 1
            self._uncounted = len(outcomes) - at - 1
            if self._tail:
                self._tail.note(future)

    def _restart(self, futures: list[Future]) -> None:
        self._restarted_at = time.time()
        for future in futures:
            self._tally[future.status()] -= 1
            future._reset()
        self._pending += futures

    def _result(self, future: Future, return_exceptions: bool) -> Any:
        if future._error is None:
            return future._value
        if return_exceptions:
            return future._error
        raise future._error

    def _failed(self) -> list[Future]:
        return [future for future in self._futures if future.status() in ("error", "timeout")] if self._has_failed() else []

    def _raise_first(self) -> None:
        for future in self._failed():
            self._result(future, False)

    def _has_failed(self) -> bool:
        return self._tally["error"] + self._tally["timeout"] > 0

    def _all_done(self) -> bool:
        return self._count_done() == self.n_jobs

    def _count_done(self) -> int:
        return sum(self._tally.values())

    def _counts(self) -> dict[str, int]:
        """How many have each status, those of which there are some."""
        running = self._runner.running() + self._uncounted
        counts = {**self._tally, "running": running, "pending": self.n_jobs - running - self._count_done()}
        return {status: counts[status] for status in STATUSES if counts.get(status)}
