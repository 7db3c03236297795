"""Runs of a pool outside of isolates: each is a `fused.run`, in a thread, a task or a process of this computer's Python."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from concurrent.futures import Future as Task
from queue import Empty, SimpleQueue
from typing import Any

from ._submit_future import Future, Outcome
from ._submit_streams import captured

Run = Callable[[dict[str, Any]], Any]


class ThreadRunner:
    """Each run in one of `max_workers` threads; what it prints is its log."""

    def __init__(self, run: Run, max_workers: int) -> None:
        self._run = run
        self._max_workers = max_workers
        # Made when something starts, also after everything had ended.
        self._executor: Executor | None = None
        self._tasks: dict[Future, Task] = {}
        self._ended: SimpleQueue[Outcome] = SimpleQueue()

    def start(self, futures: list[Future]) -> int:
        """Starts all of these, each as soon as a thread is free. Gives how many."""
        if self._executor is None:
            self._executor = self._open()
        for future in futures:
            self._tasks[future] = self._begin(future, self._executor)
        return len(futures)

    async def start_async(self, futures: list[Future]) -> int:
        """The same: it takes no time."""
        return self.start(futures)

    def poll(self, seconds: float) -> list[Outcome]:
        """What has ended; waits for the first end for as long as that."""
        outcomes = []
        try:
            outcomes.append(self._ended.get(timeout=seconds) if seconds > 0 else self._ended.get_nowait())
            while True:
                outcomes.append(self._ended.get_nowait())
        except Empty:
            pass
        for outcome in outcomes:
            self._tasks.pop(outcome.future, None)
        return outcomes

    async def poll_async(self, seconds: float) -> list[Outcome]:
        """The same, while other things go on."""
        return await asyncio.to_thread(self.poll, seconds)

    def cancel(self, futures: list[Future]) -> set[Future]:
        """Those of these that have not begun never will."""
        return {future for future in futures if future in self._tasks and self._tasks[future].cancel()}

    def running(self) -> int:
        """How many are under way."""
        return sum(future.status() == "running" for future in list(self._tasks))

    def close(self) -> None:
        """Ends the threads once they have nothing to do any more."""
        if self._executor is not None:
            self._executor.shutdown(wait=False)
            self._executor = None

    def _open(self) -> Executor:
        return ThreadPoolExecutor(self._max_workers, thread_name_prefix="fused-submit")

    def _begin(self, future: Future, executor: Executor) -> Task:
        return executor.submit(self._work, future)

    def _work(self, future: Future) -> None:
        future._begin()
        with captured() as output:
            outcome = _outcome(future, lambda: self._run(future._arguments))
        self._ended.put(_with_output(outcome, output.stdout, output.stderr))


class AsyncRunner(ThreadRunner):
    """Each run as a task of one event loop, `max_workers` at once."""

    def __init__(self, run: Run, max_workers: int) -> None:
        super().__init__(run, max_workers)
        self._loop = asyncio.new_event_loop()
        self._places = asyncio.Semaphore(max_workers)

    def _open(self) -> Executor:
        # One thread, which the loop has for itself.
        executor = ThreadPoolExecutor(1, thread_name_prefix="fused-submit-loop")
        executor.submit(self._loop.run_forever)
        return executor

    def _begin(self, future: Future, executor: Executor) -> Task:
        return asyncio.run_coroutine_threadsafe(self._task(future), self._loop)

    def cancel(self, futures: list[Future]) -> set[Future]:
        """Those of these that have not begun never will."""
        waiting = [future for future in futures if future in self._tasks and future.status() == "pending"]
        for future in waiting:
            self._tasks.pop(future).cancel()
        return set(waiting)

    def close(self) -> None:
        """Ends the loop."""
        if self._executor is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
        super().close()

    async def _task(self, future: Future) -> None:
        async with self._places:
            future._begin()
            with captured() as output:
                began = time.perf_counter()
                value = error = None
                try:
                    value = await self._run(future._arguments)
                except Exception as raised:
                    error = raised
                seconds = time.perf_counter() - began
            self._ended.put(Outcome(future, value, error, stdout=output.stdout, stderr=output.stderr, seconds=seconds))


class SerialRunner(ThreadRunner):
    """One run after the other, while somebody waits for them."""

    def __init__(self, run: Run) -> None:
        super().__init__(run, 1)
        self._waiting: list[Future] = []

    def start(self, futures: list[Future]) -> int:
        """They run when they are waited for. Gives how many."""
        self._waiting += futures
        return len(futures)

    def poll(self, seconds: float) -> list[Outcome]:
        """Runs the next one."""
        if seconds > 0 and self._waiting:
            self._work(self._waiting.pop(0))
        return super().poll(0)

    async def poll_async(self, seconds: float) -> list[Outcome]:
        """The same."""
        return self.poll(seconds)

    def cancel(self, futures: list[Future]) -> set[Future]:
        """Those of these that have not begun never will."""
        cancelled = {future for future in futures if future in self._waiting}
        self._waiting = [future for future in self._waiting if future not in cancelled]
        return cancelled


class ProcessRunner(ThreadRunner):
    """Each run in one of some processes, which have nothing of this one but the UDF."""

    def __init__(self, udf: Any, constants: dict[str, Any], options: dict[str, Any], max_workers: int) -> None:
        super().__init__(lambda arguments: None, max_workers)
        self._shared = (udf, constants, options)

    def _open(self) -> Executor:
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import cpu_count, get_context

        # A fork of a process with threads may hang.
        return ProcessPoolExecutor(min(self._max_workers, cpu_count()), get_context("spawn"))

    def _begin(self, future: Future, executor: Executor) -> Task:
        task = executor.submit(run_in_process, future._arguments, *self._shared)
        task.add_done_callback(lambda task: self._note(task, future))
        return task

    def running(self) -> int:
        """How many have been handed to a process."""
        return sum(task.running() for task in list(self._tasks.values()))

    def _note(self, task: Task, future: Future) -> None:
        if not task.cancelled():
            error = task.exception()
            value, failure, stdout, stderr, seconds = (None, error, "", "", 0.0) if error else task.result()
            self._ended.put(Outcome(future, value, failure, stdout=stdout, stderr=stderr, seconds=seconds))


def run_in_process(arguments: dict[str, Any], udf: Any, constants: dict[str, Any], options: dict[str, Any]) -> tuple[Any, ...]:
    """Runs a UDF in this process: its value or what it raised, its output, and the seconds that it took."""
    from ._run import run

    with captured() as output:
        outcome = _outcome(None, lambda: run(udf, parameters={**arguments, **constants}, **options))
    return outcome.value, outcome.error, output.stdout, output.stderr, outcome.seconds


def _outcome(future: Any, run: Callable[[], Any]) -> Outcome:
    began = time.perf_counter()
    value = error = None
    try:
        value = run()
    except Exception as raised:
        error = raised
    return Outcome(future, value, error, stdout="", stderr="", seconds=time.perf_counter() - began)


def _with_output(outcome: Outcome, stdout: str, stderr: str) -> Outcome:
    outcome.stdout, outcome.stderr = stdout, stderr
    return outcome
