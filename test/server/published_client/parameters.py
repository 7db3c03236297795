"""Parameters of every kind: what the client sends is what the UDF gets, by its annotation."""

from typing import Any

import fused
import pandas
from scenarios import equal, fails, run, scenario, source

VALUES: dict[str, tuple[str, Any, str]] = {
    "an int": ("int", 7, "[type(v).__name__, v]"),
    "an int from text": ("int", "7", "[type(v).__name__, v]"),
    "a float": ("float", 2.5, "[type(v).__name__, v]"),
    "a bool": ("bool", True, "[type(v).__name__, v]"),
    "a bool that is false": ("bool", False, "[type(v).__name__, v]"),
    "a str": ("str", "a b&c=d?\u00fc\U0001f30d", "[type(v).__name__, v]"),
    "a str like a number": ("str", "007", "[type(v).__name__, v]"),
    "a list": ("list", [1, "x", None, [2.5]], "[type(v).__name__, v]"),
    "a dict": ("dict", {"a": [1], "b": {"c": None}}, "[type(v).__name__, v]"),
    "a list of ints": ("list[int]", [1, 2], "[type(v).__name__, v]"),
}


def add(title: str, annotation: str, value: Any, expression: str) -> None:
    @scenario(f"a parameter: {title}")
    def _() -> None:
        kind = annotation.split("[")[0]
        wanted = int(value) if kind == "int" else value
        equal(run(f"return {expression}", f"v: {annotation} = None", v=value), [kind, wanted])


for title, (annotation, value, expression) in VALUES.items():
    add(title, annotation, value, expression)


@scenario("a parameter: an int beyond 2^53")
def _() -> None:
    equal(run("return [v, w]", "v: int, w=0", v=2**60 + 1, w=-(2**63)), [2**60 + 1, -(2**63)])


@scenario("the option verbose is no parameter, but where the UDF has one")
def _() -> None:
    equal(run("return a", "a: int = 1", a=2, verbose=False), 2)
    equal(run("return verbose", "verbose: bool = True", verbose=False), False)


@scenario("a parameter: None")
def _() -> None:
    equal(run("return [v is None, w]", "v: str = 'default', w: int = 3", v=None), [True, 3])


@scenario("a parameter: a tuple")
def _() -> None:
    equal(run("return list(v)", "v: tuple = ()", v=(1, 2)), [1, 2])


@scenario("a parameter: a DataFrame")
def _() -> None:
    frame = pandas.DataFrame({"a": [1, 2], "b": ["x", None]})
    found = run("return [type(v).__name__, v.a.tolist(), v.b[0]]", "v: pd.DataFrame", "import pandas as pd", v=frame)
    equal(found, ["DataFrame", [1, 2], "x"])


@scenario("a parameter: a GeoDataFrame", needs_geo=True)
def _() -> None:
    import geopandas
    import shapely

    frame = geopandas.GeoDataFrame({"q": [1]}, geometry=[shapely.Point(1, 2)], crs=4326)
    found = run("return [type(v).__name__, v.geometry[0].wkt, int(v.q[0])]", "v: gpd.GeoDataFrame", "import geopandas as gpd", v=frame)
    equal(found, ["GeoDataFrame", "POINT (1 2)", 1])


@scenario("a parameter: a shapely geometry", needs_geo=True)
def _() -> None:
    import shapely

    for kind in ("Polygon", "Geometry"):
        equal(run("return v.area", f"v: shapely.{kind}", "import shapely", v=shapely.box(0, 0, 2.5, 3)), 7.5)


@scenario("a parameter: bounds as a list")
def _() -> None:
    equal(run("return list(bounds)", "bounds: fused.types.Bounds", bounds=[0, 1, 2, 3]), [0, 1, 2, 3])


@scenario("a parameter without an annotation")
def _() -> None:
    equal(run("return v", "v", v="text"), "text")


@scenario("parameters as a dict, beside others")
def _() -> None:
    equal(fused.run(source("return [a, b]", "a: int = 1, b: int = 2"), parameters={"a": 5}, b=6), [5, 6])



@scenario("a parameter that is missing")
def _() -> None:
    fails("UdfRuntimeError", "v", run, "return v", "v: int")


@scenario("a parameter that is none of its type")
def _() -> None:
    fails("UdfRuntimeError", "seven", run, "return v", "v: int", v="seven")


@scenario("a parameter of a megabyte")
def _() -> None:
    equal(run("return len(v)", "v: str", v="x" * 1_000_000), 1_000_000)


@scenario("default parameters of the UDF")
def _() -> None:
    udf = fused.load("import fused\n\n@fused.udf(default_parameters={'a': [1, 2]})\ndef udf(a: list = None, b: int = 3):\n    return [a, b]\n")
    equal(fused.run(udf), [[1, 2], 3])
