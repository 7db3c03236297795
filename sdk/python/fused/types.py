"""Types for the parameters of a UDF, and the exceptions of nested runs.

The bounds and tile types are type variables: they say how a parameter is to be given to the UDF and are no classes.
Their bounds are names, so that no library is imported for an annotation alone. Type checkers see aliases, which also take None: a
parameter is written `bounds: fused.types.Bounds = None`.
"""

from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

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

if TYPE_CHECKING:
    Bounds: TypeAlias = list[float] | Any
    """A bounding box as a list of four numbers: min_x, min_y, max_x, max_y."""

    Bbox: TypeAlias = Any
    """A bounding box as a shapely polygon (legacy)."""

    Tile: TypeAlias = Any
    """A frame of one row with x, y, z and geometry (legacy)."""

    TileGDF: TypeAlias = Any
    """The same as `Tile` (legacy)."""

    TileXYZ: TypeAlias = Any
    """A mercantile tile: x, y, z (legacy)."""

    ViewportGDF: TypeAlias = Any
    """A frame of the viewport's bounds, without x, y and z (legacy)."""
else:
    Bounds = TypeVar("Bounds", bound=list)
    Bbox = TypeVar("Bbox", bound="shapely.geometry.Polygon")
    Tile = TypeVar("Tile", bound="geopandas.GeoDataFrame")
    TileGDF = TypeVar("TileGDF", bound="geopandas.GeoDataFrame")
    TileXYZ = TypeVar("TileXYZ", bound="mercantile.Tile")
    ViewportGDF = TypeVar("ViewportGDF", bound="geopandas.GeoDataFrame")
