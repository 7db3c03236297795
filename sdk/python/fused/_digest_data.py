"""Tokens of arrays, frames, Arrow data and images: their schema, their index and the bytes of their content."""

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ._plain import type_name

if TYPE_CHECKING:
    from ._digest import Digester


def array(digester: "Digester", value: Any) -> bytes:
    """A numpy array: dtype, shape and bytes, row by row."""
    import numpy

    dtype = value.dtype
    head = digester.sequence((type(value), dtype.str if dtype.names is None else repr(dtype), value.shape))
    # Objects and numpy's variable-width strings hold addresses.
    if dtype.hasobject or dtype.kind == "T":
        return b"A" + head + digester.token(numpy.asarray(value).reshape(-1).tolist())
    flat = numpy.ascontiguousarray(value).reshape(-1)
    return b"A" + head + sha256(flat.view(numpy.uint8) if flat.nbytes else b"").digest()


def scalar(digester: "Digester", value: Any) -> bytes:
    """A numpy scalar."""
    import numpy

    return b"N" + digester.token(type(value)) + array(digester, numpy.asarray(value))


def masked_array(digester: "Digester", value: Any) -> bytes:
    """A masked array: what lies below its mask does not count."""
    import numpy

    filled, mask = numpy.ma.filled(value), numpy.ma.getmaskarray(value)
    return b"K" + digester.sequence((type(value), filled, mask, value.fill_value))


def frame(digester: "Digester", value: Any) -> bytes:
    """A DataFrame or GeoDataFrame."""
    columns = [_values(digester, value.iloc[:, position]) for position in range(value.shape[1])]
    # geopandas keeps the name of the active geometry here.
    active = value.__dict__.get("_geometry_column_name")
    head = digester.sequence((type(value), value.columns, value.index, dict(value.attrs), active))
    return b"D" + head + b"".join(columns)


def series(digester: "Digester", value: Any) -> bytes:
    """A Series or GeoSeries."""
    return b"R" + digester.sequence((type(value), value.name, value.index, dict(value.attrs))) + _values(digester, value)


def index(digester: "Digester", value: Any) -> bytes:
    """An index, whichever kind."""
    head = b"I" + digester.sequence((type(value), list(value.names)))
    if type_name(type(value)) == "RangeIndex":
        return head + digester.token((value.start, value.stop, value.step))
    if value.nlevels > 1:
        return head + digester.sequence([value.get_level_values(level) for level in range(value.nlevels)])
    return head + digester.token(getattr(value, "freqstr", None)) + _values(digester, value)


def _values(digester: "Digester", value: Any) -> bytes:
    """The values of a Series or an Index."""
    import numpy

    return digester.token(value.to_numpy()) if isinstance(value.dtype, numpy.dtype) else digester.token(value.array)


def extension_array(digester: "Digester", value: Any) -> bytes:
    """One of the arrays of pandas' own dtypes, or geopandas'."""
    import numpy

    dtype = value.dtype
    name = str(dtype) if dtype.name in ("category", "geometry") else repr(dtype)
    head = b"E" + digester.token(name)
    if dtype.name == "category":
        return head + digester.sequence((value.codes, dtype.categories, dtype.ordered))
    if dtype.name == "geometry":
        from shapely import to_wkb

        return head + digester.sequence((None if value.crs is None else value.crs.to_wkt(), list(to_wkb(numpy.asarray(value)))))
    if dtype.kind in "biuf" and hasattr(dtype, "numpy_dtype"):
        missing = value.isna()
        return head + digester.sequence((missing, value.to_numpy(dtype.numpy_dtype, na_value=0)))
    if hasattr(value, "asi8"):
        return head + digester.token(value.asi8)
    return head + digester.token(value.astype(object).tolist())


def arrow_table(digester: "Digester", value: Any) -> bytes:
    """A pyarrow Table or RecordBatch, whatever its batches, as an Arrow stream. A slice of texts may differ from a copy of it."""
    import pyarrow as pa

    table = pa.Table.from_batches([value]) if isinstance(value, pa.RecordBatch) else value
    table = table.unify_dictionaries().combine_chunks()
    sink = _Sink()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return b"T" + digester.token(type(value)) + sink.hash.digest()


def arrow_column(digester: "Digester", value: Any) -> bytes:
    """A pyarrow Array or ChunkedArray."""
    import pyarrow as pa

    return b"L" + digester.sequence((type(value), pa.table({"": value})))


class _Sink:
    """What pyarrow writes to, as to a file."""

    closed = False

    def __init__(self) -> None:
        self.hash = sha256()

    def write(self, data: Any) -> int:
        self.hash.update(data)
        return memoryview(data).nbytes

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True


def image(digester: "Digester", value: Any) -> bytes:
    """A PIL image: its pixels, not the file that it came from."""
    return b"G" + digester.sequence((value.mode, value.size, value.getpalette(), value.tobytes()))

