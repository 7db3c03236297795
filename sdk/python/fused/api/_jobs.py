"""Jobs on a server."""

import builtins
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .._options import options
from .._validation import Model, field, one_of, optional, strict_integer, text
from ..models._instance_types import BATCH_INSTANCE_TYPES
from ..models.api.job import JobConfig, JobStepConfig
from ..models.internal.job import CoerceableToJobId, Jobs, RunResponse, job_id_of
from ._connection import Connection, in_path

if TYPE_CHECKING:
    from ..models._instance_types import WHITELISTED_INSTANCE_TYPES


class StartJobRequest(Model):
    """Where a job is to run."""

    region: str | None = field(optional(text), default=None)
    instance_type: str | None = field(optional(one_of(*BATCH_INSTANCE_TYPES)), default=None)
    disk_size_gb: int | None = field(optional(strict_integer), default=None)


class JobsApi(Connection):
    """The part of FusedAPI for jobs."""

    def start_job(self, config: JobConfig | JobStepConfig, *, instance_type: "WHITELISTED_INSTANCE_TYPES | None" = None,
                  region: str | None = None, disk_size_gb: int | None = None,
                  additional_env: Sequence[str] | None = ("FUSED_CREDENTIAL_PROVIDER=ec2",), image_name: str | None = None,
                  send_status_email: bool | None = None, cache_max_age: int | None = None) -> RunResponse:  # fmt: skip
        """Starts a job.

        Args:
            config: the job, or its only step.
            instance_type: where it runs, like `m5.large` or `small`. None is the server's choice.
            region: the region in which it runs. None is the server's.
            disk_size_gb: the size of the disk, in GB. None is the server's.
            additional_env: environment variables of the job, as `NAME=value`.
            image_name: the image to run. None is the server's.
            send_status_email: send an e-mail when it ends. None is the option `default_send_status_email`.
            cache_max_age: how old a result of the same job may be to be taken, in seconds. None is never.

        Raises ValidationError for an unknown instance type, ValueError where runs are nested too deep, HTTPError where the server refuses.
        """
        from .._server.run import run_headers

        if isinstance(config, JobStepConfig):
            config = JobConfig(steps=[config], name=config.name)
        place = StartJobRequest(region=region, instance_type=instance_type, disk_size_gb=disk_size_gb)
        body: dict[str, Any] = {
            "config": config.model_dump(mode="json"),
            "send_status_email": options.default_send_status_email if send_status_email is None else send_status_email,
        }
        if additional_env:
            body["additional_env"] = [*additional_env]
        if image_name:
            body["image_name"] = image_name
        if cache_max_age is not None:
            body["cache_max_age"] = cache_max_age
        answer = self._call("POST", "run", params=place.model_dump(), json=body, headers=run_headers(), timeout=options.run_timeout)
        return RunResponse.model_validate(answer)

    def get_jobs(self, n: int = 5, *, skip: int = 0, per_request: int = 25, max_requests: int | None = 1) -> Jobs:
        """The newest jobs.

        Args:
            n: how many.
            skip: how many of the newest to leave out.
            per_request: how many to ask for at a time.
            max_requests: how often to ask. None is as often as needed.
        """
        found = self._pages("job/self", n, skip, per_request, max_requests)
        return Jobs(jobs=found[:n], n=n, skip=skip, per_request=per_request, max_requests=max_requests)

    def get_job_config(self, job: CoerceableToJobId) -> JobConfig:
        """What a job runs, or ran."""
        return JobConfig.model_validate(self._call("GET", f"job/by-id/{_path(job)}/config"))

    def get_status(self, job: CoerceableToJobId) -> RunResponse:
        """A job as it is now. `job` is its id, or what was given when it was started."""
        return RunResponse.model_validate(self._call("GET", f"run/by-id/{_path(job)}"))

    def get_logs(self, job: CoerceableToJobId, since_ms: int | None = None) -> builtins.list[Any]:
        """The logs of a job: dicts with `message` and `timestamp` (milliseconds since 1970).

        Args:
            job: its id, or what was given when it was started.
            since_ms: only what came after this time, in milliseconds since 1970. None is all.
        """
        return self._call("GET", f"logs/{_path(job)}", params={"since_ms": since_ms})

    def tail_logs(self, job: CoerceableToJobId, refresh_seconds: float = 1, sample_logs: bool = False,
                  timeout: float | None = None) -> None:  # fmt: skip
        """Prints the logs of a job while it runs.

        Args:
            job: its id, or what was given when it was started.
            refresh_seconds: how long to wait between two looks, in seconds.
            sample_logs: print the newest message of each look only.
            timeout: seconds after which to give up with TimeoutError. None is never.
        """
        end = None if timeout is None else time.monotonic() + timeout
        status = self.get_status(job)
        print(f"Logs for: {status.job_id}")
        entries = self.get_logs(job)
        if status.status not in ("running", "pending"):
            print(f"Job is not running ({status.status})")
            sample_logs = False
        elif not entries:
            print("Configuring packages and waiting for logs...")
        newest, known = -1, []
        while True:
            # Entries of the newest moment may come again.
            fresh = [entry for entry in entries if entry["timestamp"] > newest or entry not in known]
            for entry in fresh[-1:] if sample_logs else fresh:
                print(entry["message"].rstrip())
            if entries:
                newest = entries[-1]["timestamp"]
                known = [entry for entry in entries if entry["timestamp"] == newest]
            if status.status not in ("running", "pending") or any("ERROR" in entry["message"] for entry in fresh[-1:]):
                return
            if end is not None and time.monotonic() > end:
                raise TimeoutError(f"Timed out: job {status.job_id} has not ended after {timeout} s")
            time.sleep(refresh_seconds)
            # The status first: what is logged before the end is then in the logs.
            status = self.get_status(job)
            entries = self.get_logs(job, since_ms=newest if known else None)

    def wait_for_job(self, job: CoerceableToJobId, poll_interval_seconds: float = 5, timeout: float | None = None) -> RunResponse:
        """Waits until a job has finished. Gives it as it is then.

        Args:
            job: its id, or what was given when it was started.
            poll_interval_seconds: how long to wait between two looks, in seconds.
            timeout: seconds after which to give up with TimeoutError. None is never.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            status = self.get_status(job)
            if status.terminal_status if status.finished_job_status is None else status.finished_job_status:
                return status
            if end is not None and time.monotonic() > end:
                raise TimeoutError(f"Timed out waiting for job {status.job_id}: it has not finished after {timeout} s")
            time.sleep(poll_interval_seconds)

    def cancel_job(self, job: CoerceableToJobId) -> RunResponse:
        """Stops a job. Gives it as it is then."""
        return RunResponse.model_validate(self._call("POST", f"run/by-id/{_path(job)}/cancel", timeout=options.run_timeout))

    def get_job_results(self, job: CoerceableToJobId, arg_index: int = -1) -> Any | builtins.list[Any]:
        """The results of a job, in the order of its arguments: UdfEvaluationResult objects.

        Args:
            job: its id, or what was given when it was started.
            arg_index: the number of the one to get, from 0. -1 is all, as a list.

        Raises IndexError for a number that no result has.
        """
        files = {file["name"]: file["url"] for file in self._call("GET", f"run/by-id/{_path(job)}/results")}
        names = [name for name in files if not name.endswith(".metadata")]
        if len(names) > 1:
            names.sort(key=lambda name: int(name.split(".")[0]))
        if arg_index > -1:
            return self._result(files, names[arg_index])
        return [self._result(files, name) for name in names]

    def _result(self, files: dict[str, str], name: str) -> Any:
        from .._server.http import request
        from .._server.results import evaluation_of_file
        from .._server.server import http_error

        answers = []
        # The places are signed: who we are is none of their business.
        for url in (files[name], files.get(f"{name}.metadata")):
            answer = None if url is None else request("GET", url, timeout=options.request_timeout)
            if answer is not None and answer.status >= 400:
                raise http_error(answer)
            answers.append(answer)
        content, metadata = answers
        return evaluation_of_file(content, None if metadata is None else metadata.json())


def _path(job: CoerceableToJobId) -> str:
    return in_path(job_id_of(job))
