"""Parameters by annotation: what a value becomes before the UDF sees it.

Lists, tuples, dicts and booleans count as JSON text, numbers as they are; the annotation then decides. What the
annotation does not cover stays as it is, text where it was one of those four.
"""

import datetime
import uuid
from collections.abc import Callable
from types import GenericAlias, UnionType
from typing import Any, Union

from . import _geo, types
from ._json import dumps_parameter, loads_parameter

Coercer = Callable[[Any], Any]

_JSON_KINDS = (list, tuple, dict, bool)
_UTC = datetime.timezone.utc


def to_text(value: Any) -> Any:
    """JSON text of a list, tuple, dict or bool; everything else, and what JSON cannot hold, as it is."""
    if type(value) in _JSON_KINDS:
        try:
            return dumps_parameter(value)
        except (TypeError, ValueError):
            return value
    return value


keep = to_text


def _to_int(value: Any) -> int:
    if type(value) is int:
        return value
    if type(value) is str:
        return int(value, 10)
    if type(value) is float:
        return int(value)
    raise ValueError("it is no number")


def _to_float(value: Any) -> float:
    if type(value) in (int, float, str):
        return float(value)
    raise ValueError("it is no number")


def _to_str(value: Any) -> str:
    value = to_text(value)
    if isinstance(value, (str, int, float, datetime.date, datetime.time, uuid.UUID)):
        return str(value)
    if type(value).__module__ == "decimal":
        return str(value)
    raise ValueError(f"it is {type(value).__name__}")


def _to_bool(value: Any) -> bool:
    if type(value) is str:
        return value != "" and value.lower() != "false"
    return bool(value)


def _parse_as(kind: type) -> Coercer:
    def parse(value: Any) -> Any:
        if type(value) is str:
            value = loads_parameter(value)
        if kind is not dict and isinstance(value, (list, tuple)):
            return kind(value)
        if kind is dict and isinstance(value, dict):
            return value
        raise ValueError(f"it is no {kind.__name__}")

    return parse


to_list = _parse_as(list)


def _to_datetime(value: Any) -> datetime.datetime:
    if isinstance(value, datetime.datetime):
        return value
    if isinstance(value, datetime.date):
        return datetime.datetime(value.year, value.month, value.day)
    if type(value) is str:
        try:
            return datetime.datetime.fromisoformat(value.strip())
        except ValueError:
            value = _number(value)
    if type(value) not in (int, float):
        raise ValueError("it is no time")
    return datetime.datetime.fromtimestamp(value, _UTC)


def _to_date(value: Any) -> datetime.date:
    if type(value) is datetime.date:
        return value
    moment = _to_datetime(value)
    if type(value) is str and moment.time() != datetime.time():
        raise ValueError("it has a time of day")
    return moment.date()


def _to_time(value: Any) -> datetime.time:
    if isinstance(value, datetime.time):
        return value
    if type(value) is str:
        try:
            return datetime.time.fromisoformat(value.strip())
        except ValueError:
            value = _number(value)
    return datetime.datetime.fromtimestamp(value, _UTC).timetz()


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError("it is neither ISO 8601 nor a number of seconds") from None


def _to_array(value: Any) -> Any:
    import numpy

    return numpy.array(loads_parameter(value) if type(value) is str else value)


def _to_uuid(value: Any) -> uuid.UUID:
    return value if isinstance(value, uuid.UUID) else uuid.UUID(value)


_BY_ANNOTATION: dict[Any, Coercer] = {
    int: _to_int,
    float: _to_float,
    str: _to_str,
    bool: _to_bool,
    list: to_list,
    tuple: _parse_as(tuple),
    dict: _parse_as(dict),
    datetime.datetime: _to_datetime,
    datetime.date: _to_date,
    datetime.time: _to_time,
    uuid.UUID: _to_uuid,
    types.Bounds: _geo.to_bounds,
    types.Bbox: _geo.to_bbox,
    types.Tile: _geo.to_tile_frame,
    types.TileGDF: _geo.to_tile_frame,
    types.TileXYZ: _geo.to_tile,
    types.ViewportGDF: _geo.to_frame,
}

# Classes of libraries that are imported only when a parameter is of them.
_BY_NAME: dict[tuple[str, str], Coercer] = {
    ("pandas", "DataFrame"): _geo.to_pandas,
    ("geopandas", "GeoDataFrame"): _geo.to_frame,
    ("pyarrow", "Table"): _geo.to_arrow,
    ("numpy", "ndarray"): _to_array,
    ("mercantile", "Tile"): _geo.to_tile,
}


def _to_geometry(kind: type) -> Coercer:
    return lambda value: _geo.to_geometry(value, kind)


# What the published client reads of annotations that are texts, beside frames.
_BY_TEXT: dict[str, Any] = {
    **{f"{home}{kind.__name__}": kind for kind in (datetime.datetime, datetime.date, datetime.time) for home in ("", "datetime.")},
    **{f"{home}UUID": uuid.UUID for home in ("", "uuid.")},
    **{f"{home}{name}": getattr(types, name)
       for name in ("Bbox", "Bounds", "Tile", "TileGDF", "TileXYZ", "ViewportGDF") for home in ("", "fused.types.")},
}  # fmt: skip


def annotation_of(text: str) -> Any:
    """What an annotation says that is a text, as far as it is read; else the text."""
    return _BY_TEXT.get(text, text)


def coercer_of(annotation: Any) -> Coercer | None:
    """The conversion for an annotation, or None where values are left alone."""
    if type(annotation) is str:
        return _geo.to_frame if "GeoDataFrame" in annotation else _geo.to_pandas if "DataFrame" in annotation else None
    try:
        if (found := _BY_ANNOTATION.get(annotation)) is not None:
            return found
    except TypeError:  # unhashable, such as Annotated[int, []]
        pass
    if type(annotation) is UnionType or getattr(annotation, "__origin__", None) is Union:
        members = [member for member in annotation.__args__ if member is not type(None)]
        return coercer_of(members[0]) if len(members) == 1 else None
    if type(annotation) is GenericAlias or hasattr(annotation, "__origin__"):
        return coercer_of(annotation.__origin__)
    if isinstance(annotation, type):
        root = str(annotation.__module__).partition(".")[0]
        if root == "shapely" and any(base.__name__ in ("BaseGeometry", "Geometry") for base in annotation.__mro__):
            return _to_geometry(annotation)
        return _BY_NAME.get((root, annotation.__name__))
    return None
