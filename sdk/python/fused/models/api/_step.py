"""What the steps of a job have in common."""

import warnings
from typing import TYPE_CHECKING, Any, Literal

from ..._global_api import get_api
from ..._validation import Model, field, flag, mapping, one_of, optional, strict_integer, text

if TYPE_CHECKING:
    from .._instance_types import WHITELISTED_INSTANCE_TYPES
    from ..internal import RunResponse


class JobStepConfig(Model):
    """A step of a job. `run_batch()` runs it on a server.

    Args:
        name: what the job is called.
        metadata: values of your own, which JSON can hold.
        ignore_chunk_error: go on where some computations fail.
        n_processes: how many processes work at a time on the instance. None is one a core.
    """

    type: str = field(one_of("partition_geospatial", "partition_nongeospatial", "udf"))
    name: str | None = field(optional(text), default=None)
    metadata: dict[str, Any] | None = field(optional(mapping), default=None)
    ignore_chunk_error: bool = field(flag, default=False)
    n_processes: int | None = field(optional(strict_integer), default=None)

    def run_batch(self, instance_type: "WHITELISTED_INSTANCE_TYPES | None" = None, *, region: str | None = None,
                  disk_size_gb: int | None = None, additional_env: list[str] | None = None, image_name: str | None = None,
                  ignore_no_udf: bool = False, validate_inputs: bool = True, overwrite: bool | None = None, name: str | None = None,
                  send_status_email: bool | None = None, n_processes: int | None = None, cache_max_age: int | None = None,
                  output_table: Any = None, ignore_no_output: Any = None) -> "RunResponse":  # fmt: skip
        """Starts the step as a job on the server.

        Args:
            instance_type: where it runs, like `m5.large` or `small`. None is the server's choice.
            region: the region in which it runs. None is the server's.
            disk_size_gb: the size of the disk, in GB. None is the server's.
            additional_env: environment variables of the job, as `NAME=value`.
            image_name: the image to run. None is the server's.
            ignore_no_udf: start it although its UDF has no code.
            validate_inputs: warn of inputs that lie on this machine.
            overwrite: overwrite the output. None leaves it to the step.
            name: the name of the job. None is the name of the step.
            send_status_email: send an e-mail when it ends. None is the option `default_send_status_email`.
            n_processes: how many processes work at a time. None leaves it to the step.
            cache_max_age: how old a result of the same job may be to be taken, in seconds. None is never.
            output_table, ignore_no_output: deprecated and without effect.

        Raises ValueError for a step that cannot run, ValidationError for an unknown instance type, HTTPError where the server refuses,
        RuntimeError where none is configured.
        """
        warn_of_seed_names(output_table, ignore_no_output)
        step = self.model_copy(deep=True)
        if n_processes is not None:
            step.n_processes = n_processes
        if overwrite is not None and "overwrite" in self.model_fields:
            step.overwrite = overwrite  # type: ignore[attr-defined]
        step._check_for_run(ignore_no_udf, validate_inputs)
        from .job import JobConfig

        job = JobConfig(steps=[step])
        job.name = self.name if name is None else name
        return get_api().start_job(
            job,
            instance_type=instance_type,
            region=region,
            disk_size_gb=disk_size_gb,
            additional_env=additional_env,
            image_name=image_name,
            send_status_email=send_status_email,
            cache_max_age=cache_max_age,
        )

    run_remote = run_batch

    def run_local(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the step here, and waits. One that ingests needs a runtime with ingestion: NotImplementedError elsewhere."""
        from ..._ingest_here import ingest_here

        return ingest_here(self.type, self.model_dump(mode="json"))

    def export(self, path: Any, how: Literal["local", "zip"] = "local", overwrite: bool = False) -> None:
        """Writes the step as files: `meta.json`, `README.md`, the code of its UDF and of its headers.

        Args:
            path: the folder to make, or for `zip` the file (or a binary file that is open).
            how: `local` for a folder, `zip` for an archive.
            overwrite: replace what is there, else FileExistsError.
        """
        from .job import JobConfig

        JobConfig(steps=[self]).export(path, how, overwrite)

    def _check_for_run(self, ignore_no_udf: bool, validate_inputs: bool) -> None:
        """Raises ValueError for a step that cannot run; warns of what may not be meant."""


def warn_of_seed_names(output_table: Any, ignore_no_output: Any) -> None:
    """Arguments of older clients have no effect."""
    if output_table is not None or ignore_no_output is not None:
        message = "output_table and ignore_no_output have no effect: the output is that of the step"
        warnings.warn(message, DeprecationWarning, stacklevel=3)
