#% a tile goes into the first parameter, whatever it is
#! needs geo
@fused.udf
def udf(x: int, y: int = 0, z: int = 0):
    return [x, y, z]


answer = attempt(fused.run, udf, x=1, y=1, z=2, engine="local")
answer = [type(answer).__name__, getattr(answer, "child_exception_class", None)]

#% a tile in bbox warns
#! needs geo
import warnings


@fused.udf
def udf(bbox):
    return [type(bbox).__name__, list(bbox.columns), len(bbox)]


answer = fused.run(udf, x=1, y=1, z=2, engine="local")

#% a time and dates given as VALUE
#: {"a": "10:30:00"} ; {"b": "86400"} ; {"b": 86400.5} ; {"c": "1700000000"} ; {"c": 1700000000} ; {"a": 3600}
import datetime


@fused.udf
def udf(a: datetime.time = None, b: datetime.date = None, c: datetime.datetime = None):
    return [a, b, c]


answer = fused.run(udf, engine="local", **VALUE)

#% a name that is excluded, by position and by keyword
calls = []


@fused.cache(cache_key_exclude="b", cache_verbose=False)
def excluding_one(a, b=0):
    calls.append([a, b])
    return a


answer = [excluding_one(1, 5), excluding_one(1, 6), excluding_one(1), len(calls)]

#% hits that say nothing: VALUE
#: argument ; option
@fused.cache
def quiet_one(a):
    return a


quiet_one(1, cache_verbose=False)
before = fused.options.verbose_cached_functions
try:
    if "VALUE" == "option":
        fused.options.verbose_cached_functions = False
        answer = quiet_one(1)
    else:
        answer = quiet_one(1, cache_verbose=False)
finally:
    fused.options.verbose_cached_functions = before

#% submit of the rows of a frame
#! needs pandas
import pandas as pd


@fused.udf
def udf(a: int, b: str = "x"):
    return f"{a}{b}"


answer = fused.submit(udf, pd.DataFrame({"a": [1, 2], "b": ["p", "q"]}), engine="local")

#% submit of a UDF by its text needs dicts
#! needs pandas
answer = attempt(fused.submit, "a_name_of_nothing", [1, 2], engine="local")
answer = type(answer).__name__

#% submit of results of other kinds: VALUE
#! needs pandas
#: {"a": a} ; None ; pd.Series([a, 2]) ; [a] if a == 1 else {"b": a} ; pd.DataFrame({"v": [a]}) if a == 1 else a ; a / 2 ; "text"
@fused.udf
def udf(a: int):
    import pandas as pd

    return VALUE


answer = fused.submit(udf, [1, 2], engine="local")

#% submit of tuples
#! needs pandas
#! differs: runs are in isolates of their own, and what comes out of them is as JSON has it: a list
#! ours: value["DataFrame"][0][1]["values"] == [[1, 2], [2, 2]]
@fused.udf
def udf(a: int):
    return (a, 2)


answer = fused.submit(udf, [1, 2], engine="local")

#% submit of GeoDataFrames gives one
#! needs geo
@fused.udf
def udf(a: int):
    import geopandas as gpd
    from shapely.geometry import Point

    return gpd.GeoDataFrame({"n": [a, a + 1]}, geometry=[Point(a, 0), Point(a, 1)], crs=4326)


answer = fused.submit(udf, [1, 2], engine="local")

#% submit where all fail and none counts
#! needs pandas
@fused.udf
def udf(a: int):
    raise ValueError("boom")


answer = fused.submit(udf, [1, 2], engine="local", ignore_exceptions=True, max_retry=0)

#% a pool's parts by number, and one after the other
#! needs pandas
@fused.udf
def udf(a: int):
    print("run", a)
    return a * 2


pool = fused.submit(udf, [1, 2, 3], engine="local", collect=False)
pool.wait()
answer = [pool[0].result(), pool[2].result(), list(pool), pool.logs()[0], pool.results_now(), pool.success(), attempt(lambda: pool[9])]
answer[-1] = type(answer[-1]).__name__

#% which of a pool's answers raise: VALUE
#! needs pandas
#: pool.results() ; pool.results_now() ; pool.df() ; pool.collect() ; pool.results(return_exceptions=True)[0] ; pool.collect(ignore_exceptions=True) ; pool.df(ignore_exceptions=True) ; pool.status() ; [type(pool.total_time()).__name__, type(pool.times()).__name__] ; list(pool.logs_df().columns)
@fused.udf
def udf(a: int):
    return 6 // a


pool = fused.submit(udf, [1, 0], engine="local", collect=False, max_retry=0)
pool.wait()
answer = attempt(lambda: VALUE)

#% a UDF's own age and cache=False
@fused.udf(cache_max_age="1h")
def udf():
    return 1


answer = [udf.cache_max_age, fused.run(udf, engine="local", cache=False), attempt(fused.run, udf, engine="local", cache=False, cache_max_age="1h").__class__.__name__]
