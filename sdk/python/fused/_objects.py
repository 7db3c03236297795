"""Columns of Python objects: the type that pyarrow infers for them, and their values in its layout.

Arrow columns have one type. Whole levels are looked at, not cells: the set of the classes says what the type is, lists are
joined to one child column and dicts become a column for each key. Mixtures are as in pyarrow's inference: numbers that a
double holds, texts with bytes, decimals with integers; all others are refused.
"""

import datetime
from itertools import chain
from typing import Any

from ._decimals import decimal_column
from ._layouts import (
    Put,
    UnfitError,
    array_column,
    binary_column,
    column,
    date_column,
    list_offsets,
    null_column,
    text_column,
)
from ._plain import type_module, type_name
from ._zones import zone_name

# What readers of Arrow streams take: arrow/ipc/options.h, max_recursion_depth.
_MAX_NESTING = 60
_MAX_EXACT = 2**53

_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "bool"),
    (float, "float"),
    (int, "int"),
    (datetime.datetime, "datetime"),
    (datetime.timedelta, "timedelta"),
    (datetime.date, "date"),
    (datetime.time, "time"),
    (bytes, "bytes"),
    (bytearray, "bytes"),
    (memoryview, "bytes"),
    (str, "str"),
    (set, "list"),
    (type({}.values()), "list"),
    (dict, "dict"),
    (list, "list"),
    (tuple, "list"),
)
# Classes of libraries by the root of their module and the name of a base.
_NAMED = {
    ("numpy", "generic"): "numpy",
    ("numpy", "ndarray"): "array",
    ("decimal", "Decimal"): "decimal",
    ("uuid", "UUID"): "uuid",
}
_PLAIN_TEXTS = frozenset((str, type(None)))


def object_column(values: Any, put: Put, depth: int = 0) -> dict[str, Any]:
    """Writes a list or an array of objects. Raises UnfitError and what the objects raise."""
    if depth > _MAX_NESTING:
        raise UnfitError(f"it is nested more than {_MAX_NESTING} levels deep")
    classes = set(map(type, values))
    if str in classes and classes <= _PLAIN_TEXTS:
        return _plain_texts(values, classes, put)
    import numpy
    import pandas

    items = numpy.fromiter(values, object, len(values))
    valid = ~pandas.isna(items)
    present = items[valid]
    kinds = {_kind_of(kind) for kind in set(map(type, present))}
    if not kinds:
        return null_column(len(items))
    kind = _common_kind(kinds, present)
    return _WRITERS[kind](items, None if valid.all() else valid, put, depth)


def _plain_texts(values: Any, classes: set[type], put: Put) -> dict[str, Any]:
    import numpy

    if len(classes) == 1:
        return text_column(values if type(values) is list else values.tolist(), put, None)
    valid = numpy.fromiter((value is not None for value in values), bool, len(values))
    return text_column(["" if value is None else value for value in values], put, valid)


def _kind_of(kind: type) -> str:
    for base in kind.__mro__:
        for known, name in _KINDS:
            if base is known:
                return name
        module = type_module(base)
        name = _NAMED.get((module.partition(".")[0], type_name(base))) if type(module) is str else None
        if name is not None:
            return name
    raise UnfitError(f"a value is of class {type_name(kind)}, which has no Arrow type")


def _common_kind(kinds: set[str], present: Any) -> str:
    """The one kind as which all the values can be written."""
    if kinds <= {"list", "array"}:
        return "array" if kinds == {"array"} else "list"
    if "numpy" in kinds and len(kinds) > 1:
        kinds = (kinds - {"numpy"}) | {_numpy_kind(value) for value in present if _kind_of(type(value)) == "numpy"}
    if len(kinds) == 1:
        return next(iter(kinds))
    if kinds <= {"float", "int", "bool"} and "float" in kinds:
        # pyarrow looks no further than the first that is no integer: after a float, a bool is a number.
        if "bool" not in kinds or _first_besides_int(present) == "float":
            return "float"
    elif kinds == {"str", "bytes"}:
        return "bytes"
    elif kinds == {"decimal", "int"}:
        return "decimal"
    elif kinds == {"date", "datetime"} and _kind_of(type(present[0])) == "date":
        return "date"
    raise UnfitError(f"it has values of different kinds: {' and '.join(sorted(kinds))}")


def _numpy_kind(value: Any) -> str:
    return {"b": "bool", "i": "int", "u": "int", "f": "float"}.get(value.dtype.kind, value.dtype.name)


def _first_besides_int(present: Any) -> str:
    for value in present:
        kind = _kind_of(type(value))
        kind = _numpy_kind(value) if kind == "numpy" else kind
        if kind != "int":
            return kind
    return "int"


def _filled(items: Any, valid: Any, filler: Any) -> Any:
    """The items, with a value of their own kind in place of those that are missing."""
    if valid is None:
        return items
    import numpy

    # In an array of its own, since numpy would take an empty tuple for no value at all.
    cell = numpy.empty((), object)
    cell[()] = filler
    items = items.copy()
    items[~valid] = cell
    return items


def _write_bool(items: Any, valid: Any, put: Put, depth: int) -> dict[str, Any]:
    return array_column(_filled(items, valid, False).astype(bool), put, valid=valid)


def _write_int(items: Any, valid: Any, put: Put, depth: int) -> dict[str, Any]:
    return array_column(_filled(items, valid, 0).astype("i8"), put, valid=valid)


def _write_float(items: Any, valid: Any, put: Put, depth: int) -> dict[str, Any]:
    numbers = _filled(items, valid, 0.0)
    for value in [] if set(map(type, numbers)) == {float} else numbers:
        if not isinstance(value, float) and not -_MAX_EXACT <= value <= _MAX_EXACT:
            raise UnfitError(f"the integer {value} among floats is too large for a double to hold it exactly")
    return array_column(numbers.astype("f8"), put, valid=valid, nan_is_null=False)


def _write_numpy(items: Any, valid: Any, put: Put, depth: int) -> dict[str, Any]:
    import numpy

    dtypes = {value.dtype for value in (items if valid is None else items[valid])}
    if len({dtype.kind in "mM" for dtype in dtypes}) > 1:
        raise UnfitError("it has dates and other values")
    dtype = numpy.result_type(*dtypes)
    filler = numpy.zeros((), dtype)[()]
    return array_column(_filled(items, valid, filler).astype(dtype), put, valid=valid, nan_is_null=False)


def _write_datetime(items: Any, valid: Any, put: Put, depth: int) -> dict[str, Any]:
    first = (items if valid is None else items[valid])[0]
    items = _filled(items, valid, datetime.datetime(1970, 1, 1))
    for row, value in enumerate(items):
        if value.tzinfo is not None:
            items[row] = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    made = array_column(items.astype("M8[us]"), put, valid=valid)
    return made if first.tzinfo is None else {**made, "timezone": zone_name(first.tzinfo)}


def _write_timedelta(items: Any, valid: Any, put: Put, depth: int) -> dict[str, Any]:
    return array_column(_filled(items, valid, datetime.timedelta()).astype("m8[us]"), put, valid=valid)


def _write_date(items: Any, valid: Any, put: Put, depth: int) -> dict[str, Any]:
    items = _filled(items, valid, datetime.date(1970, 1, 1))
    for row, value in enumerate(items):
        if isinstance(value, datetime.datetime):
            items[row] = value.date()
    return date_column(items.astype("M8[D]"), put, valid)


def _write_time(items: Any, valid: Any, put: Put, depth: int) -> dict[str, Any]:
    import numpy

    items = _filled(items, valid, datetime.time())
    micros = (((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond for value in items)
    return column("time64", len(items), valid, put, data=put(numpy.fromiter(micros, "<i8", len(items))), unit="us")


def _write_bytes(items: Any, valid: Any, put: Put, depth: int) -> dict[str, Any]:
    items = _filled(items, valid, b"")
    return binary_column([value.encode() if isinstance(value, str) else bytes(value) for value in items], put, valid)


def _write_str(items: Any, valid: Any, put: Put, depth: int) -> dict[str, Any]:
    return text_column(_filled(items, valid, "").tolist(), put, valid)


def _write_uuid(items: Any, valid: Any, put: Put, depth: int) -> dict[str, Any]:
    data = b"".join(bytes(16) if valid is not None and not valid[row] else value.bytes for row, value in enumerate(items))
    metadata = {"ARROW:extension:name": "arrow.uuid", "ARROW:extension:metadata": ""}
    return column("fixed_size_binary", len(items), valid, put, data=put(data), width=16, metadata=metadata)


def _write_decimal(items: Any, valid: Any, put: Put, depth: int) -> dict[str, Any]:
    return decimal_column(_filled(items, valid, None), put, valid)


def _write_list(items: Any, valid: Any, put: Put, depth: int) -> dict[str, Any]:
    for value in items:
        if hasattr(value, "ndim"):
            _check_flat(value)
    lists = _filled(items, valid, ())
    child = object_column(list(chain.from_iterable(lists)), put, depth + 1)
    made = put(list_offsets(map(len, lists), len(items)))
    return column("list", len(items), valid, put, offsets=made, children=[{"name": "item", **child}])


def _write_array(items: Any, valid: Any, put: Put, depth: int) -> dict[str, Any]:
    import numpy

    arrays = list(items if valid is None else items[valid])
    for value in arrays:
        _check_flat(value)
    if any(value.dtype.kind not in "biufmM" for value in arrays):
        items = items.copy()
        rows = range(len(items)) if valid is None else numpy.flatnonzero(valid)
        for row in rows:
            items[row] = items[row].tolist()
        return _write_list(items, valid, put, depth)
    child = array_column(numpy.concatenate(arrays), put)
    made = put(list_offsets(map(len, _filled(items, valid, ())), len(items)))
    return column("list", len(items), valid, put, offsets=made, children=[{"name": "item", **child}])


def _check_flat(array: Any) -> None:
    if array.ndim != 1:
        raise UnfitError(f"an array in it has {array.ndim} dimensions: only those with one can be lists")


def _write_dict(items: Any, valid: Any, put: Put, depth: int) -> dict[str, Any]:
    dicts = _filled(items, valid, {}).tolist()
    children = []
    for key in dict.fromkeys(chain.from_iterable(dicts)):
        if not isinstance(key, (str, bytes)):
            raise UnfitError(f"a dict in it has a key of class {type_name(type(key))}: keys must be texts")
        name = key.decode() if isinstance(key, bytes) else str(key)
        children.append({"name": name, **object_column([dict.get(value, key) for value in dicts], put, depth + 1)})
    return column("struct", len(items), valid, put, children=children)


_WRITERS = {
    "bool": _write_bool,
    "int": _write_int,
    "float": _write_float,
    "numpy": _write_numpy,
    "datetime": _write_datetime,
    "timedelta": _write_timedelta,
    "date": _write_date,
    "time": _write_time,
    "bytes": _write_bytes,
    "str": _write_str,
    "uuid": _write_uuid,
    "decimal": _write_decimal,
    "list": _write_list,
    "array": _write_array,
    "dict": _write_dict,
}
