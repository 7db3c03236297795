"""What a pool shows while somebody waits for it."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ._exceptions import JobPoolTailTimeoutError

if TYPE_CHECKING:
    from ._submit_future import Future
    from ._submit_pool import JobPool


def status_text(counts: dict[str, int]) -> str:
    """`1 error, 2 success, 3 pending`."""
    return ", ".join(f"{count} {status}" for status, count in counts.items())


class Tail:
    """The lines of `JobPool.tail`: what had ended before, then each end as it is seen."""

    def __init__(self, pool: JobPool, timeout: float | None, *, prints: bool = True) -> None:
        self._pool = pool
        self._timeout = timeout
        self._began = time.monotonic()
        self._print = print if prints else lambda text: None
        self._has_lines = False

    def begin(self) -> None:
        """Before the wait."""
        if self._pool._count_done():
            self._print(status_text(self._pool._counts()))

    def seconds_left(self) -> float:
        """Until the timeout."""
        return float("inf") if self._timeout is None else max(0.0, self._timeout - (time.monotonic() - self._began))

    def note(self, future: Future) -> None:
        """One has just ended."""
        self._has_lines = True
        counts = status_text(self._pool._counts())
        self._print(f"[{datetime.now()}] Run #{future._position} {future.status()} ({counts}) {future._arguments}")

    def check_time(self) -> None:
        """After each step of the wait. Raises JobPoolTailTimeoutError."""
        if not self._pool._all_done() and self.seconds_left() <= 0:
            self._report()

    def end(self) -> None:
        """After the wait."""
        if self._has_lines:
            self._print("End of tail")
            self._print(status_text(self._pool._counts()))

    def _report(self) -> None:
        pool, timeout = self._pool, self._timeout
        elapsed = time.monotonic() - self._began
        done = pool._count_done()
        share = f"progress {done}/{pool.n_jobs} ({100 * done // pool.n_jobs}%)"
        self._print(f"[{datetime.now()}] tail timeout: limit {timeout}s, elapsed {elapsed:.1f}s; {share}; {status_text(pool._counts())}")
        for future in pool._futures:
            if not future.done():
                self._print(f"  Run #{future._position}: {future.status()}")
        left = [future._arguments for future in pool._futures if future.status() != "success"]
        self._print(f"Arguments for jobs that did not succeed:\n{left}")
        raise JobPoolTailTimeoutError(f"Timeout of {timeout} seconds reached.", timeout=timeout, not_succeeded_args=left)


class Progress:
    """A progress bar, where one is wanted and there is a library for it."""

    def __init__(self, total: int) -> None:
        self._bar: Any = _bar(total)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: Any) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, done: int) -> None:
        """How many are done."""
        if self._bar is not None:
            self._bar.update(done - self._bar.n)


def _bar(total: int) -> Any:
    from ._options import options

    if not options.show.enable_tqdm:
        return None
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm(total=total)
