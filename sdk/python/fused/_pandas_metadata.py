"""The `pandas` key of an Arrow schema: how a frame's index, column names and dtypes come back.

Source: pandas.pydata.org/docs/development/developer.html, and pyarrow/pandas_compat.py where that is silent.
"""

import json
from typing import Any

from ._layouts import UnfitError
from ._zones import zone_name

_LOGICAL = {
    "null": "empty",
    "date32": "date",
    "time64": "time",
    "binary": "bytes",
    "fixed_size_binary": "bytes",
    "utf8": "unicode",
    "dictionary": "categorical",
    "decimal": "decimal",
}
_SAME = frozenset(
    ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64")
)


def column_name(name: Any) -> Any:
    """A label as a text, as pyarrow writes it; a missing one as it is."""
    if isinstance(name, str):
        return name
    if isinstance(name, bytes):
        return name.decode()
    if isinstance(name, tuple):
        return str(tuple(map(column_name, name)))
    if name is None or (isinstance(name, float) and name != name):
        return name
    return str(name)


def index_levels(index: Any) -> list[Any]:
    """The levels of an index, each as an index."""
    return [index.get_level_values(number) for number in range(index.nlevels)]


def level_name(level: Any, number: int, taken: list[Any]) -> str:
    """The name of the column that holds a level of the index."""
    if level.name is not None and level.name not in taken:
        return str(column_name(level.name))
    while f"__index_level_{number}__" in taken:
        number += 1
    return f"__index_level_{number}__"


def range_descriptor(level: Any) -> dict[str, Any]:
    """A range index, which needs no column."""
    return {"kind": "range", "name": _plain_name(level.name), "start": level.start, "stop": level.stop, "step": level.step}


def describe_column(values: Any, name: Any, made: dict[str, Any]) -> dict[str, Any]:
    """What the metadata say of a column."""
    numpy_type, extra = _dtype_info(values)
    if made["type"] == "decimal":
        numpy_type, extra = "object", {"precision": made["precision"], "scale": made["scale"]}
    return {
        "name": column_name(name),
        "field_name": made["name"],
        "pandas_type": _logical_type(made),
        "numpy_type": numpy_type,
        "metadata": extra,
    }


def pandas_metadata(frame: Any, index: list[Any], columns: list[dict[str, Any]]) -> str:
    """The text of the key."""
    import pandas

    try:
        attributes = json.dumps(frame.attrs)
    except (TypeError, ValueError, RecursionError):
        attributes = "{}"
    labels = frame.columns
    described = [
        _describe_labels(level, name) for level, name in zip(getattr(labels, "levels", [labels]), labels.names, strict=True)
    ]
    try:
        text = json.dumps({
            "index_columns": index,
            "column_indexes": described,
            "columns": columns,
            "creator": {"library": "fuselet"},
            "pandas_version": pandas.__version__,
        })  # fmt: skip
    except (TypeError, ValueError) as error:
        raise UnfitError(f"the name of its columns cannot be written: {error}") from None
    return f'{text[:-1]}, "attributes": {attributes}}}'


def _describe_labels(level: Any, name: Any) -> dict[str, Any]:
    numpy_type, extra = _dtype_info(level)
    pandas_type = _labels_type(level)
    return {
        "name": name,
        "field_name": name,
        "pandas_type": pandas_type,
        "numpy_type": numpy_type,
        "metadata": {"encoding": "UTF-8"} if pandas_type == "unicode" else extra,
    }


def _labels_type(level: Any) -> str:
    from pandas.api.types import infer_dtype

    dtype = level.dtype
    if dtype.kind in "biuf" and dtype.name in _SAME:
        return str(dtype.name)
    if hasattr(dtype, "tz"):
        return "datetimetz"
    if str(dtype).startswith("datetime64"):
        return str(dtype)
    found = infer_dtype(level, skipna=False)
    return "unicode" if found == "string" else str(found)


def _logical_type(made: dict[str, Any]) -> str:
    kind = made["type"]
    if "metadata" in made:
        return "object"
    if kind in _SAME:
        return str(kind)
    if kind == "timestamp":
        return "datetimetz" if "timezone" in made else "datetime"
    if kind == "list":
        return f"list[{_logical_type(made['children'][0])}]"
    return _LOGICAL.get(kind, "object")


def _dtype_info(values: Any) -> tuple[str, dict[str, Any] | None]:
    import pandas

    dtype = values.dtype
    if isinstance(dtype, pandas.CategoricalDtype):
        array = values.array
        return str(array.codes.dtype), {"num_categories": len(array.categories), "ordered": bool(array.ordered)}
    if hasattr(dtype, "tz"):
        return f"datetime64[{dtype.unit}]", {"timezone": zone_name(dtype.tz)}
    return str(dtype), None


def _plain_name(name: Any) -> Any:
    try:
        json.dumps(name)
    except TypeError:
        return str(name)
    return name
