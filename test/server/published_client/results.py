"""Every kind of result: what the UDF gives is what the client gets."""

import math
from collections.abc import Callable
from typing import Any

import numpy
import pandas
from scenarios import equal, run, scenario

Check = Callable[[Any], None]


def is_equal(wanted: Any) -> Check:
    return lambda found: equal(found, wanted)


def is_same(wanted: Any) -> Check:
    """The same to the last detail: 6.0 is not 6, and keys have their order."""
    return lambda found: equal(repr(found), repr(wanted))


def is_array(wanted: Any) -> Check:
    def check(found: Any) -> None:
        numpy.testing.assert_array_equal(found, wanted, strict=True)

    return check


def is_frame(**columns: Any) -> Check:
    return lambda found: pandas.testing.assert_frame_equal(found, pandas.DataFrame(columns))


def is_geo(found: Any) -> None:
    equal((type(found).__name__, found.crs.to_epsg(), found.geometry[0].wkt, list(found.a)), ("GeoDataFrame", 4326, "POINT (1 2)", [1]))


def is_dates(found: Any) -> None:
    equal([str(value) for value in found.t], ["2020-01-02 03:04:05", "NaT"])


def is_text(wanted: str) -> Check:
    def check(found: Any) -> None:
        assert wanted in found, found

    return check


def is_image(found: Any) -> None:
    equal([int(value) for value in numpy.asarray(found.image).reshape(found.image.shape[0], -1)[:3, 0]], [255, 128, 0])


def is_placed(found: Any) -> None:
    array, bounds = found
    equal((array.shape, int(array.sum()), list(bounds)), ((3, 4, 5), 60, [0, 1, 2, 3]))


def is_dict_of_frames(found: Any) -> None:
    equal(sorted(found), ["one", "two"])
    is_frame(a=[1])(found["one"])
    is_frame(b=["x"])(found["two"])


PANDAS, NUMPY = "import pandas as pd", "import numpy as np"
RESULTS: dict[str, tuple[str, str, Check]] = {
    "None": ("", "None", is_equal(None)),
    "True": ("", "True", is_equal(True)),
    "an int": ("", "42", is_equal(42)),
    "an int beyond 2^53": ("", "2**60 + 1", is_equal(2**60 + 1)),
    "a float": ("", "1.5", is_equal(1.5)),
    "a float that is a whole number": ("", "6.0", is_same(6.0)),
    "floats among other numbers": ("", "{'a': [1, 1.0, -0.0, 1e16, {'b': (2.0, 3)}]}", is_same({"a": [1, 1.0, -0.0, 1e16, {"b": [2.0, 3]}]})),
    "NaN and infinities": ("", "[float('nan'), {'a': float('inf')}, -float('inf')]", is_same([math.nan, {"a": math.inf}, -math.inf])),
    "a dict whose keys are numbers": ("", "{'b': 1, '10': 2, 9: 3, 1.5: 4, None: 5}", is_same({"b": 1, "10": 2, "9": 3, "1.5": 4, "null": 5})),
    "a dict with the key $": ("", "{'$': 1.0, 'v': {'$': 'float'}}", is_same({"$": 1.0, "v": {"$": "float"}})),
    "dates and big numbers among floats": (
        "import datetime, decimal",
        "[datetime.date(2020, 1, 2), 2**64, decimal.Decimal('1.10'), {3.0}]",
        is_same(["2020-01-02", 2**64, "1.10", [3.0]]),
    ),
    "a list with an array": (NUMPY, "[np.array([[1.0, np.nan]]), np.float64(2)]", is_same([[[1.0, math.nan]], 2.0])),
    "a list with a DataFrame": (PANDAS, "[pd.DataFrame({'a': [1.0, None], 'b': [1, 2]})]", is_same([[{"a": 1.0, "b": 1}, {"a": None, "b": 2}]])),
    "a dict of an array and a float": (NUMPY, "{'a': np.array([1.0]), 'b': 6.0, 'c': [1.0, float('nan')]}", is_same({"a": numpy.array([1.0]), "b": 6.0, "c": [1.0, math.nan]})),
    "a str": ("", "'h\u00e9llo \U0001f30d'", is_equal("h\u00e9llo \U0001f30d")),
    "a str of megabytes": ("", "'\ufeff\u00fc\U0001f30dx' * 300_000", is_equal("\ufeff\u00fc\U0001f30dx" * 300_000)),
    "an empty str": ("", "''", is_equal("")),
    "a list": ("", "[1, 'a', None, 2.5]", is_equal([1, "a", None, 2.5])),
    "a tuple": ("", "(1, (2, 3))", is_equal([1, [2, 3]])),
    "an empty dict": ("", "{}", is_equal({})),
    "a nested dict": ("", "{'a': {'b': [1, {'c': None}]}}", is_equal({"a": {"b": [1, {"c": None}]}})),
    "a date and a time": (
        "import datetime",
        "[datetime.date(2020, 1, 2), datetime.datetime(2020, 1, 2, 3, 4, 5)]",
        is_equal(["2020-01-02", "2020-01-02T03:04:05"]),
    ),
    "HTML": ("", "'<html><b>bold</b></html>'", is_text("<b>bold</b>")),
    "a DataFrame": (PANDAS, "pd.DataFrame({'a': [1, 2], 'b': ['x', None]})", is_frame(a=[1, 2], b=["x", None])),
    "an empty DataFrame": (PANDAS, "pd.DataFrame({'a': pd.Series([], dtype='int64')})", is_frame(a=pandas.Series([], dtype="int64"))),
    "a DataFrame of dates": (PANDAS, "pd.DataFrame({'t': pd.to_datetime(['2020-01-02 03:04:05', None])})", is_dates),
    "a DataFrame of lists": (
        PANDAS,
        "pd.DataFrame({'a': [[1, 2], []]})",
        lambda found: equal([list(map(int, value)) for value in found.a], [[1, 2], []]),
    ),
    "a DataFrame with an index": (
        PANDAS,
        "pd.DataFrame({'a': [1, 2]}, index=pd.Index(['x', 'y'], name='k'))",
        lambda found: equal((list(found.index), list(found.a)), (["x", "y"], [1, 2])),
    ),
    "a DataFrame of 100,000 rows": (
        PANDAS,
        "pd.DataFrame({'a': range(100_000)})",
        lambda found: equal((len(found), int(found.a.sum())), (100_000, 4_999_950_000)),
    ),
    "a Series": (PANDAS, "pd.Series([1, 2], name='s')", is_frame(s=[1, 2])),
    "an array of float32": (NUMPY, "np.ones((2, 3), 'float32')", is_array(numpy.ones((2, 3), "float32"))),
    "an array of one dimension": (NUMPY, "np.arange(4, dtype='int64')", is_array(numpy.arange(4))),
    "an array of four dimensions": (NUMPY, "np.zeros((1, 2, 3, 4), 'uint8')", is_array(numpy.zeros((1, 2, 3, 4), "uint8"))),
    "an array of bool": (NUMPY, "np.array([True, False])", is_array(numpy.array([True, False]))),
    "an array with NaN": (NUMPY, "np.array([1.5, np.nan])", is_array(numpy.array([1.5, math.nan]))),
    "an array with bounds": (NUMPY, "(np.ones((3, 4, 5), 'uint8'), [0, 1, 2, 3])", is_placed),
    "numbers of numpy": (NUMPY, "[np.int64(3), np.float32(1.5)]", is_equal([3, 1.5])),
    "an image of PIL": ("from PIL import Image", "Image.new('RGB', (4, 2), (255, 128, 0))", is_image),
    "a dict of DataFrames": (PANDAS, "{'one': pd.DataFrame({'a': [1]}), 'two': pd.DataFrame({'b': ['x']})}", is_dict_of_frames),
}


def add(title: str, imports: str, expression: str, check: Check) -> None:
    @scenario(f"a result: {title}")
    def _() -> None:
        check(run(f"return {expression}", imports=imports))


for kind, (imports, expression, check) in RESULTS.items():
    add(kind, imports, expression, check)


@scenario("a result: bytes")
def _() -> None:
    equal(run("return bytes(range(4))"), "AAECAw==")


@scenario("a result: a GeoDataFrame", needs_geo=True)
def _() -> None:
    is_geo(run("return gpd.GeoDataFrame({'a': [1]}, geometry=[shapely.Point(1, 2)], crs=4326)", imports="import geopandas as gpd, shapely"))


@scenario("a result: a GeoSeries", needs_geo=True)
def _() -> None:
    found = run("return gpd.GeoSeries([shapely.Point(1, 2)], crs=4326)", imports="import geopandas as gpd, shapely")
    equal((type(found).__name__, found.geometry[0].wkt), ("GeoDataFrame", "POINT (1 2)"))


@scenario("a result: a table of pyarrow")
def _() -> None:
    is_frame(a=[1, 2])(run("return pa.table({'a': [1, 2]})", imports="import pyarrow as pa"))
