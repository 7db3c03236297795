"""Which libraries are here, and their classes. It is no part of the reference's API, but public UDFs import it."""

from importlib import import_module
from typing import Any

_LIBRARIES = {
    "HAS_PANDAS": "pandas",
    "HAS_GEOPANDAS": "geopandas",
    "HAS_MERCANTILE": "mercantile",
    "HAS_SHAPELY": "shapely",
    "HAS_AIOFILES": "aiofiles",
}

_CLASSES = {
    "PD_DATAFRAME": ("pandas", "DataFrame"),
    "PD_SERIES": ("pandas", "Series"),
    "PD_INDEX": ("pandas", "Index"),
    "PD_TIMESTAMP": ("pandas", "Timestamp"),
    "PD_TIMEDELTA": ("pandas", "Timedelta"),
    "GPD_GEODATAFRAME": ("geopandas", "GeoDataFrame"),
    "MERCANTILE_TILE": ("mercantile", "Tile"),
    "SHAPELY_GEOMETRY": ("shapely", "Geometry"),
    "SHAPELY_POLYGON": ("shapely", "Polygon"),
}


def __getattr__(name: str) -> Any:
    """Whether a library can be imported; or a class of it, None without the library."""
    library, attribute = _CLASSES.get(name) or (_LIBRARIES.get(name), None)
    if library is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = import_module(library)
    except ImportError:
        return None if attribute else False
    return getattr(module, attribute) if attribute else True
