"""Jobs as a server shows them: RunResponse for one that was started, JobResponse for one of the history, Jobs for the history."""

import datetime
import warnings
from typing import IO, TYPE_CHECKING, Any, Union

from ..._global_api import get_api
from ..._validation import Model, field, integer, list_of, moment, optional, strict_flag, strict_integer, text

if TYPE_CHECKING:
    from ...api.api import FusedAPI
    from ..api.job import JobConfig, JobStepConfig


class _JobModel(Model):
    """What can be asked of a job, by its id. Each method raises what `FusedAPI` raises: HTTPError, and RuntimeError without a server."""

    @property
    def _api(self) -> "FusedAPI":
        return get_api()

    @property
    def _id(self) -> str:
        raise NotImplementedError

    @property
    def logs_url(self) -> str:
        """The page that shows the job's logs."""
        from ..._options import options

        return f"{options.base_web_url}/workbench/jobs/{self._id}"

    def get_status(self) -> "RunResponse":
        """The job as it is now."""
        return self._api.get_status(self._id)

    def get_logs(self, since_ms: int | None = None) -> list[Any]:
        """The logs: dicts with `message` and `timestamp` (milliseconds since 1970).

        Args:
            since_ms: only what came after this time, in milliseconds since 1970. None is all.
        """
        return self._api.get_logs(self._id, since_ms=since_ms)

    def print_logs(self, since_ms: int | None = None, file: IO[str] | None = None) -> None:
        """Prints the messages of the logs, a line each.

        Args:
            since_ms: only what came after this time, in milliseconds since 1970. None is all.
            file: where to. None is stdout.
        """
        for entry in self.get_logs(since_ms=since_ms):
            print(entry["message"].strip(), file=file)

    def get_exec_time(self) -> datetime.timedelta:
        """How long the job took: the time of its last log less that of its first. Warns while it still runs.

        Raises ValueError where it has no logs.
        """
        now = self.get_status()
        if not now.terminal_status:
            from ...warnings import FusedInProgressWarning

            warnings.warn(FusedInProgressWarning(f"Job is still in progress. Status: {now.status}"), stacklevel=2)
        logs = now.get_logs()
        if not logs:
            raise ValueError(f"Cannot tell how long job {self._id} took: it has no logs")
        return datetime.timedelta(milliseconds=logs[-1]["timestamp"] - logs[0]["timestamp"])

    def tail_logs(self, refresh_seconds: float = 1, sample_logs: bool = True, timeout: float | None = None, *,
                  get_logs_retries: int | None = None) -> None:  # fmt: skip
        """Prints the logs while the job runs.

        Args:
            refresh_seconds: how long to wait between two looks, in seconds.
            sample_logs: print the newest message of each look only.
            timeout: seconds after which to give up with TimeoutError. None is never.
            get_logs_retries: deprecated and without effect: requests are retried by the options.
        """
        if get_logs_retries is not None:
            warnings.warn("get_logs_retries has no effect: see fused.options.request_max_retries", DeprecationWarning, stacklevel=2)
        self._api.tail_logs(self._id, refresh_seconds=refresh_seconds, sample_logs=sample_logs, timeout=timeout)

    def wait_for_job(self, poll_interval_seconds: float = 5, timeout: float | None = None) -> "RunResponse":
        """Waits until the job has finished.

        Args:
            poll_interval_seconds: how long to wait between two looks, in seconds.
            timeout: seconds after which to give up with TimeoutError. None is never.
        """
        return self._api.wait_for_job(self._id, poll_interval_seconds=poll_interval_seconds, timeout=timeout)

    def cancel(self) -> "RunResponse":
        """Stops the job. Gives it as it is then."""
        return self._api.cancel_job(self._id)


class RunResponse(_JobModel):
    """A job that was started."""

    job_id: str = field(text)
    job_name: str = field(text)
    instance_id: str | None = field(optional(text), default=None)
    instance_type: str | None = field(optional(text), default=None)
    status: str = field(text)
    terminal_status: bool = field(strict_flag)
    last_heartbeat: datetime.datetime | None = field(optional(moment), default=None)
    job_status: str | None = field(optional(text), default=None)
    job_status_date: datetime.datetime | None = field(optional(moment), default=None)
    finished_job_status: bool | None = field(optional(strict_flag), default=None)
    total_tasks: int = field(integer)
    finished_tasks: int = field(integer)

    @property
    def _id(self) -> str:
        return self.job_id

    def refresh_status(self) -> "RunResponse":
        """Takes over what the server says now, unless the job's instance has already ended. Gives itself."""
        if not self.terminal_status:
            vars(self).update(vars(self.get_status()))
        return self

    def get_results(self, arg_index: int = -1) -> Any | list[Any]:
        """The results, in the order of the arguments: UdfEvaluationResult objects.

        Args:
            arg_index: the number of the one to get, from 0. -1 is all, as a list.
        """
        return self._api.get_job_results(self.job_id, arg_index)

    @classmethod
    def from_job_id(cls, job: "str | RunResponse | JobResponse") -> "RunResponse":
        """One for a job of which the id alone is known: nothing is asked yet."""
        if isinstance(job, cls):
            return job
        return cls(job_id=job_id_of(job), job_name="null", status="null", terminal_status=True, total_tasks=0, finished_tasks=0)


class JobResponse(_JobModel):
    """A job of the history."""

    id: str = field(text)
    user_id: str = field(text)
    creation_date: datetime.datetime = field(moment)
    job_status: str | None = field(optional(text), default=None)
    job_status_date: datetime.datetime | None = field(optional(moment), default=None)
    instance_id: str | None = field(optional(text), default=None)
    instance_type: str | None = field(optional(text), default=None)
    execution_environment_id: str = field(text)

    @property
    def _id(self) -> str:
        return self.id

    def config(self) -> "JobStepConfig":
        """The first step of what was run."""
        return self.steps_config()._first_step()

    def steps_config(self) -> "JobConfig":
        """What was run, all of its steps."""
        return self._api.get_job_config(self.id)


class Jobs(Model):
    """A part of the history of jobs, newest first, and what it was asked for with."""

    jobs: list[JobResponse] = field(list_of(JobResponse.model_validate))
    n: int = field(strict_integer, repr=False)
    skip: int = field(strict_integer, repr=False)
    per_request: int = field(strict_integer, repr=False)
    max_requests: int | None = field(optional(strict_integer), repr=False)

    def refresh(self) -> "Jobs":
        """Asks for the same part again, and takes it over. Gives itself."""
        new = get_api().get_jobs(n=self.n, skip=self.skip, per_request=self.per_request, max_requests=self.max_requests)
        self.jobs = new.jobs
        return self

    def __repr__(self) -> str:
        return "".join(f"{job.id}: {job.job_status}\n" for job in self.jobs)


CoerceableToJobId = Union[str, RunResponse, JobResponse]


def job_id_of(job: CoerceableToJobId) -> str:
    """The id of a job, however it is given. Raises TypeError for what is none."""
    if isinstance(job, _JobModel):
        return job._id
    if isinstance(job, str):
        return job
    raise TypeError(f"A job must be an id, a RunResponse or a JobResponse: received {type(job).__name__}")
