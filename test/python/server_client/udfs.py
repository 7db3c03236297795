"""What the cases run and send. A file, because the code of a UDF is read from where it stands."""

import datetime
import decimal
import pathlib
import uuid

import fused
import geopandas
import numpy
import pandas
import shapely

__all__ = [
    "aged",
    "anything",
    "box",
    "datetime",
    "decimal",
    "frame",
    "numpy",
    "pathlib",
    "places",
    "prints",
    "u",
    "uuid",
    "with_defaults",
]


@fused.udf
def u(a: int = 1, b: str = "x"):
    return a


@fused.udf(cache_max_age="3h")
def aged(a=1):
    return a


@fused.udf(default_parameters={"some": [1, 2], "b": True})
def with_defaults(some=None, b=None, c=1):
    return c


@fused.udf
def anything(a=None, **more):
    return a


@fused.udf(cache_max_age=0)
def prints(a: int = 1):
    print("out")
    return a


frame = pandas.DataFrame({"a": [1, 2], "b": ["x", None], "t": pandas.to_datetime(["2020-01-01", "2021-01-01"])})
places = geopandas.GeoDataFrame({"q": [1]}, geometry=[shapely.Point(1, 2)], crs=4326)
box = shapely.box(0, 0, 1, 1)
