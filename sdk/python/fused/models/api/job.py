"""Jobs, and the step of one that runs a UDF."""

import ast
import re
from typing import TYPE_CHECKING, Any, Literal

from ..._global_api import get_api
from ..._validation import Model, anything, field, list_of, mapping, one_of, optional, text
from .._udf_registry import UdfRegistry
from ._partition import GDALOpenConfig, GeospatialPartitionJobStepConfig, NonGeospatialPartitionJobStepConfig, PartitionJobStepConfig
from ._step import JobStepConfig, warn_of_seed_names

if TYPE_CHECKING:
    from .._instance_types import WHITELISTED_INSTANCE_TYPES
    from ..internal import RunResponse
    from ..udf import Udf

__all__ = [
    "GDALOpenConfig",
    "GeospatialPartitionJobStepConfig",
    "JobConfig",
    "JobStepConfig",
    "MultiUdfEvaluationResult",
    "NonGeospatialPartitionJobStepConfig",
    "PartitionJobStepConfig",
    "UdfJobStepConfig",
]


def _udf(value: Any) -> "Udf":
    from ..udf import Udf

    return Udf.model_validate(value)


class UdfJobStepConfig(JobStepConfig):
    """A step that runs a UDF: once, or once for each of the `input` list (a dict is a set of parameters, else it is the first one)."""

    type: str = field(one_of("udf"), default="udf")
    udf: "Udf" = field(_udf)
    input: list[Any] | None = field(optional(list_of(anything)), default=None)

    def set_udf(self, udf: "Udf | dict[str, Any] | str", parameters: dict[str, Any] | None = None, replace_parameters: bool = False,
                inplace: bool = False) -> "UdfJobStepConfig":  # fmt: skip
        """Gives the step another UDF: a copy, or itself with `inplace`.

        Args:
            udf: the UDF.
            parameters: parameters for it, merged into those it has, or instead of them with `replace_parameters`.

        Raises ValidationError for what is no UDF.
        """
        step = self if inplace else self.model_copy(deep=True)
        step.udf = _udf(udf)
        if parameters is not None:
            step.udf = step.udf.set_parameters(parameters, replace_parameters=replace_parameters, inplace=False)
        return step

    def set_input(self, input: list[Any] | None, inplace: bool = False) -> "UdfJobStepConfig":
        """Gives the step another list of parameters: a copy, or itself with `inplace`."""
        step = self if inplace else self.model_copy(deep=True)
        step.input = input
        return step

    def run_local(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the UDF here, for the first of the inputs; a value that is given takes its place. Gives its result."""
        from ..._run import run
        from ..._udf_source import positional_parameters

        given = args[:1] or (self.input or [])[:1]
        for value in given:
            names = positional_parameters(self.udf)[:1]
            kwargs = {**(value if isinstance(value, dict) else dict.fromkeys(names, value)), **kwargs}
        return run(self.udf, engine="local", **kwargs)

    def _check_for_run(self, ignore_no_udf: bool, validate_inputs: bool) -> None:
        if not ignore_no_udf and not self.udf.code:
            raise ValueError("No UDF code is set. Set the `udf` attribute or pass `ignore_no_udf=True`.")


_STEPS: dict[Any, type[JobStepConfig]] = {
    "partition_geospatial": GeospatialPartitionJobStepConfig,
    "partition_nongeospatial": NonGeospatialPartitionJobStepConfig,
    "udf": UdfJobStepConfig,
}


def _step(value: Any) -> JobStepConfig:
    if isinstance(value, JobStepConfig):
        return value
    kind = mapping(value).get("type")
    if kind not in _STEPS:
        raise ValueError(f"must be a step whose type is one of {', '.join(_STEPS)}")
    return _STEPS[kind].model_validate(value)


def _job_name(value: Any) -> str:
    if re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_.:\-]*", text(value)):
        return value
    raise ValueError("must begin with a letter and have only letters, digits, and - _ . : in it")


class JobConfig(Model):
    """A job: its steps run one after the other.

    Args:
        name: what it is called: a letter, then letters, digits, and `-`, `_`, `.`, `:`.
        steps: the steps.
        metadata: values of your own, which JSON can hold.
    """

    name: str | None = field(optional(_job_name), default=None)
    steps: list[JobStepConfig] = field(list_of(_step))
    metadata: dict[str, Any] | None = field(optional(mapping), default=None)

    @property
    def udfs(self) -> UdfRegistry:
        """The UDFs of the steps, by name."""
        return UdfRegistry({step.udf.name: step.udf for step in self.steps if isinstance(step, UdfJobStepConfig)})

    def run_batch(self, instance_type: "WHITELISTED_INSTANCE_TYPES | None" = None, *, region: str | None = None,
                  disk_size_gb: int | None = None, additional_env: list[str] | None = None, image_name: str | None = None,
                  ignore_no_udf: bool = False, validate_inputs: bool = True, send_status_email: bool | None = None,
                  output_table: Any = None, ignore_no_output: Any = None, **kwargs: Any) -> "RunResponse":  # fmt: skip
        """Starts the job on the server. The arguments are those of a step's `run_batch`; further ones become parameters of the UDFs that
        declare them."""
        warn_of_seed_names(output_table, ignore_no_output)
        job = self.model_copy(deep=True)
        for step in job.steps:
            step._check_for_run(ignore_no_udf, validate_inputs)
            if isinstance(step, UdfJobStepConfig):
                step.udf.parameters.update(_declared(step.udf, kwargs))
        return get_api().start_job(
            job,
            instance_type=instance_type,
            region=region,
            disk_size_gb=disk_size_gb,
            additional_env=additional_env,
            image_name=image_name,
            send_status_email=send_status_email,
        )

    run_remote = run_batch

    def run_local(self, *args: Any, **kwargs: Any) -> "MultiUdfEvaluationResult":
        """Runs the steps here, one after the other. Keywords become parameters of the UDFs that declare them.

        Raises what a UDF raises, as UdfRuntimeError, and NotImplementedError for a step that ingests.
        """
        results = []
        for step in self.steps:
            results.append(step.run_local(*args, **(_declared(step.udf, kwargs) if isinstance(step, UdfJobStepConfig) else {})))
        return MultiUdfEvaluationResult(udf_results=results)

    def export(self, path: Any, how: Literal["local", "zip"] = "local", overwrite: bool = False) -> None:
        """Writes the job as files: `meta.json`, `README.md`, the code of its UDFs and of their headers.

        Args:
            path: the folder to make, or for `zip` the file (or a binary file that is open).
            how: `local` for a folder, `zip` for an archive.
            overwrite: replace what is there, else FileExistsError.
        """
        from ._export import export_job

        export_job(self, path, how, overwrite)

    def _first_step(self) -> JobStepConfig:
        if not self.steps:
            raise ValueError("The job has no steps")
        if len(self.steps) > 1:
            import warnings

            from ...warnings import FusedDefaultWarning

            warnings.warn(FusedDefaultWarning("The job has more than one step: this is the first"), stacklevel=3)
        return self.steps[0]


class MultiUdfEvaluationResult(Model):
    """The results of a job's steps that ran here, in order."""

    udf_results: list[Any] = field(list_of(anything))


def _declared(udf: "Udf", values: dict[str, Any]) -> dict[str, Any]:
    """Those of the values that are for parameters of the UDF."""
    declared: set[str] = set()
    for node in ast.walk(ast.parse(udf.code)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == udf.entrypoint:
            declared.update(item.arg for item in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs))
    return {name: value for name, value in values.items() if name in declared}
