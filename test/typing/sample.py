"""What people write with the package, for type checkers: `assert_type` fails the check where the package says another type."""

from pathlib import Path
from typing import Any, assert_type

import fused
from fused.api import FusedAPI
from fused.models.udf import Udf
from fused.types import Bounds, UdfRuntimeError


@fused.udf
def plain(bounds: Bounds | None = None, n: int = 1) -> int:
    return n


@fused.udf(name="other", cache_max_age="12h", headers=["helpers.py"])
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
assert_type(plain.name, str)
assert_type(plain.code, str)

value: Any = fused.run(plain, n=3)
again: Any = fused.run("name", engine="local", parameters={"n": 3})
assert_type(fused.load("team/name"), Udf)

pool = fused.submit(plain, [1, 2, 3], collect=False)
assert_type(len(pool), int)
assert_type(fused.download("https://example.com/a.csv", "a.csv"), Path)
assert_type(fused.file_path("a.csv"), str)
assert_type(fused.context.in_batch(), bool)
assert_type(fused.context.get_header("x"), str | None)
assert_type(fused.options.base_url, str)
assert_type(fused.secrets["KEY"], str)

api = FusedAPI()
files = fused.api.list("fd://folder/")

try:
    fused.run(plain)
except UdfRuntimeError as error:
    print(error)
