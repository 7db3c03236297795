"""Reading tables of H3 cells by ranges of cells."""

import time
from typing import TYPE_CHECKING, Any, Dict, List, Optional

from ._options import options
from ._tables_format import get_chunks_metadata, open_parquet

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    import pyarrow.parquet as pq

_COLUMN = "hex"


def read_hex_table(dataset_path: str, hex_ranges_list: List[List[int]], columns: Optional[List[str]] = None,
                   base_url: Optional[str] = None, verbose: bool = False, return_timing_info: bool = False,
                   batch_size: Optional[int] = None,
                   max_concurrent_downloads: Optional[int] = None) -> "pa.Table | tuple[pa.Table, Dict[str, Any]]":  # fmt: skip
    """The rows of a table of H3 cells (column `hex`, uint64) whose cells are in one of several ranges, as a pyarrow Table.

    Only the row groups are read whose statistics say that they can have such cells.

    Args:
        dataset_path: the folder of the table, as in `fused.get_chunks_metadata`.
        hex_ranges_list: pairs of the first and the last cell of a range, both in it.
        columns: the columns to read. None is all.
        base_url: has no effect: the table itself says which files it has.
        verbose: print how much was read.
        return_timing_info: give a pair: the table, and a dict with `total_s` (seconds), `num_files` and `num_row_groups`.
        batch_size: about how many bytes of row groups are read at a time; one is read whole. None is the option `row_group_batch_size`.
        max_concurrent_downloads: has no effect.

    Raises ValueError for ranges that are none, and for a table without cells; FileNotFoundError where there is no table.
    """
    import pyarrow as pa

    ranges = [_range(pair) for pair in hex_ranges_list]
    begin = time.monotonic()
    root = dataset_path.removesuffix("/")
    file_ids = list(dict.fromkeys(get_chunks_metadata(root)["file_id"])) if ranges else []
    tables, empty, groups = [], None, 0
    for file_id in file_ids:
        with open_parquet(f"{root}/{file_id}.parquet") as file:
            names = _columns(file, columns)
            empty = file.schema_arrow.empty_table().select(names) if empty is None else empty
            wanted = [number for number in range(file.num_row_groups) if _may_have(file, number, ranges)]
            groups += len(wanted)
            for numbers in _batches(file, wanted, options.row_group_batch_size if batch_size is None else batch_size):
                tables.append(_within(file.read_row_groups(numbers, columns=names), ranges))
    found = pa.concat_tables(tables) if tables else pa.table({}) if empty is None else empty
    if columns is not None and found.num_columns:
        found = found.select(columns)
    seconds = time.monotonic() - begin
    if verbose:
        print(f"{found.num_rows} rows of {groups} row groups in {len(file_ids)} files: {seconds:.2f} s")
    return (found, {"total_s": seconds, "num_files": len(file_ids), "num_row_groups": groups}) if return_timing_info else found


def _range(pair: Any) -> tuple[int, int]:
    try:
        first, last = map(int, pair)
    except (TypeError, ValueError):
        raise ValueError(f"hex_ranges_list must have pairs of cells: received {pair!r}") from None
    if first > last:
        raise ValueError(f"hex_ranges_list must have pairs of a first and a last cell: {first} is after {last}")
    return first, last


def _columns(file: "pq.ParquetFile", columns: Optional[List[str]]) -> List[str]:
    """The columns to read: the cells among them, which rows are chosen by."""
    known = file.schema_arrow.names
    if _COLUMN not in known:
        raise ValueError(f"The table has no column {_COLUMN!r}: it has {', '.join(known)}")
    if columns is None:
        return known
    missing = [name for name in columns if name not in known]
    if missing:
        raise ValueError(f"The table has no column {missing[0]!r}: it has {', '.join(known)}")
    return list(dict.fromkeys([*columns, _COLUMN]))


def _may_have(file: "pq.ParquetFile", number: int, ranges: list[tuple[int, int]]) -> bool:
    """Whether a row group can have cells of one of the ranges; without statistics it can."""
    group = file.metadata.row_group(number)
    position = next(at for at in range(group.num_columns) if group.column(at).path_in_schema == _COLUMN)
    statistics = group.column(position).statistics
    if statistics is None or not statistics.has_min_max:
        return True
    return any(statistics.min <= last and first <= statistics.max for first, last in ranges)


def _batches(file: "pq.ParquetFile", numbers: List[int], size: int) -> "Iterator[List[int]]":
    """The numbers of row groups that are read together: as many as have `size` bytes, at least one."""
    batch: List[int] = []
    held = 0
    for number in numbers:
        of_group = file.metadata.row_group(number).total_byte_size
        if batch and held + of_group > size:
            yield batch
            batch, held = [], 0
        batch.append(number)
        held += of_group
    if batch:
        yield batch


def _within(table: "pa.Table", ranges: list[tuple[int, int]]) -> "pa.Table":
    import pyarrow as pa
    import pyarrow.compute as pc

    compute: Any = pc  # its functions are made when it is imported: no checker knows them
    cells = table[_COLUMN]
    mask = None
    for first, last in ranges:
        is_after = compute.greater_equal(cells, pa.scalar(first, cells.type))
        is_before = compute.less_equal(cells, pa.scalar(last, cells.type))
        one = compute.and_(is_after, is_before)
        mask = one if mask is None else compute.or_(mask, one)
    return table.filter(mask)
