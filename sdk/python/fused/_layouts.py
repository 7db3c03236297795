"""Numpy arrays and Python texts as Arrow columns (https://arrow.apache.org/docs/format/Columnar.html).

A column is a dict: `type`, `length`, the indices of its buffers (`validity`, `data`, `offsets`), and what the type needs besides
(`unit`, `timezone`, `precision`, `scale`, `width`, `children`, `dictionary`, `ordered`, `metadata`). Which types there are, and how
long each buffer must be, is checked on the other side of the wall: runtime/columns.ts.
"""

from collections.abc import Callable
from typing import Any

Put = Callable[[Any], int]
"""Keeps a buffer and gives its index."""

_NAMES = {
    "i1": "int8",
    "i2": "int16",
    "i4": "int32",
    "i8": "int64",
    "u1": "uint8",
    "u2": "uint16",
    "u4": "uint32",
    "u8": "uint64",
    "f2": "float16",
    "f4": "float32",
    "f8": "float64",
}
_UNITS = ("s", "ms", "us", "ns")
_MAX_OFFSET = 2**31 - 1


class UnfitError(ValueError):
    """Values that an Arrow column cannot hold, or that this writer does not know."""


def column(type_name: str, length: int, valid: Any, put: Put, **rest: Any) -> dict[str, Any]:
    """A column of a type; `valid` is an array of bool, or None where nothing is missing."""
    made: dict[str, Any] = {"type": type_name, "length": length, **rest}
    if valid is not None and not valid.all():
        made["validity"] = put(_bitmap(valid))
    return made


def null_column(length: int) -> dict[str, Any]:
    """A column of which nothing is known but that all is missing."""
    return {"type": "null", "length": length}


def array_column(values: Any, put: Put, *, valid: Any = None, nan_is_null: bool = True) -> dict[str, Any]:
    """A one-dimensional array of bool, numbers, datetime64 or timedelta64. NaT is missing, and so is NaN if it is said so."""
    import numpy

    dtype = values.dtype
    if dtype.kind == "b":
        return column("bool", len(values), valid, put, data=put(_bitmap(values)))
    if dtype.kind in "mM":
        return _time_column(values, put, valid)
    name = _NAMES.get(dtype.str[1:])
    if name is None:
        raise UnfitError(f"it is of dtype {dtype}")
    if dtype.kind == "f" and nan_is_null and valid is None:
        valid = ~numpy.isnan(values)
    # Arrow is little-endian; a column of a frame may lie between others in memory.
    plain = numpy.ascontiguousarray(values, dtype.newbyteorder("<"))
    return column(name, len(values), valid, put, data=put(plain))


def _time_column(values: Any, put: Put, valid: Any) -> dict[str, Any]:
    import numpy

    unit = numpy.datetime_data(values.dtype)[0]
    found = ~numpy.isnat(values)
    valid = found if valid is None else valid & found
    if values.dtype.kind == "M" and unit == "D":
        return date_column(values, put, valid)
    if unit not in _UNITS:
        raise UnfitError(f"it is of dtype {values.dtype}")
    data = put(numpy.ascontiguousarray(values, values.dtype.newbyteorder("<")).view("<i8"))
    return column("timestamp" if values.dtype.kind == "M" else "duration", len(values), valid, put, data=data, unit=unit)


def date_column(values: Any, put: Put, valid: Any) -> dict[str, Any]:
    """An array of datetime64[D]."""
    days = values.view("i8")
    if valid is not None and not valid.all():
        days = days * valid
    return column("date32", len(values), valid, put, data=put(days.astype("<i4")))


def text_column(values: list, put: Put, valid: Any) -> dict[str, Any]:
    """Texts; where one is missing, an empty one stands for it."""
    joined = "".join(values)
    if joined.isascii():
        return _bytes_column("utf8", joined.encode("ascii"), map(len, values), len(values), put, valid)
    parts = [value.encode() for value in values]
    return _bytes_column("utf8", b"".join(parts), map(len, parts), len(parts), put, valid)


def binary_column(values: list, put: Put, valid: Any) -> dict[str, Any]:
    """Objects of class bytes; where one is missing, an empty one stands for it."""
    return _bytes_column("binary", b"".join(values), map(len, values), len(values), put, valid)


def _bytes_column(type_name: str, joined: bytes, lengths: Any, count: int, put: Put, valid: Any) -> dict[str, Any]:
    large = len(joined) > _MAX_OFFSET
    made = offsets(lengths, count, "<i8" if large else "<i4")
    return column(f"large_{type_name}" if large else type_name, count, valid, put, offsets=put(made), data=put(joined))


def list_offsets(lengths: Any, count: int) -> Any:
    """Offsets of lists in their one child. Raises UnfitError where there are too many items for 32 bits."""
    made = offsets(lengths, count, "<i8")
    if made[-1] > _MAX_OFFSET:
        raise UnfitError(f"its lists have {made[-1]} items, more than {_MAX_OFFSET}")
    return made.astype("<i4")


def offsets(lengths: Any, count: int, dtype: str) -> Any:
    """Where each of `count` items starts, and where the last one ends."""
    import numpy

    made = numpy.zeros(count + 1, dtype)
    numpy.cumsum(numpy.fromiter(lengths, dtype, count), out=made[1:])
    return made


def _bitmap(bools: Any) -> Any:
    import numpy

    return numpy.packbits(bools, bitorder="little")
