"""Parameters that are places: bounds, tiles, geometries, and the frames of them. Libraries are imported when needed."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from ._json import loads_parameter
from ._tiles import Tile, tile_around, tile_bounds

_WGS84 = "EPSG:4326"


def tile_value(tile: dict[str, int], coercer: Callable[[Any], Any] | None) -> Any:
    """What a tile becomes for the parameter that takes it: by its conversion, else a frame of x, y, z and geometry."""
    x, y, z = (int(tile[key]) for key in ("x", "y", "z"))
    if coercer is to_tile:
        return _tile_class()(x, y, z)
    if coercer in (to_bounds, to_bbox):
        return coercer(tile_bounds(x, y, z))
    frame = _frame_of_tile(Tile(x, y, z))
    return frame if coercer is None else coercer(frame)


def to_bounds(value: Any) -> list[float]:
    """A list of four numbers, from one, its text, GeoJSON, or anything with bounds."""
    value = _parsed(value)
    if isinstance(value, dict) and "type" in value:
        return _bounds_of_geojson(value)
    if hasattr(value, "total_bounds"):
        return [float(number) for number in value.total_bounds]
    if hasattr(value, "geom_type"):
        return [float(number) for number in value.bounds]
    if hasattr(value, "tolist"):
        # As `frame.total_bounds` is.
        value = value.tolist()
    if not isinstance(value, (list, tuple)) or len(value) != 4:
        raise ValueError("it is no list of four numbers")
    if any(isinstance(number, bool) or not isinstance(number, (int, float)) for number in value):
        raise ValueError("not all four are numbers")
    return list(value)


def to_bbox(value: Any) -> Any:
    """A shapely box of the bounds."""
    from shapely.geometry import box

    return box(*to_bounds(value))


def to_tile(value: Any) -> Tile:
    """The smallest tile that holds the value; three numbers are a tile already."""
    value = _parsed(value)
    if isinstance(value, dict) and value.keys() >= {"x", "y", "z"}:
        value = (value["x"], value["y"], value["z"])
    if isinstance(value, (list, tuple)) and len(value) == 3:
        return _tile_class()(*(int(number) for number in value))
    return _tile_class()(*tile_around(*to_bounds(value)))


def to_tile_frame(value: Any) -> Any:
    """A frame of x, y, z and geometry: those of the smallest tile that holds the value, with the value's geometry."""
    frame = to_frame(value)
    tile = tile_around(*to_bounds(frame))
    if {"x", "y", "z"} <= set(frame.columns):
        return frame[["x", "y", "z", frame.geometry.name]]
    out = frame[[frame.geometry.name]].rename_geometry("geometry") if frame.geometry.name != "geometry" else frame[["geometry"]]
    for position, name in enumerate(("x", "y", "z")):
        out.insert(position, name, tile[position])
    return out


def to_frame(value: Any) -> Any:
    """A GeoDataFrame, from one, GeoJSON, or four numbers as one box."""
    import geopandas

    value = _parsed(value)
    if isinstance(value, geopandas.GeoDataFrame):
        return value
    if hasattr(value, "geom_type"):
        return geopandas.GeoDataFrame({"geometry": [value]}, geometry="geometry", crs=_crs())
    if isinstance(value, dict):
        return _frame_of_geojson(value)
    return geopandas.GeoDataFrame({"geometry": [to_bbox(value)]}, geometry="geometry", crs=_crs())


def to_pandas(value: Any) -> Any:
    """A DataFrame, from one, an Arrow table, or JSON records."""
    import pandas

    if isinstance(value, str):
        return _with_dates(pandas.DataFrame(loads_parameter(value)))
    if isinstance(value, pandas.DataFrame):
        return value
    if hasattr(value, "to_pandas"):
        return value.to_pandas()
    if isinstance(value, (list, dict)):
        return pandas.DataFrame(value)
    raise ValueError("it is no table and no JSON records")


# By the names of columns, as in `pandas.read_json`, with which the client reads records; its guesses at other types are left out.
_DATES = re.compile(r"date|modified|timestamp.*|.*_at|.*_time", re.IGNORECASE)
_YEAR_MS = 365 * 86_400_000


def _with_dates(frame: Any) -> Any:
    import pandas

    for name in filter(_DATES.fullmatch, map(str, frame.columns)):
        column = frame[name]
        try:
            if column.dtype.kind not in "if":
                frame[name] = pandas.to_datetime(column, format="ISO8601")
            elif (column.isna() | (column > _YEAR_MS)).all():
                frame[name] = pandas.to_datetime(column, unit="ms")
        except (KeyError, ValueError, TypeError, OverflowError):
            continue  # it has the name alone
    return frame


def to_arrow(value: Any) -> Any:
    """A pyarrow Table, from one, a frame, or JSON records."""
    import pyarrow

    if isinstance(value, pyarrow.Table):
        return value
    if isinstance(value, str):
        value = loads_parameter(value)
    if isinstance(value, list):
        return pyarrow.Table.from_pylist(value)
    if hasattr(value, "__dataframe__") or hasattr(value, "iloc"):
        return pyarrow.Table.from_pandas(value)
    return pyarrow.table(value)


def to_geometry(value: Any, kind: type) -> Any:
    """A shapely geometry of a kind, from WKT or GeoJSON."""
    import shapely

    if isinstance(value, dict):
        value = shapely.geometry.shape(value)
    elif isinstance(value, str):
        value = shapely.geometry.shape(loads_parameter(value)) if value.lstrip().startswith("{") else shapely.from_wkt(value)
    if not isinstance(value, kind):
        raise ValueError(f"it is {getattr(value, 'geom_type', type(value).__name__)}")
    return value


def _frame_of_tile(tile: Tile) -> Any:
    import geopandas

    columns = {**{name: [number] for name, number in tile._asdict().items()}, "geometry": [to_bbox(tile_bounds(*tile))]}
    return geopandas.GeoDataFrame(columns, geometry="geometry", crs=_crs())


def _frame_of_geojson(value: dict) -> Any:
    import geopandas

    if value.get("type") == "FeatureCollection":
        features = value.get("features", [])
    else:
        features = [value if value.get("type") == "Feature" else {"type": "Feature", "properties": {}, "geometry": value}]
    if not features:
        return geopandas.GeoDataFrame({"geometry": []}, geometry="geometry", crs=_crs())
    return geopandas.GeoDataFrame.from_features(features, crs=_crs())


def _bounds_of_geojson(value: dict) -> list[float]:
    """The bounds of all of it; as those of a frame, NaN where it has no place."""
    positions = list(_positions(value))
    if not positions:
        return [float("nan")] * 4
    x, y = zip(*(position[:2] for position in positions), strict=True)
    return [float(number) for number in (min(x), min(y), max(x), max(y))]


def _positions(value: Any) -> Iterator[list]:
    """The positions of GeoJSON, or of its coordinates."""
    if isinstance(value, dict):
        for part in ("features", "geometry", "geometries", "coordinates"):
            yield from _positions(value.get(part))
    elif value and not isinstance(value[0], (list, dict)):
        yield value
    else:
        for item in value or ():
            yield from _positions(item)


def _crs() -> str | None:
    """EPSG:4326 where geopandas can know it: without pyproj there is no CRS."""
    try:
        import pyproj  # noqa: F401
    except ImportError:
        return None
    return _WGS84


def _tile_class() -> type:
    try:
        from mercantile import Tile as MercantileTile
    except ImportError:
        return Tile
    return MercantileTile


def _parsed(value: Any) -> Any:
    """JSON text as its value, and `w,s,e,n` as a list."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    return loads_parameter(f"[{text}]" if text[:1] not in ("[", "{") else text)
