"""Who writes a value: by its exact class, else by its bases, else by the protocols that its class has.

Lies of `__class__` do not count. Classes of libraries are told by module and name, so that no library is imported for it.
"""

import datetime
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import _arrays, _kinds, _media, _tables
from ._plain import type_module, type_mro, type_name

if TYPE_CHECKING:
    from ._encode import Writer

Method = Callable[["Writer", Any, int], None]

EXACT: dict[type, Method] = {
    type(None): _kinds.write_none,
    bool: _kinds.write_bool,
    str: _kinds.write_str,
    int: _kinds.write_int,
    float: _kinds.write_float,
    list: _kinds.write_list,
    tuple: _kinds.write_tuple,
    dict: _kinds.write_dict,
    set: _kinds.write_set,
    frozenset: _kinds.write_set,
    bytes: _kinds.write_bytes,
    bytearray: _kinds.write_bytes,
    memoryview: _kinds.write_memoryview,
    datetime.datetime: _kinds.write_datetime,
    datetime.date: _kinds.write_date,
    datetime.time: _kinds.write_time,
    datetime.timedelta: _kinds.write_timedelta,
    complex: _kinds.write_complex,
    range: _kinds.write_range,
}


# By the root of the module and the name of a class or one of its bases.
_BY_NAME: dict[tuple[str, str], Method] = {
    ("enum", "Enum"): _kinds.write_enum,
    ("decimal", "Decimal"): _kinds.write_decimal,
    ("uuid", "UUID"): _kinds.write_uuid,
    ("pathlib", "PurePath"): _kinds.write_path,
    ("array", "array"): lambda writer, value, depth: writer.write(value.tolist(), depth),
    ("_io", "BytesIO"): lambda writer, value, depth: writer.write(value.getbuffer(), depth),
    ("collections", "deque"): _kinds.write_copy,
    ("builtins", "dict_keys"): _kinds.write_copy,
    ("builtins", "dict_values"): _kinds.write_copy,
    ("builtins", "dict_items"): _kinds.write_copy,
    ("builtins", "mappingproxy"): _kinds.write_mapping,
    ("collections", "Mapping"): _kinds.write_mapping,
    ("numpy", "generic"): _arrays.write_scalar,
    ("numpy", "MaskedArray"): _arrays.write_masked,
    ("numpy", "ndarray"): _arrays.write_array,
    ("pandas", "NaTType"): _kinds.write_none,
    ("pandas", "NAType"): _kinds.write_none,
    ("pandas", "Timestamp"): _tables.write_timestamp,
    ("pandas", "DataFrame"): _tables.write_frame,
    ("pandas", "Series"): _tables.write_series,
    ("pandas", "Index"): _tables.write_index,
    ("pandas", "ExtensionArray"): _tables.write_extension_array,
    ("geopandas", "GeoDataFrame"): _tables.write_geo_frame,
    ("geopandas", "GeoSeries"): _tables.write_geo_series,
    ("pyarrow", "Table"): _tables.write_arrow,
    ("pyarrow", "RecordBatch"): _tables.write_arrow,
    ("pyarrow", "RecordBatchReader"): _tables.write_arrow,
    ("pyarrow", "Array"): _tables.write_arrow_column,
    ("pyarrow", "ChunkedArray"): _tables.write_arrow_column,
    ("pyarrow", "Scalar"): lambda writer, value, depth: writer.write(value.as_py(), depth + 1),
    ("xarray", "DataArray"): _arrays.write_xarray,
    ("xarray", "Dataset"): _arrays.write_xarray,
    ("shapely", "BaseGeometry"): _media.write_geometry,
    ("PIL", "Image"): _media.write_image,
    ("matplotlib", "Figure"): _media.write_figure,
    ("matplotlib", "Axes"): _media.write_axes,
    ("plotly", "BaseFigure"): _media.write_chart,
    ("altair", "TopLevelMixin"): _media.write_chart,
    ("fastapi", "Response"): _media.write_response,
    ("starlette", "Response"): _media.write_response,
}

def find_method(kind: type) -> Method:
    """The method for a class that is not one of the built-in ones, by its bases; lies of `__class__` do not count."""
    for base in type_mro(kind):
        if (method := EXACT.get(base)) is not None:
            return method
        module = type_module(base)
        if type(module) is str:
            method = _BY_NAME.get((module.partition(".")[0], type_name(base)))
            if method is not None:
                return method
    if hasattr(kind, "__arrow_c_stream__"):
        return _tables.write_stream
    if hasattr(kind, "__dataclass_fields__"):
        return _kinds.write_dataclass
    if hasattr(kind, "_repr_html_"):
        return _media.write_html
    return _refuse


def _refuse(writer: "Writer", value: Any, depth: int) -> None:
    kind = type(value)
    what, hint = _REFUSED.get(type_name(kind), ("", ""))
    if type_module(kind) in ("builtins", "_asyncio", "types") and what:
        name = getattr(value, "__name__", None)
        writer.fail(f"{what} ({name})" if type(name) is str and name else what, hint)
    writer.fail(f"an object of class {type_name(kind)}")


# By the class's own name, for kinds that people return by mistake.
_REFUSED = {
    "generator": ("a generator", "Return list(…) of it."),
    "async_generator": ("an asynchronous generator", "Collect its items into a list."),
    "coroutine": ("a coroutine", "Await it."),
    "map": ("an iterator", "Return list(…) of it."),
    "filter": ("an iterator", "Return list(…) of it."),
    "zip": ("an iterator", "Return list(…) of it."),
    "enumerate": ("an iterator", "Return list(…) of it."),
    "function": ("a function", "Call it."),
    "builtin_function_or_method": ("a function", "Call it."),
    "method": ("a method", "Call it."),
    "module": ("a module", ""),
    "type": ("a class", ""),
}
