#% groups, aggregates and named results
#! needs pandas
@fused.udf
def udf():
    import pandas as pd

    frame = pd.DataFrame({"city": ["a", "b", "a", "c"], "year": [2020, 2020, 2021, 2021], "n": [1, 2, 3, None]})
    return frame.groupby(["city", "year"]).agg(total=("n", "sum"), rows=("n", "size")).reset_index()


answer = fused.run(udf, engine="local")

#% groups in an index of several levels
#! needs pandas
@fused.udf
def udf():
    import pandas as pd

    frame = pd.DataFrame({"k": list("aabb"), "s": ["x", "y", "x", "y"], "v": [1.5, 2.5, 3.5, 4.5]})
    return frame.groupby(["k", "s"])["v"].mean()


answer = fused.run(udf, engine="local")

#% a merge with an indicator, and a pivot
#! needs pandas
@fused.udf
def udf(how: str = "outer"):
    import pandas as pd

    left = pd.DataFrame({"id": [1, 2, 3], "a": ["x", "y", "z"]})
    right = pd.DataFrame({"id": [2, 3, 4], "b": [True, False, True]})
    merged = left.merge(right, on="id", how=how, indicator=True)
    pivot = merged.pivot_table(index="_merge", values="id", aggfunc="count", observed=False)
    return [merged, pivot]


answer = fused.run(udf, engine="local")

#% a time series that is resampled and shifted
#! needs pandas
@fused.udf
def udf(rule: str = "2D"):
    import pandas as pd

    index = pd.date_range("2024-01-01", periods=5, freq="D", tz="Europe/Berlin")
    series = pd.Series([1, 2, None, 4, 5], index=index, name="v")
    return pd.DataFrame({"sum": series.resample(rule).sum(), "mean": series.resample(rule).mean()})


answer = fused.run(udf, engine="local")

#% rolling means and ranks
#! needs pandas
@fused.udf
def udf():
    import pandas as pd

    frame = pd.DataFrame({"v": [3, 1, 2, 5]}, index=pd.Index(list("wxyz"), name="key"))
    frame["rolling"] = frame["v"].rolling(2).mean()
    frame["rank"] = frame["v"].rank()
    frame["change"] = frame["v"].pct_change().round(3)
    return frame.sort_values("v", ascending=False)


answer = fused.run(udf, engine="local")

#% categories that are ordered
#! needs pandas
@fused.udf
def udf():
    import pandas as pd

    sizes = pd.Categorical(["m", "s", None, "l"], categories=["s", "m", "l"], ordered=True)
    frame = pd.DataFrame({"size": sizes, "n": [1, 2, 3, 4]})
    frame["big"] = frame["size"] > "s"
    return frame.sort_values("size")


answer = fused.run(udf, engine="local")

#% columns of several levels
#! needs pandas
@fused.udf
def udf():
    import pandas as pd

    frame = pd.DataFrame({"k": list("aab"), "v": [1, 2, 3], "w": [4.0, 5.0, 6.0]})
    return frame.groupby("k").agg({"v": ["min", "max"], "w": ["mean"]})


answer = fused.run(udf, engine="local")

#% nullable types, texts and intervals
#! needs pandas
@fused.udf
def udf():
    import pandas as pd

    frame = pd.DataFrame({"i": pd.array([1, None], "Int32"), "b": pd.array([True, None], "boolean"), "s": pd.array(["x", None], "string"), "f": pd.array([1.5, None], "Float64")})
    frame["cut"] = pd.cut([1, 5], [0, 2, 10]).astype(str)
    return frame.assign(n=frame["i"] + 1, u=frame["s"].str.upper(), none=None)


answer = fused.run(udf, engine="local")

#% text methods, melt and explode
#! needs pandas
@fused.udf
def udf():
    import pandas as pd

    frame = pd.DataFrame({"id": [1, 2], "tags": ["a,b", "c"], "x": [1, 2], "y": [3, 4]})
    tags = frame.assign(tag=frame["tags"].str.split(",")).explode("tag")[["id", "tag"]]
    return {"tags": tags, "long": frame.melt("id", ["x", "y"]), "found": frame["tags"].str.extract(r"(?P<first>\w)")}


answer = fused.run(udf, engine="local")

#% frames from CSV, JSON and dicts
#! needs pandas
@fused.udf
def udf(text: str = "when,v\n2024-01-01,1\n2024-01-02,\n"):
    import io

    import pandas as pd

    read = pd.read_csv(io.StringIO(text), parse_dates=["when"])
    nested = pd.json_normalize([{"a": {"b": 1}, "c": [1]}, {"a": {"b": 2}, "c": []}])
    return [read, nested, read.to_csv(index=False), read.to_dict("records"), pd.DataFrame.from_dict({"r": [1, 2]}, orient="index")]


answer = fused.run(udf, engine="local")

#% scalars of numpy and pandas: VALUE
#! needs pandas
#: frame["v"].sum() ; frame["v"].mean() ; frame["v"].max() ; frame.shape ; len(frame) ; frame["v"].iloc[0] ; frame["v"].any() ; frame.columns ; frame.dtypes.astype(str).to_dict() ; frame["t"].max() ; frame["t"].diff().iloc[1] ; frame.index ; frame.isna().sum().to_dict() ; frame["v"].tolist() ; frame["v"].to_numpy() ; frame.to_numpy() ; frame.iloc[0] ; frame.describe() ; frame.memory_usage(index=False, deep=False).sum() ; pd.NA ; pd.Period("2024-01") ; pd.Interval(0, 1) ; pd.offsets.Day(2) ; np.nan ; np.datetime64("2024-01-01") ; np.timedelta64(5, "s") ; np.str_("x") ; np.complex128(1 + 2j)
@fused.udf
def udf():
    import numpy as np
    import pandas as pd

    frame = pd.DataFrame({"v": [1, 2, 4], "t": pd.to_datetime(["2024-01-01", "2024-01-03", None])})
    return VALUE


answer = fused.run(udf, engine="local")

#% arrays: VALUE
#! needs pandas
#: np.zeros(2, dtype=[("a", "i4"), ("b", "f8")]) ; np.array([True, False]) ; np.array([1 + 2j, 3]) ; np.array([1, "a", None], dtype=object) ; np.linspace(0, 1, 5) ; np.eye(2) ; np.ma.masked_array([1, 2], [False, True]).filled(9) ; np.arange(6).reshape(2, 3).T ; np.array([[1, 2], [3, 4]]) @ np.array([1, 1]) ; np.array(5) ; np.random.default_rng(1).integers(0, 10, 4) ; np.histogram([1, 2, 2, 5], bins=2)[0] ; np.where([True, False], [1, 2], [3, 4]) ; np.array([1.5, np.nan, np.inf], dtype="float16") ; np.unique(["b", "a", "b"]) ; np.packbits([1, 0, 1]) ; np.array(["2024-01", "2025-06"], dtype="datetime64[M]") ; np.full((2, 2), 7, dtype=">i4")
@fused.udf
def udf():
    import numpy as np

    return VALUE


answer = fused.run(udf, engine="local")

#% a default that is no frame, and a frame in its place
#! needs pandas
import pandas as pd


@fused.udf
def udf(frame: pd.DataFrame = None, n: int = 1):
    return "none" if frame is None else frame.assign(n=n)


answer = [fused.run(udf, engine="local"), fused.run(udf, engine="local", frame=pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}), n=3)]

#% errors of pandas: VALUE
#! needs pandas
#: frame["missing"] ; frame.loc["x"] ; frame.astype({"a": "datetime64[ns]"}).b ; frame.merge(frame, on="zz") ; pd.to_datetime("nonsense") ; frame.iloc[9] ; pd.DataFrame({"a": [1], "b": [1, 2]}) ; frame.groupby("q") ; pd.Timestamp("2024-13-01") ; frame["a"].astype(int).str.upper()
@fused.udf
def udf():
    import pandas as pd

    frame = pd.DataFrame({"a": [1, 2]})
    return VALUE


answer = attempt(fused.run, udf, engine="local")
answer = [type(answer).__name__, getattr(answer, "child_exception_class", None), str(answer).split("\n")[0][:120]]

#% several frames, and frames in a dict
#! needs pandas
@fused.udf
def udf(n: int = 2):
    import pandas as pd

    frames = {f"part{i}": pd.DataFrame({"i": range(i + 1)}) for i in range(n)}
    return frames | {"all": pd.concat(frames.values(), ignore_index=True), "keyed": pd.concat(frames, names=["part", "row"])}


answer = fused.run(udf, engine="local")

#% an Arrow table that is filtered and sorted
#! needs pandas
@fused.udf
def udf():
    import pyarrow as pa
    import pyarrow.compute as pc

    table = pa.table({"a": [3, 1, None, 2], "b": ["x", "y", "z", None], "l": [[1], [], None, [2, 3]]})
    return table.filter(pc.greater(table["a"], 1)).sort_by("a")


answer = fused.run(udf, engine="local")

#% a spatial join, an overlay and a dissolve
#! needs geo
@fused.udf
def udf():
    import geopandas as gpd
    from shapely.geometry import Point, box

    zones = gpd.GeoDataFrame({"zone": ["w", "e"]}, geometry=[box(0, 0, 1, 1), box(1, 0, 2, 1)], crs=4326)
    points = gpd.GeoDataFrame({"p": [1, 2, 3]}, geometry=[Point(0.5, 0.5), Point(1.5, 0.5), Point(9, 9)], crs=4326)
    joined = points.sjoin(zones, how="left", predicate="within")
    overlaid = gpd.overlay(zones, gpd.GeoDataFrame({"k": [1]}, geometry=[box(0.5, 0, 1.5, 1)], crs=4326))
    return {"joined": joined.drop(columns="geometry"), "overlaid": overlaid[["zone", "k"]], "area": overlaid.area.round(3).tolist(), "whole": zones.assign(g=1).dissolve("g").geometry.iloc[0].area}


answer = fused.run(udf, engine="local")

#% reprojected and buffered
#! needs geo
@fused.udf
def udf(epsg: int = 3857):
    import geopandas as gpd
    from shapely.geometry import Point

    frame = gpd.GeoDataFrame({"n": ["a", "b"]}, geometry=[Point(0, 0), Point(10, 50)], crs="EPSG:4326")
    moved = frame.to_crs(epsg)
    return {"crs": str(moved.crs), "bounds": [round(x, 3) for x in moved.total_bounds.tolist()], "size": moved.buffer(10).area.round(2).tolist(), "back": [round(x, 6) for x in moved.to_crs(4326).total_bounds.tolist()], "same": moved.crs == frame.crs}


answer = fused.run(udf, engine="local")

#% a GeoDataFrame without rows, without geometry, and with missing ones
#! needs geo
@fused.udf
def udf():
    import geopandas as gpd
    from shapely.geometry import Point

    frame = gpd.GeoDataFrame({"a": [1, 2]}, geometry=[Point(1, 2), None], crs=4326)
    return [frame, frame.iloc[:0], frame.drop(columns="geometry"), frame.geometry, frame.rename_geometry("shape")]


answer = fused.run(udf, engine="local")

#% shapes: VALUE
#! needs geo
#: round(Point(1, 2).buffer(1, 2).area, 6) ; LineString([(0, 0), (3, 4)]).length ; Polygon([(0, 0), (4, 0), (4, 4)], [[(1, 0.5), (2, 0.5), (2, 1)]]).area ; box(0, 0, 2, 2).intersection(box(1, 1, 3, 3)) ; unary_union([box(0, 0, 1, 1), box(1, 0, 2, 1)]) ; MultiPoint([(0, 0), (1, 1)]).convex_hull ; wkt.loads("POINT Z (1 2 3)") ; Point(1, 2).__geo_interface__ ; shapely.to_geojson(Point(1, 2)) ; LineString([(0, 0), (2, 0)]).interpolate(0.5, normalized=True) ; Point(0, 0).distance(Point(3, 4)) ; Polygon([(0, 0), (2, 2), (2, 0), (0, 2)]).is_valid ; nearest_points(Point(0, 0), box(1, 1, 2, 2))[1] ; GeometryCollection([Point(1, 1)]) ; Polygon() ; Point(1.123456789, 2).wkb_hex
@fused.udf
def udf():
    import shapely
    from shapely import wkt
    from shapely.geometry import GeometryCollection, LineString, MultiPoint, Point, Polygon, box
    from shapely.ops import nearest_points, unary_union

    return VALUE


answer = fused.run(udf, engine="local")

#% a tile that is filled with points
#! needs geo
@fused.udf
def udf(bounds: fused.types.Bounds, n: int = 3):
    import geopandas as gpd
    import numpy as np
    from shapely.geometry import Point

    west, south, east, north = bounds
    xs = np.linspace(west, east, n)
    return gpd.GeoDataFrame({"i": range(n)}, geometry=[Point(x, south) for x in xs], crs=4326)


answer = [fused.run(udf, engine="local", x=1, y=2, z=3), fused.run(udf, engine="local", bounds=[0, 1, 2, 3], n=2)]

#% a GeoDataFrame read from GeoJSON text, and written as such
#! needs geo
@fused.udf
def udf():
    import json

    import geopandas as gpd

    features = {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"name": "a", "n": 1}, "geometry": {"type": "Point", "coordinates": [1, 2]}}, {"type": "Feature", "properties": {"name": None, "n": 2.5}, "geometry": {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}}]}
    frame = gpd.GeoDataFrame.from_features(features, crs=4326)
    return [frame, json.loads(frame.to_json())["features"][0]["geometry"], frame.total_bounds, frame.geom_type.tolist()]


answer = fused.run(udf, engine="local")
