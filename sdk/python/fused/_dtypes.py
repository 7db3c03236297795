"""Columns of a frame by their pandas dtype, as pyarrow writes them."""

import json
from typing import Any

from ._layouts import Put, UnfitError, array_column, column, text_column
from ._objects import object_column
from ._zones import zone_name


def series_column(values: Any, put: Put) -> dict[str, Any]:
    """Writes a Series or an Index. Raises UnfitError for what Arrow, or this writer, has no type for."""
    import numpy
    import pandas

    dtype = values.dtype
    if isinstance(dtype, numpy.dtype):
        array = values.to_numpy()
        return object_column(array, put) if dtype.kind == "O" else array_column(array, put)
    if isinstance(dtype, pandas.StringDtype):
        return _string_column(values, put)
    if isinstance(dtype, pandas.CategoricalDtype):
        return _categorical_column(values.array, put)
    if isinstance(dtype, pandas.DatetimeTZDtype):
        made = array_column(pandas.DatetimeIndex(values).asi8.view(f"M8[{dtype.unit}]"), put)
        return {**made, "timezone": zone_name(dtype.tz)}
    if isinstance(dtype, pandas.PeriodDtype):
        return _period_column(values.array, put)
    if isinstance(dtype, pandas.IntervalDtype):
        return _interval_column(values.array, put)
    if isinstance(dtype, pandas.SparseDtype):
        raise UnfitError("sparse data is not supported. Make it dense with .sparse.to_dense()")
    if hasattr(dtype, "numpy_dtype") and hasattr(values.array, "_mask"):
        return _masked_column(values.array, put)
    raise UnfitError(f"it is of dtype {dtype}, which may be written once the UDF has `import pyarrow`")


def _string_column(values: Any, put: Put) -> dict[str, Any]:
    texts = values.to_numpy(dtype=object, na_value=None)
    made = object_column(texts, put)
    # Where all are missing, the dtype still says what they would be.
    return text_column([""] * len(texts), put, values.notna()) if made["type"] == "null" else made


def _masked_column(array: Any, put: Put) -> dict[str, Any]:
    return array_column(array._data, put, valid=~array._mask, nan_is_null=False)


def _categorical_column(array: Any, put: Put) -> dict[str, Any]:
    codes = array.codes
    valid = codes >= 0
    made = array_column(codes if valid.all() else codes * valid, put, valid=valid)
    dictionary = series_column(array.categories, put)
    return {**made, "type": "dictionary", "codes": made["type"], "dictionary": dictionary, "ordered": bool(array.ordered)}


def _period_column(array: Any, put: Put) -> dict[str, Any]:
    made = array_column(array.asi8, put, valid=~array.isna())
    return {**made, "metadata": _extension("pandas.period", {"freq": array.freqstr})}


def _interval_column(array: Any, put: Put) -> dict[str, Any]:
    valid = ~array.isna()
    children = [{"name": side, **series_column(getattr(array, side), put)} for side in ("left", "right")]
    subtype = arrow_name(children[0])
    if children[0]["type"] == "null":
        raise UnfitError(f"it is of dtype {array.dtype}, which may be written once the UDF has `import pyarrow`")
    metadata = _extension("pandas.interval", {"subtype": subtype, "closed": array.closed})
    return column("struct", len(array), valid, put, children=children, metadata=metadata)


def arrow_name(made: dict[str, Any]) -> str:
    """The type of a column in pyarrow's words."""
    unit, zone = made.get("unit"), made.get("timezone")
    inside = unit if zone is None else f"{unit}, tz={zone}"
    name = {"float64": "double", "float32": "float", "float16": "halffloat"}.get(made["type"], made["type"])
    return name if unit is None else f"{name}[{inside}]"


def _extension(name: str, parameters: dict[str, Any]) -> dict[str, str]:
    return {"ARROW:extension:name": name, "ARROW:extension:metadata": json.dumps(parameters)}
