"""Other ways to the same: maps, calls of what was loaded, helper modules, and results of several parts."""

import asyncio
import math

import fused
from fused.models.udf.header import Header
from scenarios import PLACE, equal, fails, id_of, name, printed, run, save, scenario, source

api = fused.api.FusedAPI()


@scenario("a call of what was loaded, by position and by name")
def _() -> None:
    udf = fused.load(save("return [a, b]", "a: int = 1, b: str = 'x'").name)
    equal((udf(2), udf(3, "y"), udf(b="z")), ([2, "x"], [3, "y"], [1, "z"]))


@scenario("udf.map: results in order, with a constant beside")
def _() -> None:
    udf = fused.load(source("return n + more", "n: int = 1, more: int = 0"))
    pool = udf.map([1, 2, 3], more=10, max_workers=3)
    pool.wait()
    equal(pool.results(), [11, 12, 13])


@scenario("udf.map of dicts, and of the rows of a DataFrame")
def _() -> None:
    import pandas

    udf = fused.load(source("return f'{a}{b}'", "a: int = 1, b: str = 'x'"))
    frame = pandas.DataFrame({"a": [3, 4], "b": ["q", "r"]})
    for arguments, wanted in ([{"a": 1, "b": "p"}, {"a": 2}], ["1p", "2x"]), (frame, ["3q", "4r"]):
        pool = udf.map(arguments)
        pool.wait()
        equal(pool.results(), wanted)


@scenario("fused.submit with asyncio, and what each printed")
def _() -> None:
    udf = fused.load(source("print('at', n)\nreturn n", "n: int = 1"))
    pool = fused.submit(udf, [1, 2], execution_type="async_loop", collect=False)
    pool.wait()
    equal((pool.results(), ["at 1\n" in pool.logs()[0], "at 2\n" in pool.logs()[1]]), ([1, 2], [True, True]))


@scenario("run_async of a name and an id, and of a tile")
def _() -> None:
    udf = save("return bounds is not None", "bounds: fused.types.Bounds = None")

    async def all_of_them() -> list[bool]:
        tile = {"x": 1, "y": 1, "z": 1}
        return await asyncio.gather(*(fused.run_async(one, **more) for one in (udf.name, id_of(udf)) for more in ({}, tile)))

    equal(asyncio.run(all_of_them()), [False, True] * 2)


@scenario("a helper module of a UDF is imported in it, and is saved with it")
def _() -> None:
    udf = fused.load(source("from helping import twice\nreturn twice(n)", "n: int = 1"))
    udf.name = name("helped")
    udf.headers = [Header(module_name="helping", source_code="def twice(n):\n    return 2 * n\n")]
    equal(fused.run(udf, n=4), 8)
    udf.to_fused()
    equal(fused.run(udf.name, n=5), 10)


@scenario("helper functions, classes and constants beside the UDF")
def _() -> None:
    pair = "from dataclasses import dataclass\n\n@dataclass\nclass Pair:\n    a: int\n    b: int\n\n"
    imports = f"{pair}FACTOR = 3\n\ndef total(pair):\n    return FACTOR * (pair.a + pair.b)\n"
    equal(fused.run(source("return total(Pair(1, 2))", imports=imports)), 9)


@scenario("parameters that the UDF does not name arrive in its keywords")
def _() -> None:
    equal(fused.run(source("return [n, sorted(more)]", "n: int = 1, **more"), n=2, b="x", a="y"), [2, ["a", "b"]])


@scenario("a parameter that the UDF does not have is refused")
def _() -> None:
    fails(TypeError, "other", fused.run, source("return n", "n: int = 1"), other=2)


@scenario("a result: NaN and infinities in a list")
def _() -> None:
    found = fused.run(source("return [float('nan'), float('inf'), 1.5]"))
    assert found[0] is None or math.isnan(found[0]), found
    equal(found[2], 1.5)


@scenario("a result: a Series of words, with an index")
def _() -> None:
    found = run("return pd.Series(['p', 'q'], index=['a', 'b'], name='letters')", imports="import pandas as pd")
    equal((list(found.letters), list(found.index)), (["p", "q"], ["a", "b"]))


@scenario("a result: a dict of a table, an array and a number")
def _() -> None:
    imports = "import numpy as np\nimport pandas as pd"
    found = run("return {'t': pd.DataFrame({'a': [1]}), 'x': np.arange(3), 'n': 7}", imports=imports)
    equal((list(found["t"].a), [int(one) for one in found["x"]], found["n"]), ([1], [0, 1, 2], 7))


@scenario("a result: a GeoDataFrame that goes beside one of here", needs_geo=True)
def _() -> None:
    import geopandas
    import pandas

    body = "return gpd.GeoDataFrame({'a': [1]}, geometry=gpd.points_from_xy([1], [2]), crs=4326)"
    found = run(body, imports="import geopandas as gpd")
    own = geopandas.GeoDataFrame({"a": [2]}, geometry=geopandas.points_from_xy([3], [4]), crs=4326)
    both = pandas.concat([found, own], ignore_index=True)
    equal((both.crs.to_epsg(), [point.x for point in both.geometry]), (4326, [1.0, 3.0]))


@scenario("a result: a GeoDataFrame in metres, and one without a system", needs_geo=True)
def _() -> None:
    body = "return gpd.GeoDataFrame({'a': [1]}, geometry=gpd.points_from_xy([1], [2]), crs=crs)"
    for crs in (3857, None):
        found = run(body, "crs: int = None", "import geopandas as gpd", crs=crs)
        equal(found.crs and found.crs.to_epsg(), crs)


@scenario("apps by the client's list")
def _() -> None:
    app = fused.load(source("return 1"))
    app.name = name("app")
    app.metadata = {"fused:udfType": "app"}
    app.to_fused()
    assert f"default/{app.name}" in fused.api.get_apps()
    assert f"default/{app.name}" not in fused.api.get_udfs()


@scenario("the log of runs: all, of a UDF, of a token")
def _() -> None:
    udf = save("return 1")
    token = udf.create_access_token().token
    fused.run(udf.name)
    fused.run(token)
    by_id = fused.api.log(udf_id=id_of(udf))["items"]
    by_token = fused.api.log(shared_token=token)["items"]
    equal((len(by_token), len(by_id) >= 1), (1, True))
    assert udf.name in fused.api.log(distinct=True, distinct_type="names")["items"]


@scenario("a job's log is followed until it ends, and its steps are told")
def _() -> None:
    udf = fused.load(source("print('said', n)\nreturn n", "n: int = 1"))
    job = udf._to_job_step(arg_list=[{"n": 1}]).run_batch(instance_type="small")
    with printed() as out:
        job.tail_logs(refresh_seconds=0.1, sample_logs=False, timeout=30)
    job.wait_for_job(0.1, 60)
    equal(api.get_job_config(job).steps[0].input, [{"n": 1}])
    equal(job.get_logs(since_ms=job.get_logs()[-1]["timestamp"]), [])
    assert job.get_exec_time().total_seconds() >= 0
    assert "said 1" in out.getvalue() or any("said 1" in entry["message"] for entry in job.get_logs())


@scenario("a download that was not granted is refused")
def _() -> None:
    fails("UdfRuntimeError", "allow-net", fused.run, source("return fused.download('http://192.0.2.1/x', 'x')"))


@scenario("fused.cache in a UDF outlives the run")
def _() -> None:
    path = name("counted")
    imports = f"import fused\nimport random\n\n@fused.cache\ndef fetched():\n    return [{path!r}, random.random()]\n"
    code = source("return fetched()", imports=imports)
    first = fused.run(code, cache=False)
    equal(fused.run(code, cache=False), first)
    equal(first[0], path)


@scenario("a UDF's code in a file and in a folder is loaded and run")
def _() -> None:
    import pathlib
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        udf = fused.load(source("return n * 3", "n: int = 1"))
        file = pathlib.Path(folder, "own.py")
        file.write_text(udf.code)
        equal(fused.run(str(file), n=2), 6)
        udf.to_directory(pathlib.Path(folder, "own"))
        equal(fused.run(fused.load(pathlib.Path(folder, "own")), n=3), 9)


@scenario("a temporary place is where the server says")
def _() -> None:
    assert PLACE.url in api.sign_url("fd://any/where.txt")
