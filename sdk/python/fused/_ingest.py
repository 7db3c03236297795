"""`fused.ingest` and `fused.ingest_nongeospatial`: what is to become a table. Running it is left to a server, or a runtime that can."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ._global_api import get_api
from .models.api.job import GDALOpenConfig, GeospatialPartitionJobStepConfig, NonGeospatialPartitionJobStepConfig

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd


def ingest(input: "str | Path | Sequence[str | Path] | gpd.GeoDataFrame", output: str | None = None, *, output_metadata: str | None = None,
           schema: Any | None = None, file_suffix: str | None = None, load_columns: Sequence[str] | None = None,
           remove_cols: Sequence[str] | None = None, explode_geometries: bool = False, drop_out_of_bounds: bool | None = None,
           partitioning_method: Literal["area", "length", "coords", "rows"] = "rows",
           partitioning_maximum_per_file: int | float | None = None, partitioning_maximum_per_chunk: int | float | None = None,
           partitioning_max_width_ratio: int | float = 2, partitioning_max_height_ratio: int | float = 2,
           partitioning_force_utm: Literal["file", "chunk", None] = "chunk",
           partitioning_split_method: Literal["mean", "median"] = "mean", subdivide_method: Literal["area", None] = None,
           subdivide_start: float | None = None, subdivide_stop: float | None = None, split_identical_centroids: bool = True,
           target_num_chunks: int = 500, lonlat_cols: tuple[str, str] | None = None,
           partitioning_schema_input: "str | pd.DataFrame | None" = None, gdal_config: GDALOpenConfig | dict[str, Any] | None = None,
           overwrite: bool = False, write_covering_bbox: bool = False,
           as_udf: bool = False) -> GeospatialPartitionJobStepConfig:  # fmt: skip
    """Describes how data with geometries becomes a partitioned table. `run_batch()` of what it gives starts that as a job.

    Args:
        input: a GeoDataFrame, or the place of a file or a folder, or several. What lies on this machine is uploaded.
        output: the place of the table.
        output_metadata: the place of the table's metadata. None is that of the table.
        schema: the columns' types. None takes them from the data.
        file_suffix: the end of the names of the files to take from a folder, like `.geojson`. None is all.
        load_columns: the columns to read. None is all.
        remove_cols: the columns to leave out.
        explode_geometries: make a row of each part of a geometry with several.
        drop_out_of_bounds: leave out what lies outside of WGS84's bounds. None does.
        partitioning_method: what of the geometries counts for the size of a part: `area`, `length`, `coords`, or `rows`.
        partitioning_maximum_per_file: the most that a file holds, by the method. None is a tenth of all.
        partitioning_maximum_per_chunk: the most that a chunk holds, by the method. None is a hundredth of all.
        partitioning_max_width_ratio: parts that are wider than so many times their height are cut.
        partitioning_max_height_ratio: parts that are higher than so many times their width are cut.
        partitioning_force_utm: keep each `file` or each `chunk` in one UTM zone. None does not.
        partitioning_split_method: where to cut: at the `mean` or the `median` of the centroids.
        subdivide_method: cut large geometries into several rows, by their `area`. None does not.
        subdivide_start: the area above which they are cut, in square degrees.
        subdivide_stop: the area below which they are not cut any more, in square degrees.
        split_identical_centroids: cut parts of too many rows although all have the same centroid.
        target_num_chunks: about how many chunks there are to be, where `partitioning_maximum_per_file` is None.
        lonlat_cols: the columns with longitude and latitude, of which points are made; for Parquet files.
        partitioning_schema_input: a frame, or the place of a Parquet file, with the parts to make.
        gdal_config: how GDAL opens the files: `layer`, and `open_options`. Other keys are dropped.
        overwrite: replace what lies at the output.
        write_covering_bbox: write the box of each row, as GeoParquet 1.1 has it.
        as_udf: give a UDF that does it, instead of the description.

    Raises ValidationError for a bad value, ValueError for ones that do not go together, TypeError for an input that is none. Uploading
    raises HTTPError where the server refuses, RuntimeError without one.
    """
    if (subdivide_start is not None or subdivide_stop is not None) and subdivide_method is None:
        raise ValueError('subdivide_start or subdivide_stop require subdivide_method be specified (it should be "area")')
    if as_udf and schema is not None:
        raise ValueError("The `schema` argument is not yet supported when `as_udf=True`. The schema will be inferred from the input data.")
    step = GeospatialPartitionJobStepConfig.model_validate(
        {
            "input": get_api()._upload_input(input),
            "output": output,
            "output_metadata": output_metadata,
            "table_schema": schema,
            "file_suffix": file_suffix,
            "load_columns": None if load_columns is None else list(load_columns),
            "remove_cols": list(remove_cols or ()),
            "explode_geometries": explode_geometries,
            "drop_out_of_bounds": drop_out_of_bounds,
            "lonlat_cols": lonlat_cols,
            "partitioning_maximum_per_file": partitioning_maximum_per_file,
            "partitioning_maximum_per_chunk": partitioning_maximum_per_chunk,
            "partitioning_max_width_ratio": partitioning_max_width_ratio,
            "partitioning_max_height_ratio": partitioning_max_height_ratio,
            "partitioning_method": partitioning_method,
            "partitioning_force_utm": partitioning_force_utm,
            "partitioning_split_method": partitioning_split_method,
            "subdivide_start": subdivide_start,
            "subdivide_stop": subdivide_stop,
            "subdivide_method": subdivide_method,
            "split_identical_centroids": split_identical_centroids,
            "target_num_chunks": target_num_chunks,
            "partitioning_schema_input": None if partitioning_schema_input is None else get_api()._upload_input(partitioning_schema_input),
            "gdal_config": GDALOpenConfig() if gdal_config is None else gdal_config,
            "overwrite": overwrite,
            "write_covering_bbox": write_covering_bbox,
        }
    )
    return _as_udf(step) if as_udf else step


def _as_udf(step: GeospatialPartitionJobStepConfig) -> Any:
    """A UDF that runs the step, wherever it runs itself."""
    from ._load import load

    values = ", ".join(f"{name}={value!r}" for name, value in step.model_dump().items())
    return load(
        "@fused.udf\n"
        "def udf():\n"
        "    from fused.models.api import GeospatialPartitionJobStepConfig\n\n"
        f"    return GeospatialPartitionJobStepConfig({values}).run_local()\n"
    )


def ingest_nongeospatial(input: "str | Path | Sequence[str | Path] | pd.DataFrame | gpd.GeoDataFrame", output: str | None = None, *,
                         output_metadata: str | None = None, partition_col: str | None = None,
                         partitioning_maximum_per_file: int = 2500000,
                         partitioning_maximum_per_chunk: int = 65000) -> NonGeospatialPartitionJobStepConfig:  # fmt: skip
    """Describes how data without geometries becomes a partitioned table. `run_batch()` of what it gives starts that as a job.

    Args:
        input: a frame, or the place of a file or a folder, or several. What lies on this machine is uploaded.
        output: the place of the table.
        output_metadata: the place of the table's metadata. None is that of the table.
        partition_col: the column by whose values the data are cut. None cuts them as they come.
        partitioning_maximum_per_file: the most rows of a file.
        partitioning_maximum_per_chunk: the most rows of a chunk.

    Raises ValidationError for a bad value, TypeError for an input that is none. Uploading raises HTTPError where the server refuses,
    RuntimeError without one.
    """
    return NonGeospatialPartitionJobStepConfig.model_validate(
        {
            "input": get_api()._upload_input(input),
            "output": output,
            "output_metadata": output_metadata,
            "partition_col": partition_col,
            "partitioning_maximum_per_file": partitioning_maximum_per_file,
            "partitioning_maximum_per_chunk": partitioning_maximum_per_chunk,
        }
    )
