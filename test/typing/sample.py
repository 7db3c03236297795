"""What people write with the package, for type checkers: `assert_type` fails the check where the package says another type."""

from pathlib import Path
from typing import Any, assert_type

import fused
from fused.api import FusedAPI
from fused.models import Header, RunResponse, UdfAccessToken, UdfEvaluationResult
from fused.models.api import CronJob, ListDetails
from fused.models.udf import Udf
from fused.types import UdfRuntimeError


@fused.udf
def plain(bounds: fused.types.Bounds = None, n: int = 1) -> float:
    return bounds[0] if bounds else n


@fused.udf(name="other", cache_max_age="12h", headers=["helpers.py", Header(module_name="more", source_code="x = 1")])
def with_options(text: str) -> str:
    return text


@fused.cache
def slow(n: int) -> list[int]:
    return [n]


@fused.cache(cache_max_age="1h", cache_key_exclude=("n",))
def slower(n: int) -> list[int]:
    return [n]


assert_type(plain, Udf)
assert_type(with_options, Udf)
assert_type(slow(1), list[int])
assert_type(slower(1), list[int])
assert_type(plain.name, str | None)
assert_type(plain.code, str)

value: Any = fused.run(plain, n=3)
again: Any = fused.run("name", engine="local", parameters={"n": 3})
assert_type(fused.load("team/name"), Udf)

assert_type(plain.headers, list[Header])
assert_type(plain.to_fused(), Udf)
assert_type(plain.run_local(n=2), UdfEvaluationResult)
assert_type(plain.create_access_token(), UdfAccessToken)
assert_type(plain.schedule(minute=0, hour=[6, 18]), CronJob)


async def without_blocking() -> Any:
    udf = await fused.load_async("team/name")
    return await fused.run_async(udf, n=3)


pool = plain.map([1, 2, 3])
pool.wait()
assert_type(len(pool), int)
assert_type(pool.results(return_exceptions=True), list[Any])
assert_type(pool.errors(), dict[int, BaseException])
assert_type(pool.all_succeeded(), bool)
fused.submit(plain, [1, 2], engine="local", collect=False).wait()
frame: Any = fused.submit(plain, [{"n": 1}, {"n": 2}], max_workers=2)

assert_type(fused.download("https://example.com/a.csv", "a.csv"), Path)
assert_type(fused.file_path("a.csv"), str)
assert_type(fused.context.in_batch(), bool)
assert_type(fused.context.get_header("x"), str | None)
assert_type(fused.options.base_url, str)
assert_type(fused.secrets["KEY"], str)

fused.options.base_url = "http://127.0.0.1:8000/server/v1"

api = FusedAPI()
assert_type(fused.api.list("fd://folder/"), list[str])
assert_type(fused.api.list("fd://folder/", details=True), list[ListDetails])
assert_type(fused.api.job_cancel("id"), RunResponse)

step = fused.ingest("fd://in.parquet", "fd://out/", target_num_chunks=10)
assert_type(step.run_remote(), RunResponse)
fused.h3.run_partition_to_h3("fd://in/", "fd://out/", metrics="cnt")

try:
    fused.run(plain)
except UdfRuntimeError as error:
    print(error)
