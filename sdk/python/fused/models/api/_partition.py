"""Steps that ingest: they make tables."""

import warnings
from typing import TYPE_CHECKING, Any, Literal

from ..._validation import (
    Model,
    anything,
    either,
    field,
    flag,
    integer,
    list_of,
    number,
    one_of,
    optional,
    strict_flag,
    strict_integer,
    strict_number,
    text,
    text_mapping,
)
from ._step import JobStepConfig

if TYPE_CHECKING:
    from ..internal import RunResponse


class PartitionJobStepConfig(JobStepConfig):
    """A step that ingests: it cuts data into a table of files and chunks.

    Args:
        input: the place of the data, or several.
        output: the place of the table.
        output_metadata: the place of the table's metadata. None is that of the table.
        partitioning_maximum_per_file: the most that a file holds, by the method. None is a tenth of all.
        partitioning_maximum_per_chunk: the most that a chunk holds, by the method. None is a hundredth of all.
        overwrite: replace what lies at the output.
    """

    input: list[str] | str = field(either(text, list_of(text), "must be a text or a list of texts"))
    output: str | None = field(optional(text), default=None)
    output_metadata: str | None = field(optional(text), default=None)
    partitioning_maximum_per_file: int | None = field(optional(integer), default=2_500_000)
    partitioning_maximum_per_chunk: int | None = field(optional(integer), default=65_000)
    overwrite: bool = field(flag, default=False)

    def execute(self, *args: Any, **kwargs: Any) -> "RunResponse":
        """Deprecated: the old name of `run_batch`."""
        warnings.warn("execute is deprecated: use run_batch", DeprecationWarning, stacklevel=2)
        return self.run_batch(*args, **kwargs)

    def _check_for_run(self, ignore_no_udf: bool, validate_inputs: bool) -> None:
        for place in self.input if isinstance(self.input, list) else [self.input]:
            if validate_inputs and place.startswith(("file://", "/", "./")):
                from ...warnings import FusedPathWarning

                message = f"The input {place} is looked for on the server, not on this machine. If it lies here, upload it first."
                warnings.warn(FusedPathWarning(message), stacklevel=3)


class GDALOpenConfig(Model):
    """How GDAL opens a file: `open_options` of the driver, and the `layer` of a file with several. Unknown keys are dropped."""

    open_options: dict[str, str] = field(text_mapping, default_factory=dict)
    layer: str | None = field(optional(text), default=None)


def _pair(value: Any) -> tuple[str, str]:
    if isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(one, str) for one in value):
        return (value[0], value[1])
    raise ValueError("must be two texts")


class GeospatialPartitionJobStepConfig(PartitionJobStepConfig):
    """A step that ingests data with geometries. `fused.ingest` says what the fields mean."""

    type: str = field(one_of("partition_geospatial"), default="partition_geospatial")
    table_schema: Any = field(anything, default=None)
    file_suffix: str | None = field(optional(text), default=None)
    load_columns: list[str] | None = field(optional(list_of(text)), default=None)
    remove_cols: list[str] = field(list_of(text), default=[])
    explode_geometries: bool = field(strict_flag, default=False)
    drop_out_of_bounds: bool | None = field(optional(strict_flag), default=None)
    lonlat_cols: tuple[str, str] | None = field(optional(_pair), default=None)
    partitioning_max_width_ratio: int | float = field(strict_number, default=2)
    partitioning_max_height_ratio: int | float = field(strict_number, default=2)
    partitioning_method: Literal["area", "length", "coords", "rows"] = field(one_of("area", "length", "coords", "rows"))
    partitioning_force_utm: Literal["file", "chunk"] | None = field(one_of("file", "chunk", None), default=None)
    partitioning_split_method: Literal["mean", "median"] = field(one_of("mean", "median"))
    subdivide_start: float | None = field(optional(number), default=None)
    subdivide_stop: float | None = field(optional(number), default=None)
    subdivide_method: Literal["area"] | None = field(one_of("area", None), default="area")
    split_identical_centroids: bool = field(strict_flag, default=True)
    target_num_chunks: int = field(strict_integer, default=5000)
    partitioning_schema_input: str | None = field(optional(text), default=None)
    gdal_config: GDALOpenConfig = field(GDALOpenConfig.model_validate, default_factory=GDALOpenConfig)
    write_covering_bbox: bool = field(strict_flag, default=False)


class NonGeospatialPartitionJobStepConfig(PartitionJobStepConfig):
    """A step that ingests data without geometries; `partition_col` is the column by whose values it is cut."""

    type: str = field(one_of("partition_nongeospatial"), default="partition_nongeospatial")
    partition_col: str | None = field(optional(text), default=None)
