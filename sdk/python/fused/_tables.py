"""Frames and Arrow data across the wall, as an Arrow IPC stream (https://arrow.apache.org/docs/format/Columnar.html).

pyarrow writes how a frame's index and dtypes come back into the schema's `pandas` metadata; `meta` repeats the index for
readers without pandas: `{"kind": "range", "start", "stop", "step", "name"}` or the names of the columns that hold it.
Geometries are ISO WKB; `meta["columns"]` has the CRS of each geometry column: `"EPSG:4326"`, PROJJSON or null.
"""

import json
import re
import sys
from collections.abc import Collection
from io import BytesIO
from typing import TYPE_CHECKING, Any

from ._columns import write_columns
from ._exceptions import ResultProblem
from ._json import dumps_ascii, shorten
from ._plain import type_name

if TYPE_CHECKING:
    from ._encode import Writer

_COLUMN = re.compile(r"column (.+?) with type")


def write_frame(writer: "Writer", value: Any, depth: int) -> None:
    """Writes a pandas DataFrame."""
    _write_pandas(writer, value, "dataframe", {})


def write_series(writer: "Writer", value: Any, depth: int) -> None:
    """Writes a pandas Series, as a table of one column."""
    frame = value.to_frame("value" if value.name is None else value.name)
    _write_pandas(writer, frame, "series", {"name": _name(value.name)})


def write_index(writer: "Writer", value: Any, depth: int) -> None:
    """Writes a pandas Index, as a table of its levels."""
    frame = value.to_frame(index=False)
    frame.columns = [str(number) for number in range(frame.shape[1])]
    _write_pandas(writer, frame, "index", {"names": [_name(name) for name in value.names]})


def write_extension_array(writer: "Writer", value: Any, depth: int) -> None:
    """Writes one of pandas' own arrays, such as a Categorical, as a Series."""
    import pandas

    write_series(writer, pandas.Series(value), depth)


def write_timestamp(writer: "Writer", value: Any, depth: int) -> None:
    """Writes a pandas Timestamp: a datetime, with nanoseconds where it has some."""
    writer.tag("datetime", value.isoformat())


def write_geo_frame(writer: "Writer", value: Any, depth: int) -> None:
    """Writes a GeoDataFrame."""
    active = value._geometry_column_name
    _write_geo(writer, value, "geodataframe", {"geometry": _name(active)})


def write_geo_series(writer: "Writer", value: Any, depth: int) -> None:
    """Writes a GeoSeries, as a table of one column."""
    name = "geometry" if value.name is None else value.name
    import geopandas

    _write_geo(writer, geopandas.GeoDataFrame({name: value}, geometry=name), "geoseries", {"name": _name(value.name)})


def _write_geo(writer: "Writer", frame: Any, kind: str, meta: dict[str, Any]) -> None:
    names = [name for name, dtype in frame.dtypes.items() if dtype.name == "geometry"]
    meta["columns"] = {str(name): _crs_json(frame[name].crs) for name in names}
    _write_pandas(writer, frame.to_wkb(flavor="iso"), kind, meta, names)


def _write_pandas(writer: "Writer", frame: Any, kind: str, meta: dict[str, Any], geometries: Collection[Any] = ()) -> None:
    # Loading pyarrow for this alone would take longer than most UDFs run.
    if sys.modules.get("pyarrow") is None:
        write_columns(writer, frame, kind, meta, geometries)
        return
    import pyarrow as pa

    table = _from_pandas(writer, pa, frame)
    for name in geometries:
        index = table.schema.get_field_index(str(name))
        if pa.types.is_null(table.schema.field(index).type):  # a column of nothing but missing geometries
            table = table.set_column(index, table.schema.field(index).with_type(pa.binary()), table.column(index).cast(pa.binary()))
    _write_table(writer, table, kind, meta)


def write_arrow(writer: "Writer", value: Any, depth: int) -> None:
    """Writes a pyarrow Table, RecordBatch or RecordBatchReader."""
    import pyarrow as pa

    if isinstance(value, pa.RecordBatch):
        value = pa.Table.from_batches([value])
    elif isinstance(value, pa.RecordBatchReader):
        value = value.read_all()
    _write_table(writer, value, "arrow", {})


def write_arrow_column(writer: "Writer", value: Any, depth: int) -> None:
    """Writes a pyarrow Array or ChunkedArray, as a table of one column."""
    import pyarrow as pa

    _write_table(writer, pa.table({"value": value}), "arrow", {"column": "value"})


def write_stream(writer: "Writer", value: Any, depth: int) -> None:
    """Writes anything that gives an Arrow stream: polars, nanoarrow, arro3, duckdb."""
    try:
        import pyarrow as pa
    except ImportError:
        _write_ipc(writer, [_stream_without_pyarrow(writer, value)], "arrow", {})
        return
    try:
        table = pa.table(value)
    except (pa.ArrowException, TypeError, ValueError):
        # A stream of something else than rows: one column, such as a polars Series.
        write_arrow_column(writer, pa.chunked_array(value), depth)
        return
    _write_table(writer, table, "arrow", {})


def _stream_without_pyarrow(writer: "Writer", value: Any) -> Any:
    sink = BytesIO()
    try:
        from arro3.io import write_ipc_stream

        write_ipc_stream(value, sink)
        return sink.getbuffer()
    except ImportError:
        pass
    try:
        from nanoarrow.ipc import StreamWriter
    except ImportError:
        writer.fail(f"an object of class {type_name(type(value))}",
                    "Its Arrow data needs pyarrow, arro3-io or nanoarrow: add one of them to the UDF's dependencies.")  # fmt: skip
    with StreamWriter.from_writable(sink) as stream:
        stream.write_stream(value)
    return sink.getbuffer()


def _from_pandas(writer: "Writer", pa: Any, frame: Any) -> Any:
    try:
        # One thread: the isolate has no more.
        return pa.Table.from_pandas(frame, nthreads=1)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        message = " ".join(str(part) for part in error.args)
        column = _COLUMN.search(message)
        label = column[1] if column else _unfit_label(pa, frame)
        path = writer.path() if label is None else f'{writer.path()}["{label}"]'
        raise ResultProblem(f"Cannot return {path}: Arrow cannot hold it: {shorten(message, 500)}", subject=path) from error


def _unfit_label(pa: Any, frame: Any) -> Any:
    """The label of the first column that Arrow cannot hold; not all of its errors say it."""
    for position, label in enumerate(frame.columns):
        try:
            pa.Array.from_pandas(frame.iloc[:, position])
        except (pa.ArrowException, ValueError, TypeError, OverflowError):
            return label
    return None


def _write_table(writer: "Writer", table: Any, kind: str, meta: dict[str, Any]) -> None:
    import pyarrow as pa

    table = _without_views(pa, table).unify_dictionaries()
    pandas_metadata = (table.schema.metadata or {}).get(b"pandas")
    if kind != "arrow" and pandas_metadata:
        meta["index"] = json.loads(pandas_metadata).get("index_columns", [])
    sink = _Parts()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    _write_ipc(writer, sink.parts(), kind, meta)


class _Parts:
    """Takes a stream that pyarrow writes, its large buffers as they lie in memory: they are first copied when they leave the isolate."""

    # What is smaller is put together: a part costs more than its copy.
    SMALL = 1 << 18
    closed = False

    def __init__(self) -> None:
        self._parts: list[Any] = []
        self._small = bytearray()

    def write(self, data: Any) -> int:
        view = memoryview(data)
        if view.nbytes < self.SMALL:
            self._small += view
        else:
            self._parts += [self._small, view]
            self._small = bytearray()
        return view.nbytes

    def parts(self) -> list[Any]:
        return [*self._parts, self._small]

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True


def _write_ipc(writer: "Writer", parts: list[Any], kind: str, meta: dict[str, Any]) -> None:
    first = len(writer.buffers)
    writer.buffers += parts
    writer.out.append(f'{{"$":"table","kind":"{kind}","meta":{dumps_ascii(meta)},"b":{first},"n":{len(parts)}}}')


def _without_views(pa: Any, table: Any) -> Any:
    """Strings as most readers know them: polars gives views, which Arrow has only had since format 1.4."""
    plain = {"string_view": pa.large_string(), "binary_view": pa.large_binary()}
    fields = [field.with_type(plain.get(str(field.type), field.type)) for field in table.schema]
    if all(field.type == old.type for field, old in zip(fields, table.schema, strict=True)):
        return table
    return table.cast(pa.schema(fields, table.schema.metadata))


def _name(name: Any) -> Any:
    return name if name is None or type(name) in (str, int) else str(name)


def _crs_json(crs: Any) -> Any:
    if crs is None:
        return None
    projjson = crs.to_json_dict()
    known = projjson.get("id", {})
    if known.get("authority") in ("EPSG", "OGC") and "code" in known:
        return f"{known['authority']}:{known['code']}"
    return projjson


def read_table(ipc: Any, kind: Any, meta: dict[str, Any]) -> Any:
    """Reads a table as what it was: a frame where pandas or geopandas is there, else a pyarrow Table.

    Raises ImportError where pyarrow is not there.
    """
    import pyarrow as pa

    try:
        table = pa.ipc.open_stream(pa.py_buffer(ipc)).read_all()
        # Offsets inside the data are trusted by everything that reads it from here on.
        table.validate(full=True)
    except pa.ArrowException as error:
        raise ValueError(f"a table is no Arrow stream: {shorten(str(error), 200)}") from None
    if kind == "arrow":
        return table.column(0) if meta.get("column") is not None and table.num_columns == 1 else table
    if kind not in ("dataframe", "geodataframe", "series", "geoseries", "index"):
        raise ValueError(f"there is no kind of table {shorten(repr(kind))}")
    try:
        import pandas
    except ImportError:
        return table
    frame = table.to_pandas(use_threads=False)
    if kind.startswith("geo"):
        frame = _with_geometry(frame, meta)
    if kind == "index":
        names = meta.get("names")
        names = names if type(names) is list and len(names) == frame.shape[1] else [None] * frame.shape[1]
        if frame.shape[1] == 1:
            return pandas.Index(frame.iloc[:, 0]).rename(names[0])
        return pandas.MultiIndex.from_frame(frame, names=names)
    if kind in ("series", "geoseries"):
        column = frame.iloc[:, 0]
        return column.rename(None) if meta.get("name") is None else column
    return frame


def _with_geometry(frame: Any, meta: dict[str, Any]) -> Any:
    try:
        import geopandas
    except ImportError:
        return frame
    columns = meta.get("columns")
    columns = columns if type(columns) is dict else {}
    frame = geopandas.GeoDataFrame(frame)
    for name in [name for name in frame.columns if str(name) in columns]:
        crs = columns[str(name)]
        frame[name] = geopandas.GeoSeries.from_wkb(frame[name], crs=crs)
    active = meta.get("geometry", next(iter(columns), None))
    return frame.set_geometry(active) if active is not None and active in frame.columns else frame
