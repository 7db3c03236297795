"""The functions of `fused.api` for jobs."""

from datetime import timedelta
from typing import IO, Any

from .._global_api import get_api
from ..models.internal.job import CoerceableToJobId, Jobs, RunResponse


def get_jobs(n: int = 5, *, skip: int = 0, per_request: int = 25, max_requests: int | None = None) -> Jobs:
    """The newest jobs.

    Args:
        n: how many.
        skip: how many of the newest to leave out.
        per_request: how many to ask for at a time.
        max_requests: how often to ask. None is as often as needed.
    """
    return get_api().get_jobs(n, skip=skip, per_request=per_request, max_requests=max_requests)


def job_get_logs(job: CoerceableToJobId, since_ms: int | None = None) -> list[Any]:
    """The logs of a job: dicts with `message` and `timestamp` (milliseconds since 1970).

    Args:
        job: its id, or what was given when it was started.
        since_ms: only what came after this time, in milliseconds since 1970. None is all.

    Raises HTTPError where the server refuses, RuntimeError without one; so do all functions for jobs.
    """
    return get_api().get_logs(job, since_ms=since_ms)


def job_print_logs(job: CoerceableToJobId, since_ms: int | None = None, file: IO[str] | None = None) -> None:
    """Prints the messages of a job's logs, a line each.

    Args:
        job: its id, or what was given when it was started.
        since_ms: only what came after this time, in milliseconds since 1970. None is all.
        file: where to. None is stdout.
    """
    RunResponse.from_job_id(job).print_logs(since_ms=since_ms, file=file)


def job_tail_logs(job: CoerceableToJobId, refresh_seconds: float = 1, sample_logs: bool = True, timeout: float | None = None) -> None:
    """Prints the logs of a job while it runs.

    Args:
        job: its id, or what was given when it was started.
        refresh_seconds: how long to wait between two looks, in seconds.
        sample_logs: print the newest message of each look only.
        timeout: seconds after which to give up with TimeoutError. None is never.
    """
    get_api().tail_logs(job, refresh_seconds=refresh_seconds, sample_logs=sample_logs, timeout=timeout)


def job_get_status(job: CoerceableToJobId) -> RunResponse:
    """A job as it is now. `job` is its id, or what was given when it was started."""
    return get_api().get_status(job)


def job_cancel(job: CoerceableToJobId) -> RunResponse:
    """Stops a job. Gives it as it is then."""
    return get_api().cancel_job(job)


def job_get_exec_time(job: CoerceableToJobId) -> timedelta:
    """How long a job took: the time of its last log less that of its first. Raises ValueError where it has no logs."""
    return RunResponse.from_job_id(job).get_exec_time()


def job_wait_for_job(job: CoerceableToJobId, poll_interval_seconds: float = 5, timeout: float | None = None) -> RunResponse:
    """Waits until a job has finished. Gives it as it is then.

    Args:
        job: its id, or what was given when it was started.
        poll_interval_seconds: how long to wait between two looks, in seconds.
        timeout: seconds after which to give up with TimeoutError. None is never.
    """
    return get_api().wait_for_job(job, poll_interval_seconds=poll_interval_seconds, timeout=timeout)


def job_get_results(job: CoerceableToJobId) -> list[Any]:
    """The results of a job, in the order of its arguments: UdfEvaluationResult objects."""
    return job_get_status(job).get_results()


def job_wait_for_results(job: CoerceableToJobId, poll_interval_seconds: float = 5, timeout: float | None = None) -> list[Any]:
    """Waits until a job has finished, and gives its results: `job_wait_for_job` and `job_get_results` in one."""
    return job_wait_for_job(job, poll_interval_seconds, timeout).get_results()
