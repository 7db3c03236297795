#% a result as it is: VALUE
#: 1 ; 1.0 ; 2**64 ; float("inf") ; -0.0 ; float("nan") ; None ; True ; "text" ; b"bytes" ; bytearray(b"x") ; [] ; [1, 1.0, True, None] ; (1, (2,)) ; {"a": {1: 2}} ; {1, 2} ; frozenset("a") ; range(3) ; 1j
@fused.udf
def udf():
    return VALUE


answer = fused.run(udf, engine="local")

#% a result of the standard library: VALUE
#: datetime.date(2024, 2, 29) ; datetime.datetime(2024, 2, 29, 1, 2, 3, 4) ; datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc) ; datetime.timedelta(1, 2) ; datetime.time(1, 2) ; decimal.Decimal("1.50") ; uuid.UUID(int=5) ; pathlib.PurePosixPath("a/b") ; fractions.Fraction(1, 3)
@fused.udf
def udf():
    import datetime, decimal, fractions, pathlib, uuid

    return VALUE


answer = fused.run(udf, engine="local")

#% an object of the UDF's own class
@fused.udf
def udf():
    class Thing:
        def __init__(self):
            self.a = 1

    return Thing().a


answer = fused.run(udf, engine="local")

#% numpy: VALUE
#! needs pandas
#: np.array([1.5, 2]) ; np.arange(4, dtype="int16").reshape(2, 2) ; np.array([], dtype="float32") ; np.float32(1.5) ; np.int64(3) ; np.bool_(True) ; np.array(["a", "bc"]) ; np.array(["2024-01-01"], dtype="datetime64[ns]") ; np.zeros((1, 2, 2), "uint8") ; np.array([1, 2])
@fused.udf
def udf():
    import numpy as np

    return VALUE


answer = fused.run(udf, engine="local")

#% pandas: VALUE
#! needs pandas
#: pd.DataFrame({"a": [1, 2], "b": ["x", None]}) ; pd.DataFrame({"a": [1.5, None]}, index=["p", "q"]) ; pd.DataFrame() ; pd.Series([1, 2], name="s") ; pd.DataFrame({"t": pd.to_datetime(["2024-01-01", None])}) ; pd.DataFrame({"t": pd.to_datetime(["2024-01-01"], utc=True)}) ; pd.DataFrame({"c": pd.Categorical(["a", "b", "a"])}) ; pd.DataFrame({"n": pd.array([1, None], dtype="Int64")}) ; pd.DataFrame({"a": [1, 1], "b": [2, 3]}).set_index(["a", "b"]) ; pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")])) ; pd.Timestamp("2024-01-01", tz="Europe/Berlin") ; pd.NaT ; pd.Index([1, 2], name="i") ; pd.DataFrame({"o": [[1], {"a": 2}]}) ; pd.DataFrame({"d": [pd.Timedelta("1h")]}) ; pd.DataFrame({"b": [True, False]}) ; pd.DataFrame({"a": [1, 2, 3]}).groupby("a").size()
@fused.udf
def udf():
    import pandas as pd

    return VALUE


answer = fused.run(udf, engine="local")

#% pyarrow: VALUE
#! needs pandas
#: pa.table({"a": [1, None], "b": ["x", "y"]}) ; pa.array([1.5]) ; pa.table({"d": pa.array([1], pa.date32())})
@fused.udf
def udf():
    import pyarrow as pa

    return VALUE


answer = fused.run(udf, engine="local")

#% geopandas: VALUE
#! needs geo
#: gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.Point(1, 2)], crs="EPSG:4326") ; gpd.GeoDataFrame({"a": [1, 2]}, geometry=[shapely.Point(1, 2), None], crs=3857) ; gpd.GeoDataFrame({"a": []}) ; gpd.GeoSeries([shapely.box(0, 0, 1, 1)]) ; shapely.LineString([(0, 0), (1, 1)]) ; gpd.GeoDataFrame(geometry=[shapely.Point(0, 0)]).buffer(1).area.round(3) ; gpd.GeoDataFrame(geometry=[shapely.Point(13, 52)], crs=4326).to_crs(3857).geometry.x.round(3)
@fused.udf
def udf():
    import geopandas as gpd
    import shapely

    return VALUE


answer = fused.run(udf, engine="local")

#% a frame given as a parameter, VALUE
#! needs pandas
#: {"a": [1, 2], "b": ["x", None]} ; {"f": [1.5, 2.5]}
import pandas as pd


@fused.udf
def udf(frame: pd.DataFrame):
    return frame


answer = fused.run(udf, frame=pd.DataFrame(VALUE), engine="local")

#% a frame of JSON text
#! needs pandas
import pandas as pd


@fused.udf
def udf(frame: pd.DataFrame):
    return frame


answer = fused.run(udf, frame='[{"a": 1, "b": "x"}, {"a": 2.5, "b": null}]', engine="local")

#% a GeoDataFrame given as a parameter
#! needs geo
#! differs: the client writes frames as GeoJSON and reads them again, which puts the geometry first; ours stay as they are
#! ours: [column[0] for column in value["GeoDataFrame"]] == ["a", "geometry"] and value["crs"] == "EPSG:4326"
import geopandas as gpd
import shapely


@fused.udf
def udf(frame: gpd.GeoDataFrame):
    return frame


answer = fused.run(udf, frame=gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.Point(1, 2)], crs=4326), engine="local")

#% a GeoDataFrame of VALUE
#! needs geo
#: [1, 2, 3, 4] ; '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"a": 1}, "geometry": {"type": "Point", "coordinates": [1, 2]}}]}'
import geopandas as gpd


@fused.udf
def udf(frame: gpd.GeoDataFrame):
    return frame


answer = fused.run(udf, frame=VALUE, engine="local")

#% a geometry of VALUE
#! needs geo
#: "POINT (1 2)" ; "POINT Z (1 2 3)"
import shapely


@fused.udf
def udf(point: shapely.Point):
    return point


answer = fused.run(udf, point=VALUE, engine="local")

#% an empty frame given as a parameter
#! needs pandas
#! differs: the client writes frames as JSON, where a frame without rows has no columns; ours stay as they are
#! ours: len(value["DataFrame"]) == 1
import pandas as pd


@fused.udf
def udf(frame: pd.DataFrame):
    return frame


answer = fused.run(udf, frame=pd.DataFrame({"a": []}), engine="local")
