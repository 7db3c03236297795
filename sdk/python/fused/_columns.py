"""Frames across the wall without pyarrow: as columns in Arrow's layouts, of which the host makes the Arrow stream.

Loading pyarrow takes longer than starting Python, so a UDF that does not use it goes without. The tag:

    {"$": "columns", "kind": "dataframe", "meta": {…}, "rows": 3, "pandas": "…", "columns": [{"name": "a", "type": "int64", …}]}

`kind` and `meta` are those of the tag `table`, `pandas` is the text of the key of the schema's metadata of that name. For the
columns see `_layouts`.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, NoReturn

from ._dtypes import series_column
from ._exceptions import ResultProblem
from ._json import dumps_ascii, shorten
from ._layouts import Put, UnfitError, binary_column
from ._pandas_metadata import column_name, describe_column, index_levels, level_name, pandas_metadata, range_descriptor

if TYPE_CHECKING:
    from ._encode import Writer


def write_columns(writer: "Writer", frame: Any, kind: str, meta: dict[str, Any], geometries: Collection[Any] = ()) -> None:
    """Writes a DataFrame, or what became one. `geometries` are the labels of columns of bytes, even where all are missing."""

    def put(buffer: Any) -> int:
        writer.buffers.append(buffer)
        return len(writer.buffers) - 1

    import pandas

    if not frame.columns.is_unique:
        _fail(writer, f"Duplicate column names found: {shorten(str(list(frame.columns)))}")
    columns, described = [], []
    for position, label in enumerate(frame.columns):
        values = frame.iloc[:, position]
        made = {"name": str(column_name(label)), **_column(writer, values, label, put)}
        described.append(describe_column(values, label, made))
        if made["type"] == "null" and label in geometries:
            made.update(_all_missing(len(frame), put))
        columns.append(made)
    taken: list[Any] = [entry["name"] for entry in described]
    index: list[Any] = []
    for number, level in enumerate(index_levels(frame.index)):
        if isinstance(level, pandas.RangeIndex):
            index.append(range_descriptor(level))
            continue
        name = level_name(level, number, taken)
        made = {"name": name, **_column(writer, level, name, put)}
        columns.append(made)
        described.append(describe_column(level, level.name, made))
        taken.append(name)
        index.append(name)
    try:
        text = pandas_metadata(frame, index, described)
    except UnfitError as error:
        _fail(writer, str(error))
    spec = {"kind": kind, "meta": {**meta, "index": index}, "rows": len(frame), "pandas": text, "columns": columns}
    writer.out.append(f'{{"$":"columns",{dumps_ascii(spec)[1:]}')


def _column(writer: "Writer", values: Any, label: Any, put: Put) -> dict[str, Any]:
    try:
        return series_column(values, put)
    except (ValueError, TypeError, OverflowError, AttributeError) as error:
        _fail(writer, " ".join(str(part) for part in error.args), f'["{column_name(label)}"]')


def _all_missing(rows: int, put: Put) -> dict[str, Any]:
    import numpy

    return binary_column([b""] * rows, put, numpy.zeros(rows, bool))


def _fail(writer: "Writer", why: str, step: str = "") -> NoReturn:
    path = writer.path() + step
    raise ResultProblem(f"Cannot return {path}: Arrow cannot hold it: {shorten(why, 500)}", subject=path)
