"""Web Mercator tiles in the XYZ scheme.

Formulas: https://wiki.openstreetmap.org/wiki/Slippy_map_tilenames. The choices at the edges (the epsilons, zoom 28 as the
deepest) are those of mercantile 1.2.1, so that a tile is the same with and without it.
"""

from math import atan, degrees, floor, log, pi, radians, sin, sinh
from typing import NamedTuple

_DEEPEST = 28
_EDGE = 1e-14
_DEGREE_EDGE = 1e-11


class Tile(NamedTuple):
    """A tile, as `mercantile.Tile` is one."""

    x: int
    y: int
    z: int


def tile_bounds(x: int, y: int, z: int) -> list[float]:
    """The tile's west, south, east and north in degrees. Raises ValueError for a tile that does not exist."""
    tiles = 1 << z if 0 <= z <= 60 else 0
    if not (0 <= x < tiles and 0 <= y < tiles):
        raise ValueError(f"there is no tile {z}/{x}/{y}")

    def latitude(row: int) -> float:
        return degrees(atan(sinh(pi * (1 - 2 * row / tiles))))

    return [x / tiles * 360 - 180, latitude(y + 1), (x + 1) / tiles * 360 - 180, latitude(y)]


def tile_around(west: float, south: float, east: float, north: float) -> Tile:
    """The smallest tile that holds the bounds."""
    left, top = _cell(west, north)
    right, bottom = _cell(east - _DEGREE_EDGE, south + _DEGREE_EDGE)
    zoom = 0
    while zoom < _DEEPEST and left >> (31 - zoom) == right >> (31 - zoom) and top >> (31 - zoom) == bottom >> (31 - zoom):
        zoom += 1
    return Tile(left >> (32 - zoom), top >> (32 - zoom), zoom)


def _cell(longitude: float, latitude: float) -> tuple[int, int]:
    """The cell of a point at zoom 32."""
    sine = sin(radians(latitude))
    # At the poles the projection is infinite: the first and the last row.
    y = 0.0 if sine >= 1 else 1.0 if sine <= -1 else 0.5 - 0.25 * log((1 + sine) / (1 - sine)) / pi
    return _column(longitude / 360 + 0.5), _column(y)


def _column(fraction: float) -> int:
    if fraction <= 0:
        return 0
    return (1 << 32) - 1 if fraction >= 1 else floor((fraction + _EDGE) * (1 << 32))
