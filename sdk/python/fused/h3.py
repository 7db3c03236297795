"""`fused.h3`: tables of H3 cells: made from rasters or from other tables, and read by ranges of cells.

Making them is done by the runtime that the code runs in, or outside of an isolate by the server that `fused.options.base_url` names.
"""

import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any, Dict

from . import _host
from ._h3_tables import read_hex_table
from ._ingest_here import ingest_here

__all__ = ["persist_hex_table_metadata", "read_hex_table", "run_ingest_raster_to_h3", "run_partition_to_h3"]

_STEPS = ("extract", "partition", "metadata", "overview")
_FINEST = 15


def _renamed(old: str, new: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Takes a keyword under its old name, too, with a DeprecationWarning."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if old in kwargs:
                warnings.warn(f"{old} is deprecated: use {new}", DeprecationWarning, stacklevel=2)
                if args or new in kwargs:
                    raise TypeError(f"{function.__name__}() got both {new} and {old}, which are the same")
                kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return wrapper

    return decorate


@_renamed("src_path", "input_path")
def run_ingest_raster_to_h3(input_path: str | list[str], output_path: str, metrics: str | list[str] = "cnt", res: int | None = None,
                            k_ring: int = 1, res_offset: int = 1, chunk_res: int | None = None, file_res: int | None = None,
                            overview_res: list[int] | None = None, overview_chunk_res: int | list[int] | None = None,
                            max_rows_per_chunk: int = 0, include_source_url: bool = True, target_chunk_size: int | None = None,
                            nodata: int | float | None = None, debug_mode: bool = False, remove_tmp_files: bool = True,
                            tmp_path: str | None = None, overwrite: bool = False, steps: list[str] | None = None,
                            extract_engine: str | None = None, extract_max_workers: int = 256, partition_engine: str | None = None,
                            partition_max_workers: int = 256, overview_engine: str | None = None, overview_max_workers: int = 256,
                            **kwargs: Any) -> Any:  # fmt: skip
    """Makes a table of H3 cells from rasters: each pixel goes to the cell of its centre and to the cells around it.

    Args:
        input_path: the place of a raster, of a folder of them, or several places.
        output_path: the place of the table.
        metrics: `cnt` (how often each value is there), or any of `avg`, `min`, `max`, `stddev`, `mode`, `sum`.
        res: the resolution of the cells, 0 to 15. None is the one that fits the pixels.
        k_ring: how many rings of cells around that of a pixel's centre get its value.
        res_offset: by how much finer the cells are to which pixels go first.
        chunk_res: the resolution of the cells that chunks are cut by. None is max(res - 7, file_res + 2).
        file_res: the resolution of the cells that files are cut by. None is max(res - 10, 0), -1 makes one file.
        overview_res: the resolutions of the overviews. None is 3 to min(res - 1, 7).
        overview_chunk_res: the resolution of the overviews' chunks, or one for each. None is max(r - 5, 0).
        max_rows_per_chunk: the most rows of a chunk, instead of `chunk_res`. 0 is no limit.
        include_source_url: have the column `source_url`.
        target_chunk_size: about how many pixels are read at a time. None is 10,000,000, with more than 20 files a file; 0 is a file.
        nodata: the value of pixels to leave out. None is the file's own.
        debug_mode: run the first part only.
        remove_tmp_files: delete what is written on the way.
        tmp_path: where that is written. None is a place beside the output.
        overwrite: replace what lies at the output.
        steps: which of `extract`, `partition`, `metadata` and `overview` to run. None is all.
        extract_engine, partition_engine, overview_engine: where these steps run: an instance type, or `local`.
        extract_max_workers, partition_max_workers, overview_max_workers: on how many instances at a time.
        **kwargs: arguments of `fused.submit` for all steps. `extract_kwargs`, `partition_kwargs` and `overview_kwargs`, for one step each,
            are deprecated.

    Gives the results of the extract and of the partition step. Raises ValueError and NotImplementedError for arguments that cannot be,
    NotImplementedError where nothing here can ingest.
    """
    given = {**locals(), **kwargs}
    del given["kwargs"]
    for step in steps or ():
        if step not in _STEPS:
            raise ValueError(f"Invalid step '{step}' specified in `steps`. Supported steps are {', '.join(map(repr, _STEPS))}.")
    _check_cells(metrics, res, overview_res)
    names = [metrics] if isinstance(metrics, str) else list(metrics)
    if "sum" in names and k_ring != 1 and res_offset != 1:
        raise NotImplementedError("The 'sum' metric is currently only supported for k_ring=1 and res_offset=1")
    if res is not None and res + res_offset > _FINEST:
        raise ValueError(
            f"res={res} and res_offset={res_offset} make {res + res_offset}: the finest resolution is {_FINEST}. Lower one of them."
        )
    from .warnings import FusedDeprecationWarning

    for step in ("extract", "partition", "overview"):
        if f"{step}_kwargs" in kwargs:
            message = f"`{step}_kwargs` is deprecated, use `{step}_engine` and `{step}_max_workers` instead."
            warnings.warn(FusedDeprecationWarning(message), stacklevel=3)
    return _run("run_ingest_raster_to_h3", given)


def run_partition_to_h3(input_path: str | list[str], output_path: str, metrics: str | list[str] = "cnt",
                        groupby_cols: list[str] = ["hex"], data_cols: list[str] = ["data"],  # noqa: B006
                        window_cols: list[str] = ["hex"], additional_cols: list[str] = [],  # noqa: B006
                        input_rows_are_counts: bool = True, res: int | None = None, chunk_res: int | None = None,
                        file_res: int | None = None, overview_res: list[int] | None = None,
                        overview_chunk_res: int | list[int] | None = None, max_rows_per_chunk: int = 0, remove_tmp_files: bool = True,
                        overwrite: bool = False, extract_kwargs: Any = {}, partition_kwargs: Any = {},  # noqa: B006
                        overview_kwargs: Any = {}, **kwargs: Any) -> Any:  # noqa: B006  # fmt: skip
    """Makes a table of H3 cells from Parquet files that have the cells in a column `hex` already.

    Args:
        input_path: the place of a file, of a folder of them, or several places.
        output_path: the place of the table.
        metrics: `cnt`, or any of `avg`, `min`, `max`, `stddev`, `sum`.
        groupby_cols: the columns whose values make a group; `hex` is one of them.
        data_cols: the columns with the values.
        window_cols: the columns for whose values totals are counted, with `cnt`.
        additional_cols: further columns to keep, which have one value in each group, with `cnt`.
        input_rows_are_counts: whether the input has a column `cnt` of counts, else it has values.
        res: the resolution of the cells, 0 to 15; it must be given.
        chunk_res, file_res, overview_res, overview_chunk_res, max_rows_per_chunk, remove_tmp_files, overwrite: as for
            `run_ingest_raster_to_h3`.
        extract_kwargs, partition_kwargs, overview_kwargs: arguments of `fused.submit` for one of the steps.
        **kwargs: arguments of `fused.submit` for all steps.

    Gives the results of the extract and of the partition step. Raises ValueError for arguments that cannot be, NotImplementedError where
    nothing here can ingest.
    """
    if res is None:
        raise ValueError("res must be specified for now")
    _check_cells(metrics, res, overview_res)
    if "hex" not in groupby_cols:
        raise ValueError("groupby_cols must contain 'hex'")
    given = {**locals(), **kwargs}
    del given["kwargs"]
    return _run("run_partition_to_h3", given)


def persist_hex_table_metadata(dataset_path: str, output_path: str | None = None, metadata_path: str | None = None, verbose: bool = False,
                               row_group_size: int = 500, indexed_columns: list[str] | None = None, pool_size: int = 10,
                               metadata_compression_level: int | None = None) -> str:  # fmt: skip
    """Writes an index of a table of H3 cells, with which it is read without a server.

    Args:
        dataset_path: the place of the table.
        output_path: deprecated, use `metadata_path`.
        metadata_path: the place of the index. None is beside the table.
        verbose: print what is done.
        row_group_size: how many rows a group of the index has.
        indexed_columns: the columns to index. None is the first one with cells.
        pool_size: how many files are read at a time.
        metadata_compression_level: how much the index is compressed. None is not at all.

    Gives the place of the index. Raises NotImplementedError where nothing here can ingest.
    """
    return _run("persist_hex_table_metadata", dict(locals()))


def _check_cells(metrics: str | list[str], res: int | None, overview_res: list[int] | None) -> None:
    if not isinstance(metrics, str) and len(metrics) > 1 and "cnt" in metrics:
        raise ValueError("The 'cnt' metric cannot be combined with other metrics")
    if res is not None and not 0 <= res <= _FINEST:
        raise ValueError(f"res must be from 0 to {_FINEST}: received {res}")
    if res is not None and overview_res and max(overview_res) >= res:
        raise ValueError("Overview resolutions must be lower than the target resolution `res`")


def _run(name: str, arguments: Dict[str, Any]) -> Any:
    """Runs one of these functions where something can ingest: here, or on the server, as the UDF that calls it there."""
    from ._options import options

    if _host.connected() or not options.base_url or arguments.get("engine") == "local":
        return ingest_here(name, arguments)
    from ._load import load
    from ._run import run

    udf = load(f"@fused.udf(cache_max_age=0)\ndef udf(arguments: dict):\n    return fused.h3.{name}(**arguments)\n")
    return run(udf, engine="remote", arguments=arguments)
