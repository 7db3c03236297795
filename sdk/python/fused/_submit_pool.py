"""`JobPool`: many runs of one UDF, as whoever submitted them sees them."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ._submit_frames import RESULT, arguments_frame, collect, import_pandas
from ._submit_future import Future
from ._submit_runs import SubmittedRuns
from ._submit_show import Progress, Tail, status_text

if TYPE_CHECKING:
    import pandas as pd


class JobPool(SubmittedRuns):
    """The runs of a `fused.submit`: their states, results and logs. Positions are those of the argument list.

    What failed is run again, up to `max_retry` times, while somebody waits for the pool. In a UDF that cannot wait without `await`,
    `await pool` waits; the other methods tell what is known then.
    """

    def cancel(self, wait: bool = False) -> None:
        """Keeps from running what has not begun; what runs goes on. With `wait`, waits for that."""
        self._look()
        waiting = [future for future in self._futures if not future.done()]
        if not self._is_cancelled:
            cancelled = {*self._pending, *self._runner.cancel(waiting)}
            self._pending.clear()
            for future in cancelled:
                future._cancel()
            self._tally["cancelled"] += len(cancelled)
            left = len(waiting) - len(cancelled)
            running = f", {left} task(s) already in progress and can not be cancelled." if left else ""
            print(f"{len(cancelled)} task(s) cancelled successfully{running}")
        self._is_cancelled = True
        if wait:
            self._drive(self._until_done())

    def retry(self) -> None:
        """Runs again what ended in an error or at its time limit. Raises RuntimeError after `cancel`, if there is any."""
        self._look()
        failed = self._failed()
        if failed and self._is_cancelled:
            raise RuntimeError("Cannot run failed tasks again: the pool was cancelled")
        self._restart(failed)
        self._start()

    def total_time(self, since_retry: bool = False) -> timedelta:
        """From the submission, or the last retry, to the last end so far. Raises ValueError where nothing has ended."""
        self._look()
        ends = [future._ended_at for future in self._futures if future._ended_at is not None]
        if not ends:
            raise ValueError("No result is available yet")
        return timedelta(seconds=max(0.0, max(ends) - (self._restarted_at if since_retry else self._started_at)))

    def times(self) -> list[timedelta | None]:
        """How long each run took; None where it has not ended."""
        self._look()
        return [future.time() for future in self._futures]

    def done(self) -> bool:
        """Whether all have ended, however they have."""
        self._look()
        return self._all_done()

    def all_succeeded(self) -> bool:
        """Whether all have ended with a result."""
        self._look()
        return self._tally["success"] == self.n_jobs

    def any_failed(self) -> bool:
        """Whether one has ended without a result; a cancelled one does not count."""
        self._look()
        return self._has_failed()

    def any_succeeded(self) -> bool:
        """Whether one has ended with a result."""
        self._look()
        return self._tally["success"] > 0

    def arg_df(self) -> pd.DataFrame:
        """The arguments, a row for each run."""
        return arguments_frame(self.arg_list)

    def status(self) -> pd.Series:
        """How many runs have each status: `pending`, `running`, `success`, `error`, `cancelled`, `timeout`."""
        self._look()
        pd = import_pandas()
        counts = sorted(self._counts().items(), key=lambda item: -item[1])
        index = pd.Index([status for status, _ in counts], name="status")
        return pd.Series([count for _, count in counts], index=index, name="count", dtype="int64")

    def wait(self) -> None:
        """Waits until all have ended, with a progress bar where `options.show.enable_tqdm` is set and tqdm is there."""
        with Progress(self.n_jobs) as progress:
            self._drive(self._until_done(on_step=lambda: progress.show(self._count_done())))

    def tail(self, stop_on_exception: bool = False, timeout: float | None = None) -> None:
        """Waits until all have ended, and prints each end as it is seen.

        stop_on_exception: raises the first failure, once nothing is left of `max_retry`.
        timeout: seconds after which JobPoolTailTimeoutError (a TimeoutError) is raised; its `not_succeeded_args` are the arguments of
            what has not succeeded by then.
        """
        self._look()
        self._drive(self._until_done(tail=Tail(self, timeout), stop_on_exception=stop_on_exception))

    def results(self, return_exceptions: bool = False) -> list[Any]:
        """All results in the order of the arguments; waits for them. Raises the first failure, or has it with `return_exceptions`."""
        self._drive(self._until_done())
        return [self._result(future, return_exceptions) for future in self._futures]

    def results_now(self, return_exceptions: bool = False) -> dict[int, Any]:
        """The results that are there, by position. Raises the first failure; what was cancelled is left out."""
        self._look()
        done = [future for future in self._futures if future.done() and future.status() != "cancelled"]
        return {future._position: self._result(future, return_exceptions) for future in done}

    def df(self, ignore_exceptions: bool = False, flatten: bool = True, drop_index: bool = False, verbose: bool = True,
           log_timeout: float | None = None) -> pd.DataFrame:  # fmt: skip
        """The same as `collect`."""
        return self.collect(ignore_exceptions, flatten, drop_index, verbose, log_timeout)

    def get_status_df(self) -> pd.DataFrame:
        """The arguments of each run with its status, time and logs."""
        return self.logs_df(result_column=None)

    def get_results_df(self, ignore_exceptions: bool = False) -> pd.DataFrame:
        """The arguments of each run with its result; waits for them. Raises the first failure, or leaves its row out."""
        self._drive(self._until_done())
        kept = [future for future in self._futures if not (ignore_exceptions and future._error is not None)]
        frame = self.arg_df().iloc[[future._position for future in kept]]
        values = [self._result(future, False) for future in kept]
        return frame.assign(**{RESULT: import_pandas().Series(values, index=frame.index)})

    def errors(self) -> dict[int, BaseException]:
        """What has failed so far, by position."""
        self._look()
        return {future._position: future._error for future in self._failed() if future._error is not None}

    def first_error(self) -> BaseException | None:
        """The first failure in the order of the arguments, or None."""
        return next(iter(self.errors().values()), None)

    def logs(self) -> list[str | None]:
        """What each run printed; None where it has not ended."""
        self._look()
        return [future._logs for future in self._futures]

    def first_log(self) -> str | None:
        """What the first run that has ended printed, in the order of the arguments; None where none has."""
        return next((log for log in self.logs() if log is not None), None)

    def success(self) -> dict[int, Any]:
        """The results that are there, by position."""
        return {future._position: future._value for future in self._by_status("success")}

    def pending(self) -> dict[int, Any]:
        """The arguments of what has not begun, by position."""
        return self._arguments("pending")

    def running(self) -> dict[int, Any]:
        """The arguments of what is under way, by position."""
        return self._arguments("running")

    def cancelled(self) -> dict[int, Any]:
        """The arguments of what was cancelled and never ran, by position."""
        return self._arguments("cancelled")

    def collect(self, ignore_exceptions: bool = False, flatten: bool = True, drop_index: bool = False, verbose: bool = True,
                log_timeout: float | None = None) -> pd.DataFrame:  # fmt: skip
        """All results as one frame; waits for them.

        Its index has a level for each argument. If all results are frames, they are put one below the other, and their own index is the
        last level; else they are in the column `result`.

        ignore_exceptions: leaves out what failed or was cancelled; else the first failure is raised.
        flatten: False puts frames, too, into the column `result`.
        drop_index: one level `arg_pos`, the position, in place of the arguments.
        verbose: prints what ends meanwhile, as `tail`. log_timeout: seconds, as the `timeout` of `tail`.
        """
        import_pandas()
        self._look()
        self._drive(self._until_done(tail=Tail(self, log_timeout, prints=verbose)))
        kept = [future for future in self._futures if not (ignore_exceptions and future._error is not None)]
        results = {future._position: self._result(future, False) for future in kept}
        return collect(self.arg_list, results, flatten=flatten, drop_index=drop_index)

    def logs_df(self, status_column: str | None = "status", result_column: str | None = "result", time_column: str | None = "time",
                logs_column: str | None = "logs", exception_column: str | None = None, include_exceptions: bool = True) -> pd.DataFrame:  # fmt: skip
        """The arguments of each run with what is known of it now, in columns of these names; None leaves a column out.

        Times are in seconds. With `include_exceptions`, what a failed run raised is its result.
        """
        self._look()
        frame = self.arg_df()
        futures = self._futures
        columns: list[tuple[str | None, list[Any]]] = [
            (status_column, [future.status() for future in futures]),
            (time_column, [future._seconds for future in futures]),
            (result_column, [future._error if include_exceptions and future._error else future._value for future in futures]),
            (logs_column, [future._logs for future in futures]),
            (exception_column, [future._error for future in futures]),
        ]
        pd = import_pandas()
        for name, values in columns:
            if name is not None:
                frame[name] = pd.Series(values, index=frame.index) if name != result_column else collect(
                    [{}] * len(values), dict(enumerate(values)), flatten=False, drop_index=True)[RESULT]  # fmt: skip
        return frame

    def __iter__(self) -> Iterator[Any]:
        """The results in the order of the arguments, each as soon as it is there. Raises what failed when its turn comes."""
        for future in self._futures:
            yield future.result()

    def __getitem__(self, idx: int) -> Future:
        return self._futures[idx]

    def __len__(self) -> int:
        return self.n_jobs

    def __repr__(self) -> str:
        self._look()
        return f"<JobPool with {self.n_jobs} jobs [{status_text(self._counts())}]>"

    def __await__(self) -> Generator[Any, None, JobPool]:
        """Waits until all have ended, while other things go on; what failed is run again up to `max_retry` times. Gives the pool."""
        return self._wait_async().__await__()

    async def _wait_async(self) -> JobPool:
        await self._drive_async(self._until_done())
        return self

    def _by_status(self, *statuses: str) -> list[Future]:
        self._look()
        return [future for future in self._futures if future.status() in statuses]

    def _arguments(self, status: str) -> dict[int, Any]:
        return {future._position: future._arguments for future in self._by_status(status)}
