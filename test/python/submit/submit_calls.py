"""Calls of `fused.submit` and of pools, for whichever `fused` runs this: one line of JSON for each, with what came of it."""

import contextlib
import io
import json
import re
import sys
import time
from typing import Any

import fused
import pandas as pd


@fused.udf
def product(x: int, k: int = 1):
    return x * k


@fused.udf
def frame(x: int, k: int = 1):
    import pandas as pd

    return pd.DataFrame({"a": [x, x + k]})


@fused.udf
def named_rows(x: int):
    import pandas as pd

    return pd.DataFrame({"a": [x]}, index=pd.Index(["r"], name="row"))


@fused.udf
def repeated(x: int):
    import pandas as pd

    return pd.DataFrame({"a": [x] * x})


@fused.udf
def points(x: int):
    import geopandas
    import shapely

    return geopandas.GeoDataFrame({"a": [x]}, geometry=[shapely.Point(x, x)], crs=4326)


@fused.udf
def kinds(x: int):
    import pandas as pd

    return [5, {"a": 1}, None, pd.Series([1, 2]), pd.DataFrame({"b": [1]}), [1, 2], "text", True, 2.5][x]


@fused.udf
def echo(x, y=None):
    return [x, y, type(x).__name__]


@fused.udf
def failing(x: int):
    import sys

    if x == 1:
        raise ValueError("boom")
    print("hello", x)
    print("error", x, file=sys.stderr)
    return x


@fused.udf
def slow(x: float):
    import time

    time.sleep(x)
    return x


@fused.udf
def alone():
    return 1


@fused.udf
def submits_itself(x: int = 1):
    import fused

    return fused.submit(submits_itself, [1, 2], engine="local")  # noqa: F821


@fused.udf
def submits_another(x: int = 1):
    import fused

    @fused.udf
    def inner(a: int):
        return a * 2

    return fused.submit(inner, [1, 2], engine="local")["result"].tolist()


def plain(x: int):
    return x + 100


def submit(udf: Any, arg_list: Any, **options: Any) -> Any:
    return fused.submit(udf, arg_list, **{"engine": "local", "cache": False, "max_retry": 0, **options})


def pool_of(udf: Any, arg_list: Any, **options: Any) -> Any:
    """A pool whose runs have ended."""
    pool = submit(udf, arg_list, collect=False, **options)
    end = time.monotonic() + 60
    while pool.pending() or pool.running():
        assert time.monotonic() < end
        time.sleep(0.01)
    return pool


def ended(udf: Any, arg_list: Any, ask: Any, **options: Any) -> Any:
    return ask(pool_of(udf, arg_list, **options))


def cancelled(ask: Any) -> Any:
    pool = submit(slow, [0.5, 0.5, 0.5], collect=False, max_workers=1)
    while not pool.running():
        time.sleep(0.01)
    # The client takes back what has just begun.
    time.sleep(0.2)
    pool.cancel(wait=True)
    return ask(pool)


def retried(**options: Any) -> list[Any]:
    """How often each run was made, by what it prints into a file."""
    import tempfile

    with tempfile.NamedTemporaryFile() as file:

        @fused.udf
        def counted(x: int, path: str):
            with open(path, "a") as log:
                log.write(f"{x}\n")
            if x == 1:
                raise ValueError("boom")

        submit(counted, [0, 1], path=file.name, ignore_exceptions=True, **options)
        with open(file.name) as log:
            return sorted(log.read().split())


def timed_out() -> Any:
    pool = submit(slow, [0.01, 4.0], collect=False)
    pool.tail(timeout=0.3)


CALLS: dict[str, Any] = {
    "values": lambda: submit(product, [1, 2, 3]),
    "values and a constant": lambda: submit(product, [1, 2, 3], k=5),
    "a constant wins over the list": lambda: submit(product, [1, 2], x=3),
    "dicts": lambda: submit(product, [{"x": 1}, {"x": 2, "k": 3}]),
    "rows of a frame": lambda: submit(product, pd.DataFrame({"x": [1, 2], "k": [3, 4]})),
    "a range": lambda: submit(product, range(3)),
    "a tuple": lambda: submit(product, (1, 2)),
    "a series": lambda: submit(product, pd.Series([1, 2])),
    "equal arguments": lambda: submit(product, [1, 1, 2]),
    "frames": lambda: submit(frame, [1, 2]),
    "frames of dicts": lambda: submit(frame, [{"x": 1, "k": 2}, {"x": 2, "k": 3}]),
    "frames with an index of their own": lambda: submit(named_rows, [1, 2]),
    "frames without rows": lambda: submit(repeated, [0, 2]),
    "nothing but frames without rows": lambda: submit(repeated, [0, 0]),
    "frames with geometries": lambda: submit(points, [1, 2]),
    "frames by position": lambda: submit(frame, [1, 2], drop_index=True),
    "frames with an index by position": lambda: submit(named_rows, [1, 2], drop_index=True),
    "values by position": lambda: submit(product, [1, 2], drop_index=True),
    "frames in a column": lambda: submit(frame, [1, 2], flatten=False),
    "mixed kinds": lambda: submit(kinds, [0, 1, 2]),
    "a frame among others": lambda: submit(kinds, [0, 4]),
    "dicts as results": lambda: submit(kinds, [1, 1]),
    "nothing as a result": lambda: submit(kinds, [2, 2]),
    "series as results": lambda: submit(kinds, [3, 3]),
    "lists as results": lambda: submit(kinds, [5, 5]),
    "texts as results": lambda: submit(kinds, [6, 6]),
    "truths and numbers": lambda: submit(kinds, [7, 8]),
    "arguments that no index can hold": lambda: submit(echo, [{"x": [1, 2]}, {"x": {"a": 1}}]),
    "lists as values": lambda: submit(echo, [[1, 2], [3]]),
    "a failure": lambda: submit(failing, [0, 1, 2]),
    "a failure left out": lambda: submit(failing, [0, 1, 2], ignore_exceptions=True),
    "all failed": lambda: submit(failing, [1], ignore_exceptions=True),
    "a failure beside a frame": lambda: submit(kinds, [9, 4], ignore_exceptions=True),
    "a plain function": lambda: submit(plain, [1]),
    "debug_mode": lambda: submit(product, [4, 5], debug_mode=True),
    "debug_mode with a constant": lambda: submit(product, [4, 5], debug_mode=True, k=3),
    "two retries": lambda: retried(max_retry=2),
    "no retry": lambda: retried(max_retry=0),
    "a udf in a udf": lambda: fused.run(submits_another, engine="local", cache=False),
    "itself": lambda: fused.run(submits_itself, engine="local", cache=False),
    "no arguments": lambda: submit(product, []),
    "no list": lambda: submit(product, None),
    "a generator": lambda: submit(product, (i for i in range(2))),
    "a set": lambda: submit(product, {1, 2}),
    "values for no parameter": lambda: submit(alone, [1]),
    "values for a name": lambda: submit("other", [1]),
    "a lambda": lambda: submit(lambda x: x, [1]),
    "an execution type": lambda: submit(product, [1], execution_type="process"),
    "no workers": lambda: submit(product, [1], max_workers=0),
    "workers as a text": lambda: submit(product, [1], max_workers="3"),
    "an age": lambda: submit(product, [1], cache_max_age="5w", cache=True),
    "an age without a cache": lambda: submit(product, [1], cache_max_age="1h"),
    "an unknown parameter": lambda: submit(product, [{"q": 1}]),
    "repr": lambda: repr(pool_of(failing, [0, 1, 2])),
    "len": lambda: len(pool_of(product, [1, 2])),
    "a future": lambda: repr(pool_of(failing, [0, 1])[1]),
    "a future's state": lambda: ended(failing, [0], lambda pool: [pool[0].done(), pool[0].status(), pool[0].result(), pool[0].exception()]),
    "a future's logs": lambda: pool_of(failing, [0])[0].logs(),
    "the last future": lambda: pool_of(product, [1, 2])[-1].result(),
    "some futures": lambda: len(pool_of(product, [1, 2, 3])[0:2]),
    "a future too many": lambda: pool_of(product, [1])[7],
    "done": lambda: ended(failing, [0, 1], lambda pool: [pool.done(), pool.all_succeeded(), pool.any_failed(), pool.any_succeeded()]),
    "arg_df": lambda: pool_of(product, [{"x": 1}, {"x": 2, "k": 3}]).arg_df(),
    "status": lambda: pool_of(failing, [0, 1, 2]).status().to_dict(),
    "status index": lambda: ended(product, [1], lambda pool: [pool.status().name, pool.status().index.name]),
    "errors": lambda: {at: str(error) for at, error in pool_of(failing, [0, 1]).errors().items()},
    "first_error": lambda: str(pool_of(failing, [0, 1]).first_error()),
    "no first_error": lambda: pool_of(product, [1]).first_error(),
    "first_log": lambda: pool_of(failing, [0, 2]).first_log(),
    "success": lambda: pool_of(failing, [0, 1, 2]).success(),
    "pending, running, cancelled": lambda: ended(product, [1], lambda pool: [pool.pending(), pool.running(), pool.cancelled()]),
    "results": lambda: pool_of(product, [3, 1, 2]).results(),
    "results with exceptions": lambda: [str(value) for value in pool_of(failing, [0, 1]).results(return_exceptions=True)],
    "results raise": lambda: pool_of(failing, [0, 1]).results(),
    "results_now": lambda: pool_of(product, [3, 1]).results_now(),
    "results_now raise": lambda: pool_of(failing, [0, 1]).results_now(),
    "results_now with exceptions": lambda: {at: str(v) for at, v in pool_of(failing, [0, 1]).results_now(return_exceptions=True).items()},
    "iteration": lambda: list(pool_of(product, [3, 1, 2])),
    "iteration raises": lambda: list(pool_of(failing, [0, 1])),
    "wait": lambda: pool_of(product, [1]).wait(),
    "df": lambda: pool_of(failing, [0, 1]).df(ignore_exceptions=True),
    "collect": lambda: pool_of(frame, [1, 2]).collect(flatten=False, drop_index=True),
    "logs_df": lambda: pool_of(product, [1, 2]).logs_df(time_column=None),
    "logs_df of failures": lambda: list(pool_of(failing, [0, 1]).logs_df(exception_column="exception").columns),
    "logs_df without results of failures": lambda: pool_of(failing, [0, 1]).logs_df(logs_column=None, time_column=None, include_exceptions=False),
    "logs_df of arguments": lambda: pool_of(product, [1]).logs_df(status_column=None, result_column=None, time_column=None, logs_column=None),
    "retry": lambda: ended(failing, [0, 1], lambda pool: [pool.retry(), pool.wait(), repr(pool)][2]),
    "times": lambda: [type(value).__name__ for value in pool_of(product, [1, 2]).times()],
    "total_time": lambda: type(pool_of(product, [1]).total_time()).__name__,
    "total_time of nothing": lambda: submit(slow, [1.0], collect=False).total_time(),
    "tail of what has ended": lambda: pool_of(failing, [0, 1]).tail(),
    "tail stops": lambda: pool_of(failing, [1]).tail(stop_on_exception=True),
    "tail's timeout": timed_out,
    "cancelled": lambda: cancelled(lambda pool: pool.cancelled()),
    "cancelled is done": lambda: cancelled(lambda pool: [pool.done(), pool.all_succeeded(), pool.any_failed(), pool.success()]),
    "cancelled results": lambda: cancelled(lambda pool: pool.results()),
    "cancelled frame": lambda: cancelled(lambda pool: pool.collect(ignore_exceptions=True)),
    "cancelled times": lambda: cancelled(lambda pool: [value is None for value in pool.times()]),
}


def described(value: Any) -> Any:
    if isinstance(value, pd.DataFrame):
        flat = value.reset_index()
        return {
            "frame": type(value).__name__,
            "index": list(value.index.names),
            "columns": list(value.columns),
            "dtypes": [str(dtype) for dtype in value.dtypes],
            "rows": [[repr(item) if isinstance(item, (pd.DataFrame, pd.Series)) else str(item) for item in row] for row in flat.values.tolist()],
            "crs": str(getattr(value, "crs", None)),
        }
    return value


def outcome(call: Any) -> dict[str, Any]:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        try:
            found = {"value": described(call())}
        except Exception as error:
            found = {"error": type(error).__name__, "message": str(error)}
    lines = [re.sub(r"^\[[^]]*\] ", "", line) for line in printed.getvalue().splitlines()]
    return {**found, "printed": [re.sub(r"elapsed [\d.]+s", "elapsed", line) for line in lines]}


def main() -> None:
    for name, call in CALLS.items():
        line = json.dumps({"name": name, **outcome(call)}, default=str)
        sys.__stdout__.write(f"CALL{line}\n")
        sys.__stdout__.flush()


if __name__ == "__main__":
    main()
