"""Runs of a pool on batch instances: a job for each worker, whose step has that worker's share of the arguments."""

from __future__ import annotations

import time
from typing import Any

from ._exceptions import UdfRuntimeError
from ._submit_future import Future, Outcome

# A server need not be asked more often.
_POLL_SECONDS = 1.0


class BatchRunner:
    """Sends the jobs at once, and asks the server for their end."""

    def __init__(self, udf: Any, constants: dict[str, Any], options: dict[str, Any], max_workers: int) -> None:
        self._udf = udf
        self._constants = constants
        self._options = options
        self._max_workers = max_workers
        self._jobs: list[tuple[Any, list[Future]]] = []

    def start(self, futures: list[Future]) -> int:
        """Starts a job for each worker. Gives the number of runs. Raises HTTPError where the server refuses."""
        from ._global_api import get_api
        from ._server.parameters import json_value
        from .models.api.job import UdfJobStepConfig

        for worker, share in enumerate(_shares(futures, self._max_workers), 1):
            step = UdfJobStepConfig(udf=self._udf, name=f"{self._udf.name}__worker{worker}",
                                    input=[json_value({**future._arguments, **self._constants}) for future in share])  # fmt: skip
            job = get_api().start_job(step, disk_size_gb=self._udf.disk_size_gb, region=self._udf.region, **self._options)
            self._jobs.append((job, share))
            for future in share:
                future._begin()
        return len(futures)

    async def start_async(self, futures: list[Future]) -> int:
        """The same."""
        return self.start(futures)

    def poll(self, seconds: float) -> list[Outcome]:
        """What has ended; waits for a moment where that may be."""
        if seconds > 0:
            time.sleep(min(seconds, _POLL_SECONDS))
        from ._global_api import get_api

        outcomes: list[Outcome] = []
        for entry in list(self._jobs):
            job, share = entry
            state = get_api().get_status(job.job_id)
            if state.terminal_status if state.finished_job_status is None else state.finished_job_status:
                self._jobs.remove(entry)
                outcomes += _outcomes(state, share)
        return outcomes

    async def poll_async(self, seconds: float) -> list[Outcome]:
        """The same, while other things go on."""
        import asyncio

        await asyncio.sleep(min(seconds, _POLL_SECONDS))
        return self.poll(0)

    def cancel(self, futures: list[Future]) -> set[Future]:
        """None: the jobs have been sent."""
        return set()

    def running(self) -> int:
        """How many have been sent and have not ended."""
        return sum(len(share) for _, share in self._jobs)

    def close(self) -> None:
        """Nothing is left."""


def _shares(futures: list[Future], workers: int) -> list[list[Future]]:
    """Cut evenly, the first ones larger: five for two are three and two."""
    count = min(workers, len(futures))
    size, more = divmod(len(futures), count)
    ends = [size * at + min(at, more) for at in range(count + 1)]
    return [futures[start:end] for start, end in zip(ends, ends[1:], strict=False)]


def _outcomes(state: Any, share: list[Future]) -> list[Outcome]:
    from ._global_api import get_api
    from ._server.results import value_of

    results = get_api().get_job_results(state.job_id) if state.job_status == "Done" else []
    outcomes = []
    for at, future in enumerate(share):
        value = error = None
        result = results[at] if at < len(results) else None
        try:
            if result is None:
                raise UdfRuntimeError(f"Batch job {state.job_id} has no result: its status is {state.job_status}")
            value = value_of(result)
        except Exception as raised:
            error = raised
        outcomes.append(Outcome(future, value, error, stdout=getattr(result, "stdout", None) or "", stderr=getattr(result, "stderr", None) or "",
                                seconds=getattr(result, "time_taken_seconds", None) or 0.0))  # fmt: skip
    return outcomes
