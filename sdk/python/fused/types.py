"""Types for the parameters of a UDF, and the exceptions of nested runs.

The bounds and tile types are type variables: they say how a parameter is to be given to the UDF and are no classes.
Their bounds are names, so that no library is imported for an annotation alone.
"""

from typing import TypeVar

from ._exceptions import JobPoolTailTimeoutError, UdfRuntimeError, UdfSelfRecursionError, UdfSerializationError, UdfTimeoutError

__all__ = [
    "Bbox",
    "Bounds",
    "JobPoolTailTimeoutError",
    "Tile",
    "TileGDF",
    "TileXYZ",
    "UdfRuntimeError",
    "UdfSelfRecursionError",
    "UdfSerializationError",
    "UdfTimeoutError",
    "ViewportGDF",
]

Bounds = TypeVar("Bounds", bound=list)
"""A bounding box as a list of four numbers: min_x, min_y, max_x, max_y."""

Bbox = TypeVar("Bbox", bound="shapely.geometry.Polygon")  # noqa: F821
"""A bounding box as a shapely polygon (legacy)."""

Tile = TypeVar("Tile", bound="geopandas.GeoDataFrame")  # noqa: F821
"""A frame of one row with x, y, z and geometry (legacy)."""

TileGDF = TypeVar("TileGDF", bound="geopandas.GeoDataFrame")  # noqa: F821
"""The same as `Tile` (legacy)."""

TileXYZ = TypeVar("TileXYZ", bound="mercantile.Tile")  # noqa: F821
"""A mercantile tile: x, y, z (legacy)."""

ViewportGDF = TypeVar("ViewportGDF", bound="geopandas.GeoDataFrame")  # noqa: F821
"""A frame of the viewport's bounds, without x, y and z (legacy)."""
