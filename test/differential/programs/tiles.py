#% a tile run: VALUE
#! needs geo
#: bounds: fused.types.Bounds ; bounds: fused.types.Tile ; bounds: fused.types.TileGDF ; bounds: fused.types.ViewportGDF ; bounds: fused.types.Bbox ; bounds: fused.types.TileXYZ ; bounds ; bbox ; area, b: int = 2 ; a: int = 1, bounds: fused.types.Bounds = None ; bounds: fused.types.Bounds = None, bbox=None ;
@fused.udf
def udf(VALUE):
    return locals()


answer = fused.run(udf, x=35210, y=21493, z=16, engine="local")

#% bounds given as VALUE
#: [1, 2, 3, 4] ; [1.5, -2, 3, 4] ; "[1, 2, 3, 4]" ; (1, 2, 3, 4) ; None
@fused.udf
def udf(bounds: fused.types.Bounds):
    return bounds


answer = fused.run(udf, bounds=VALUE, engine="local")

#% bounds of a GeoDataFrame
#! needs geo
import geopandas as gpd
import shapely


@fused.udf
def udf(bounds: fused.types.Bounds):
    return bounds


answer = fused.run(udf, bounds=gpd.GeoDataFrame(geometry=[shapely.Point(1, 2), shapely.Point(3, 5)], crs=4326), engine="local")

#% a list as VALUE
#! needs geo
#: fused.types.Tile ; fused.types.TileGDF ; fused.types.ViewportGDF ; fused.types.Bbox ; fused.types.TileXYZ
@fused.udf
def udf(bounds: VALUE):
    return bounds


answer = fused.run(udf, bounds=[13.0, 52.0, 13.1, 52.1], engine="local")

#% a frame with columns as VALUE
#! needs geo
#: fused.types.Tile ; fused.types.Bbox ; fused.types.TileXYZ
import geopandas as gpd
import shapely


@fused.udf
def udf(bounds: VALUE):
    return bounds


answer = fused.run(udf, bounds=gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.box(13, 52, 13.1, 52.1)], crs=4326), engine="local")

#% x alone is an ordinary parameter
@fused.udf
def udf(x: int = 0, y: int = 0):
    return [x, y]


answer = fused.run(udf, x=3, engine="local")

#% a file run has x, y and z as ordinary parameters
@fused.udf
def udf(x: int, y: int, z: int):
    return [x, y, z]


answer = fused.run(udf, x=1, y=2, z=3, type="file", engine="local")

#% a tile run of a UDF without parameters
@fused.udf
def udf():
    return "ran"


answer = fused.run(udf, x=1, y=1, z=1, engine="local")

#% bounds without annotation in a file run
@fused.udf
def udf(bounds):
    return bounds


answer = fused.run(udf, bounds=[1, 2, 3, 4], engine="local")

#% bounds of three numbers
@fused.udf
def udf(bounds: fused.types.Bounds):
    return bounds


answer = fused.run(udf, bounds=[1, 2, 3], engine="local")

#% the types are type variables
answer = [type(getattr(fused.types, name)).__name__ for name in ("Bounds", "Bbox", "Tile", "TileGDF", "TileXYZ", "ViewportGDF")]

#% Tile is not TileGDF
answer = fused.types.Tile is fused.types.TileGDF

#% a frame with columns as a viewport
#! needs geo
#! differs: the client writes frames as GeoJSON and reads them again, which puts the geometry first; ours stay as they are
#! ours: [column[0] for column in value["GeoDataFrame"]] == ["a", "geometry"]
import geopandas as gpd
import shapely


@fused.udf
def udf(bounds: fused.types.ViewportGDF):
    return bounds


answer = fused.run(udf, bounds=gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.box(13, 52, 13.1, 52.1)], crs=4326), engine="local")
