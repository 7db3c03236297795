"""Runs of a pool in further isolates: the host starts them, and keeps what came of them until it is taken."""

from __future__ import annotations

from collections import deque
from typing import Any

from ._exceptions import PermissionDeniedError
from ._headers import own_files
from ._host import HostError, call, call_async
from ._per_run import memory
from ._run_named import ask, ask_async, spoken
from ._run_outcome import raised_there
from ._source import Source, find_entrypoint
from ._submit_future import Future, Outcome
from ._udf import Udf, is_whole_module, unwrap

# Runs that a call starts at most: what is started must not wait for a long message.
_MOST_IN_A_CALL = 100


class IsolateRunner:
    """Starts runs with the host, up to `max_workers` at once; as many are under way there as it has isolates, the others wait."""

    def __init__(self, udf: Udf | str, constants: dict[str, Any], max_workers: int) -> None:
        self._udf = udf
        self._constants = constants
        self._defaults: dict[str, Any] = {}
        self._max_workers = max_workers
        self._target: int | str | None = udf._host_name() if isinstance(udf, Udf) else udf if "\n" not in udf else None
        if isinstance(udf, Udf):
            self._defaults = udf.parameters
        # Of the run as a whole, because the host gives the results of all pools to whoever asks.
        self._started: dict[int, tuple[Future, deque[Outcome]]] = memory().setdefault("started runs", {})
        # Taken by somebody else before their numbers were known here.
        self._early: dict[int, dict[str, Any]] = memory().setdefault("early runs", {})
        self._numbers: dict[Future, int] = {}
        self._ended: deque[Outcome] = deque()

    def start(self, futures: list[Future]) -> int:
        """Starts the first of these as far as there is room. Gives how many."""
        wanted = self._wanted(futures)
        if not wanted:
            return 0
        if self._target is None:
            self._target = ask("udfs.define", self._part())
        return self._note(wanted, ask("udfs.start", self._target, self._parameters(wanted), None))

    async def start_async(self, futures: list[Future]) -> int:
        """The same, while other things go on."""
        wanted = self._wanted(futures)
        if not wanted:
            return 0
        if self._target is None:
            self._target = await ask_async("udfs.define", self._part())
        return self._note(wanted, await ask_async("udfs.start", self._target, self._parameters(wanted), None))

    def poll(self, seconds: float) -> list[Outcome]:
        """What has ended; waits for the first end for as long as that."""
        if not self._ended and self._started:
            self._sort(call("udfs.take", seconds * 1000))
        return self._all_ended()

    async def poll_async(self, seconds: float) -> list[Outcome]:
        """The same, while other things go on."""
        if not self._ended and self._started:
            self._sort(await call_async("udfs.take", seconds * 1000))
        return self._all_ended()

    def cancel(self, futures: list[Future]) -> set[Future]:
        """Those of these that have not begun never will."""
        numbers = {self._numbers[future]: future for future in futures if future in self._numbers}
        cancelled = {numbers[number] for number in call("udfs.cancel", list(numbers))} if numbers else set()
        for future in cancelled:
            del self._started[self._numbers.pop(future)]
        return cancelled

    def running(self) -> int:
        """How many are under way or wait with the host."""
        return len(self._numbers)

    def close(self) -> None:
        """Nothing is left: the host gives up what a run has started when that ends."""

    def _wanted(self, futures: list[Future]) -> list[Future]:
        return futures[: min(self._max_workers - len(self._numbers), _MOST_IN_A_CALL)]

    def _parameters(self, futures: list[Future]) -> list[dict[str, Any]]:
        return [{**self._defaults, **future._arguments, **self._constants} for future in futures]

    def _part(self) -> dict[str, Any]:
        """What the host takes of this UDF's own source."""
        udf = self._udf
        if isinstance(udf, str):
            source = Source(name="udf", file="udf.py", filename="<submitted udf>", text=udf)
            entrypoint = find_entrypoint(source, source.parse(), None).name
            return {"name": "udf", "code": udf, "file": "udf.py", "entrypoint": entrypoint, "headers": []}
        headers = [{"moduleName": header.module_name, "code": header.code(), "file": f"{header.module_name.replace('.', '/')}.py"}
                   for header in udf.headers]  # fmt: skip
        known = {header["moduleName"] for header in headers}
        function = unwrap(vars(udf).get("_function"))
        if function is not None and is_whole_module(function):
            headers += [header for header in own_files().values() if header["moduleName"] not in known]
        name = udf.name or udf.entrypoint
        return {"name": name, "code": udf.code, "file": f"{name}.py", "entrypoint": udf.entrypoint, "headers": headers}

    def _note(self, futures: list[Future], numbers: list[int]) -> int:
        for future, number in zip(futures, numbers, strict=False):
            future._begin()
            self._numbers[future] = number
            self._started[number] = (future, self._ended)
            if number in self._early:
                self._sort([self._early.pop(number)])
        return len(numbers)

    def _sort(self, finished: list[dict[str, Any]]) -> None:
        """Gives each result to the pool that it belongs to."""
        for run in finished:
            if run["id"] not in self._started:
                self._early[run["id"]] = run
                continue
            future, ended = self._started.pop(run["id"])
            stderr = run["stderr"] + (run["failure"]["traceback"] if run["failure"] else "")
            ended.append(Outcome(future, run["value"], _error_of(run), stdout=run["stdout"], stderr=stderr,
                                 seconds=run["ms"] / 1000))  # fmt: skip

    def _all_ended(self) -> list[Outcome]:
        outcomes = list(self._ended)
        self._ended.clear()
        for outcome in outcomes:
            del self._numbers[outcome.future]
        return outcomes


def _error_of(run: dict[str, Any]) -> Exception | None:
    failure, error = run["failure"], run["error"]
    if failure:
        return raised_there(failure)
    if not error:
        return None
    if error["type"] == "PermissionDeniedError":
        return PermissionDeniedError(error["message"], error.get("subject"), error.get("value"))
    return spoken(HostError(error["message"], error["type"], error.get("subject"), error.get("raised")))
