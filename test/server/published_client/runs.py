"""Runs: all ways to say which UDF and where, and what is kept of them."""

import asyncio
import time

import fused
from scenarios import PLACE, equal, fails, printed, save, save_as, scenario, source


@fused.udf
def doubled(n: int = 1):
    return n * 2


@scenario("an object")
def _() -> None:
    equal(fused.run(doubled, n=4), 8)


@scenario("an object that is called")
def _() -> None:
    equal(doubled(n=5, engine="remote"), 10)


@scenario("a code string")
def _() -> None:
    equal(fused.run(source("return n + 1", "n: int = 1"), n=2), 3)


@scenario("a name")
def _() -> None:
    equal(fused.run(save("return 'by name'").name), "by name")


@scenario("an id")
def _() -> None:
    equal(fused.run(save("return 'by id'")._get_metadata_safe("fused:id")), "by id")


@scenario("handle/name and email/name")
def _() -> None:
    udf = save("return 'mine'")
    equal((fused.run(f"ada/{udf.name}"), fused.run(f"ada@example.org/{udf.name}")), ("mine", "mine"))


@scenario("a token")
def _() -> None:
    token = save("return n", "n: int = 1").create_access_token()
    equal((fused.run(token, n=3), fused.run(token.token, n=4)), (3, 4))


@scenario("a job step")
def _() -> None:
    step = fused.models.api.job.UdfJobStepConfig(udf=doubled)
    equal(fused.run(step, n=7), 14)


@scenario("asynchronous, several at once")
def _() -> None:
    async def all_of_them() -> list[int]:
        return await asyncio.gather(*(fused.run(doubled, n=n, sync=False) for n in range(6)))

    equal(asyncio.run(all_of_them()), [0, 2, 4, 6, 8, 10])


@scenario("run_async")
def _() -> None:
    equal(asyncio.run(fused.run_async(doubled, n=8)), 16)


@scenario("engines: remote, realtime, local")
def _() -> None:
    for engine in ("remote", "realtime", "local"):
        equal(fused.run(doubled, n=9, engine=engine), 18)


@scenario("the instance type realtime")
def _() -> None:
    equal(fused.run(doubled, n=1, instance_type="realtime"), 2)


@scenario("a tile as bounds")
def _() -> None:
    value = fused.run(source("return [round(n, 2) for n in bounds]", "bounds: fused.types.Bounds = None"), x=1, y=2, z=3)
    equal(value, [-135.0, 40.98, -90.0, 66.51])


@scenario("a tile as a GeoDataFrame", needs_geo=True)
def _() -> None:
    code = source("return [list(tile.columns), int(tile.x[0]), int(tile.y[0]), int(tile.z[0])]", "tile: fused.types.Tile = None")
    equal(fused.run(code, x=1, y=2, z=3), [["x", "y", "z", "geometry"], 1, 2, 3])


@scenario("a tile of a saved UDF and of a token")
def _() -> None:
    udf = save("return bounds[0] < 0", "bounds: fused.types.Bounds = None")
    token = udf.create_access_token().token
    equal((fused.run(udf.name, x=0, y=0, z=1), fused.run(token, x=1, y=0, z=1)), (True, False))


@scenario("a tile that is none")
def _() -> None:
    fails(Exception, "", fused.run, source("return 1", "bounds: fused.types.Bounds = None"), x=9, y=9, z=1)


@scenario("a UDF that takes longer than a request waits is asked for until it is done")
def _() -> None:
    started = time.monotonic()
    equal(fused.run(source("import time\ntime.sleep(2.6)\nreturn 'late'")), "late")
    assert time.monotonic() - started > 2.5


@scenario("a result is kept for as long as the run says")
def _() -> None:
    code = source("import random\nreturn random.random()")
    first = fused.run(code, cache_max_age="1h", _return_response=True)
    again = fused.run(code, cache_max_age="1h", _return_response=True)
    equal((again.data, first.is_cached, again.is_cached), (first.data, False, True))
    assert fused.run(code, cache_max_age="0s") != first.data


@scenario("a result is kept for as long as the UDF says, and not where the run says no")
def _() -> None:
    udf = save("import random\nreturn random.random()", decorator="@fused.udf(cache_max_age='1h')")
    first = fused.run(udf.name)
    equal(fused.run(udf.name), first)
    assert fused.run(udf.name, cache=False) != first


@scenario("other parameters are another kept result")
def _() -> None:
    code = source("import random\nreturn [n, random.random()]", "n: int = 1")
    one, two = (fused.run(code, n=n, cache_max_age="1h") for n in (1, 2))
    equal((one[0], two[0], fused.run(code, n=1, cache_max_age="1h")), (1, 2, one))


@scenario("kept results are forgotten when that is asked for")
def _() -> None:
    udf = save("import random\nreturn random.random()", decorator="@fused.udf(cache_max_age='1h')")
    first = fused.run(udf.name)
    fused.load(udf.name).invalidate_cache()
    assert fused.run(udf.name) != first


@scenario("another version of a UDF runs anew")
def _() -> None:
    udf = save("return 1", decorator="@fused.udf(cache_max_age='1h')")
    equal(fused.run(udf.name), 1)
    udf.code = udf.code.replace("return 1", "return 2")
    udf.to_fused()
    equal(fused.run(udf.name), 2)


@scenario("the whole outcome of a run")
def _() -> None:
    outcome = fused.run(source("import sys\nprint('to out')\nprint('to err', file=sys.stderr)\nreturn 1"), _return_response=True)
    equal((outcome.data, outcome.stdout, outcome.stderr, outcome.has_exception), (1, "to out\n", "to err\n", False))


@scenario("what a UDF prints is shown where one wants that")
def _() -> None:
    fused.options.verbose_udf_runs = True
    try:
        with printed() as out:
            fused.run(source("print('shown \u00fc')\nreturn 1"))
    finally:
        fused.options.verbose_udf_runs = False
    assert "shown \u00fc" in out.getvalue(), out.getvalue()


@scenario("a flood of output is cut in the header, and the result arrives")
def _() -> None:
    outcome = fused.run(source("for at in range(5000):\n    print('line', at)\nreturn 'done'"), _return_response=True)
    equal(outcome.data, "done")
    assert "line 0\n" in outcome.stdout or "line 4999\n" in outcome.stdout


@scenario("a UDF in TypeScript")
def _() -> None:
    code = "export default (n: number) => ({ twice: n * 2 });\n"
    slug = save_as(fused.api.access_token(), "typed", code)
    body = {"udf_slug": slug}
    from scenarios import ask

    token = ask("POST", "/server/v1/udf-access-token/new", body, fused.api.access_token())["token"]
    equal(fused.run(token, n=4), {"twice": 8})


@scenario("a name that there is none of")
def _() -> None:
    fails(ValueError, "nobody_has_this", fused.run, "nobody_has_this")


@scenario("a stranger's name is as if there were none")
def _() -> None:
    slug = save_as(PLACE.stranger_token, "hidden", source("return 1"))
    fails(ValueError, slug, fused.run, f"stranger/{slug}")
