"""`fused.cache`: what is kept, for how long, how it comes back, and what happens where nothing is kept."""

import asyncio
import collections
import datetime
import functools
import io
import re
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from cache_host import host, kept, new_run  # noqa: F401  (fixtures)
from conftest import finish

import fused
from fused import _host
from fused._cache import _age_text
from fused._exceptions import PermissionDeniedError

HAS_LOOP = sys.platform != "emscripten"


def counting(returned: Any = None, **options: Any) -> Any:
    """A cached function that gives back its argument, or what it is told; `runs` is how often it ran."""

    @fused.cache(**options)
    def f(x: Any = None) -> Any:
        counting.runs += 1
        if isinstance(returned, BaseException):
            raise returned
        return x if returned is None else returned() if callable(returned) else returned

    counting.runs = 0
    return f


# Hits and misses


def test_a_second_call_gets_what_the_first_one_returned(host, capsys):
    f = counting()
    assert [f(3), f(3), f(4)] == [3, 3, 4]
    assert counting.runs == 2
    assert host.verbs == ["begin", "commit", "begin", "begin", "commit"]
    assert re.fullmatch("'f' returned cached result: [01]s old\n", capsys.readouterr().out)


def test_the_request_has_the_options(host):
    f = counting()
    f(1)
    assert host.asked[0][1] == [{"key": host.keys[0], "name": "f", "folder": "tmp", "storage": "auto", "maxAgeMs": None,
                                 "reset": False, "lockTimeoutMs": 120_000}]  # fmt: skip
    g = counting(cache_max_age="12h", cache_folder_path="a/b", concurrent_lock_timeout="2m", cache_reset=True, cache_storage="local")
    g(1)
    assert host.asked[2][1] == [{"key": host.keys[1], "name": "f", "folder": "a/b", "storage": "local", "maxAgeMs": 43_200_000,
                                 "reset": True, "lockTimeoutMs": 120_000}]  # fmt: skip


def test_none_is_kept_and_errors_are_not(host):
    f = counting(lambda: None)
    assert [f(1), f(1)] == [None, None]
    assert counting.runs == 1
    g = counting(ValueError("boom"))
    for _ in range(2):
        with pytest.raises(ValueError, match="^boom$"):
            g(1)
    assert counting.runs == 2
    assert host.verbs == ["begin", "commit", "begin", "begin", "abandon", "begin", "abandon"]


def test_what_is_no_error_in_the_usual_sense_is_not_kept_either(host):
    f = counting(SystemExit(3))
    with pytest.raises(SystemExit):
        f(1)
    assert host.verbs == ["begin", "abandon"]


def test_an_older_result_is_computed_again(host):
    f = counting(cache_max_age="1m")
    f(1)
    host.now = lambda: time.time() + 59
    f(1)
    assert counting.runs == 1
    host.now = lambda: time.time() + 61
    f(1)
    assert counting.runs == 2
    f(1)
    assert counting.runs == 2


def test_the_age_is_no_part_of_the_key(host):
    f = counting()
    f(1)
    f(1, cache_max_age="1h")
    assert counting.runs == 1
    host.now = lambda: time.time() + 7200
    f(1, cache_max_age="1h")
    assert counting.runs == 2


@pytest.mark.parametrize("age", [0, "0", "0h"])
def test_no_age_neither_reads_nor_keeps(host, age):
    f = counting(cache_max_age=age)
    f(1)
    f(item for item in ())
    assert (counting.runs, host.asked) == (2, [])


def test_a_reset_computes_again_and_keeps_that(host):
    values = iter("abc")

    @kept
    def f(x):
        return next(values)

    assert [f(1), f(1, cache_reset=True), f(1), f(1, cache_reset=False)] == ["a", "b", "b", "b"]


def test_options_of_a_call_do_not_stay(host, capsys):
    f = counting()
    f(1, cache_reset=True, cache_max_age="1h", cache_verbose=False, cache_folder_path="x", cache_storage="local", concurrent_lock_timeout=5)
    f(1, cache_verbose=False)
    f(1)
    assert [args[0]["maxAgeMs"] for name, args in host.asked if name == "cache.begin"] == [3_600_000, None, None]
    assert host.asked[-1][1][0] | {"key": ""} == {"key": "", "name": "f", "folder": "tmp", "storage": "auto", "maxAgeMs": None,
                                                 "reset": False, "lockTimeoutMs": 120_000}  # fmt: skip
    assert capsys.readouterr().out.count("returned cached result") == 1


def test_an_option_that_is_none_is_not_given(host):
    f = counting(cache_max_age="1h", cache_reset=True)
    f(1, cache_max_age=None, cache_reset=None, cache_folder_path=None, concurrent_lock_timeout=None, cache_storage=None,
      cache_key_exclude=None, cache_verbose=None)  # fmt: skip
    assert host.asked[0][1][0]["maxAgeMs"] == 3_600_000
    assert host.asked[0][1][0]["reset"] is True


def test_a_parameter_called_like_an_option_is_the_functions(host):
    @kept
    def f(x, cache_reset=None, **rest):
        return [x, cache_reset, rest]

    assert f(1, cache_reset="mine", cache_max_age="1h", other=2) == [1, "mine", {"other": 2}]
    assert host.asked[0][1][0]["reset"] is False
    assert host.asked[0][1][0]["maxAgeMs"] == 3_600_000


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "age": ({"cache_max_age": "1w"}, "cache_max_age"),
    "age as a float": ({"cache_max_age": 1.5}, "cache_max_age"),
    "timeout": ({"concurrent_lock_timeout": "soon"}, "concurrent_lock_timeout: it must be seconds.*received 'soon'"),
    "timeout below 0": ({"concurrent_lock_timeout": -1}, "concurrent_lock_timeout"),
    "storage": ({"cache_storage": "disk"}, "cache_storage.*'disk'"),
    "folder": ({"cache_folder_path": 3}, "cache_folder_path.*received 3"),
    "names as bytes": ({"cache_key_exclude": b"x"}, "cache_key_exclude.*received b'x'"),
    "names of numbers": ({"cache_key_exclude": [1]}, "cache_key_exclude"),
}


@pytest.mark.parametrize(("options", "message"), BAD.values(), ids=BAD.keys())
def test_bad_options_are_refused(host, options, message):
    with pytest.raises(ValueError, match=message):
        fused.cache(**options)
    f = counting()
    with pytest.raises(ValueError, match=message):
        f(1, **options)
    assert (counting.runs, host.asked) == (0, [])


@pytest.mark.parametrize(("timeout", "expected"), [(5, 5000), ("5", 5000), ("2m", 120_000), (0, 0)])
def test_timeouts_are_seconds_or_have_a_unit(host, timeout, expected):
    counting(concurrent_lock_timeout=timeout)(1)
    assert host.asked[0][1][0]["lockTimeoutMs"] == expected


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0s"), (0.4, "0s"), (59, "59s"), (60, "1m"), (75, "1m 15s"), (3600, "1h"), (7507, "2h 5m"), (90000, "1d 1h"), (86400 * 40, "40d")],
)
def test_ages_are_shown_in_two_units(seconds, text):
    assert _age_text(seconds) == text


# Kinds of functions


def test_the_decorated_function_looks_like_the_function(host):
    @fused.cache(cache_max_age="1h")
    def f(x: int) -> int:
        """Doubles."""
        return 2 * x

    assert (f.__name__, f.__doc__, f.__annotations__, f.__wrapped__(3)) == ("f", "Doubles.", {"x": int, "return": int}, 6)


def test_what_cannot_be_called_is_refused():
    with pytest.raises(TypeError, match="it must be a function: received int"):
        fused.cache(3)


def test_async_functions(host):
    runs = []

    @kept
    async def f(x):
        runs.append(x)
        return [x]

    @kept
    async def g(x):
        raise ValueError("boom")

    assert asyncio.iscoroutinefunction(f) if sys.version_info < (3, 14) else True
    first, second = finish(f(1)), finish(f(1))
    assert first == second == [1] and first is not second and runs == [1]
    with pytest.raises(ValueError, match="boom"):
        finish(g(1))
    assert host.verbs == ["begin", "commit", "begin", "begin", "abandon"]


@pytest.mark.skipif(not HAS_LOOP, reason="no event loop can be run")
def test_async_functions_side_by_side_and_cancelled(host):
    @kept
    async def f(x):
        await asyncio.sleep(x)
        return x

    async def both():
        task = asyncio.create_task(f(60))
        done = await asyncio.gather(f(0), f(0.01))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return done

    assert asyncio.run(both()) == [0, 0.01]
    assert host.leases == {} and len(host.kept) == 2
    assert host.verbs.count("abandon") == 1


def test_an_async_function_that_is_dropped_awaits_nothing(host):
    running = []

    @kept
    async def f(x):
        running.append(x)
        await Never()

    class Never:
        def __await__(self):
            yield

    coroutine = f(1)
    while not running:
        coroutine.send(None)
    coroutine.close()
    assert host.verbs == ["begin", "abandon"]


def test_functions_under_decorators_and_objects_that_can_be_called(host):
    def tell(function):
        @functools.wraps(function)
        def told(*args, **kwargs):
            return ["told", function(*args, **kwargs)]

        return told

    @kept
    @tell
    def f(a, b=2):
        return a + b

    class Adder:
        def __init__(self, amount):
            self.amount = amount

        def __call__(self, x):
            return x + self.amount

    assert [f(1), f(a=1), f(1, 2)] == [["told", 3]] * 3
    assert len(host.kept) == 1
    assert [kept(Adder(1))(1), kept(Adder(1))(1), kept(Adder(2))(1)] == [2, 2, 3]
    assert len(host.kept) == 3
    assert [kept(functools.partial(f.__wrapped__, b=5))(1), kept(len)([1, 2])] == [["told", 6], 2]


def test_a_udf_can_be_cached(host, run):
    code = """
        import fused
        @fused.udf
        @fused.cache(cache_verbose=False)
        def udf(x: int = 1, *, n: int = 2):
            print("computing")
            return x + n
    """
    assert [run(code, x="1"), run(code, x=1), run(code, x=2)] == [3, 3, 4]
    assert len(host.kept) == 2


def test_recursion(host):
    @kept
    def fibonacci(n):
        return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

    assert fibonacci(60) == 1548008755920
    assert len(host.kept) == 61 and host.leases == {}


def test_a_function_that_asks_for_itself_is_called(host):
    depth = 0

    @kept
    def f(x):
        nonlocal depth
        depth += 1
        return f(x) if depth < 3 else depth

    assert f(1) == 3
    assert host.verbs == ["begin", "commit"]


# Values


class Point:
    def __init__(self, x: Any) -> None:
        self.x = x

    def __eq__(self, other: object) -> bool:
        return type(other) is Point and other.x == self.x


VALUES: dict[str, tuple[Any, str]] = {
    "none": (None, "json"),
    "bool": (True, "json"),
    "int": (2**53 - 1, "json"),
    "large int": (2**70, "pickle"),
    "float": (0.1, "json"),
    "minus zero": (-0.0, "pickle"),
    "infinity": (float("inf"), "pickle"),
    "text": ("é🌍\n", "json"),
    "half a surrogate": ("\ud800", "pickle"),
    "list": ([1, 2.5, "a", None, [True]], "json"),
    "dict": ({"a": {"b": [1]}, "z": 0, "c": 1}, "json"),
    "dict with a dollar": ({"$": "x", "v": 1}, "pickle"),
    "dict of numbers": ({1: "a"}, "pickle"),
    "tuple": ((1, 2), "pickle"),
    "tuple inside": ([(1, 2)], "pickle"),
    "set": ({1, 2}, "pickle"),
    "bytes": (b"\x00\xff" * 1000, "bytes"),
    "no bytes": (b"", "bytes"),
    "bytearray": (bytearray(b"abc"), "pickle"),
    "datetime": (datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc), "pickle"),
    "ordered dict": (collections.OrderedDict(a=1), "pickle"),
    "object": (Point([1]), "pickle"),
    "shared": ([[1, 2]] * 2, "json"),
}


@pytest.mark.parametrize(("value", "format_name"), VALUES.values(), ids=VALUES.keys())
def test_values_come_back_as_they_were(host, value, format_name):
    f = counting(lambda: value)
    assert f(1) is value
    back = f(1)
    assert host.formats == [format_name]
    assert type(back) is type(value) and back == value and repr(back) == repr(value) or isinstance(value, Point)
    assert list(back) == list(value) if isinstance(value, dict) else True


def test_nan_comes_back(host):
    f = counting(lambda: [float("nan")])
    f(1)
    (back,) = f(1)
    assert back != back


def test_each_hit_is_a_fresh_object(host):
    f = counting(lambda: {"a": [1]})
    first = f(1)
    first["a"].append(2)
    second = f(1)
    second["a"].append(3)
    assert f(1) == {"a": [1]}


DATA: dict[str, tuple[str, str]] = {
    "frame": ("pd.DataFrame({'a': [1, 2], 'b': [0.5, float('nan')], 'c': [True, False]})", "arrow"),
    "frame of texts": ("pd.DataFrame({'a': ['x', None, 'z']})", "arrow"),
    "frame with an index": ("pd.DataFrame({'a': [1, 2]}, index=pd.Index(['x', 'y'], name='i'))", "arrow"),
    "frame of times": ("pd.DataFrame({'a': pd.to_datetime(['2026-01-02', None], utc=True)})", "arrow"),
    "frame of categories": ("pd.DataFrame({'a': pd.Categorical(['x', 'y', 'x'])})", "arrow"),
    "frame of integers with missing ones": ("pd.DataFrame({'a': pd.array([1, None])})", "arrow"),
    "frame without rows": ("pd.DataFrame({'a': pd.Series([], dtype='int64')})", "arrow"),
    "frame of lists": ("pd.DataFrame({'a': [[1], [2, 3]]})", "pickle"),
    "frame of mixed objects": ("pd.DataFrame({'a': [1, 'x', None]})", "pickle"),
    "frame with two columns of a name": ("pd.DataFrame([[1, 2]], columns=['a', 'a'])", "pickle"),
    "frame with attributes": ("(f := pd.DataFrame({'a': [1]}), f.attrs.update(x=(1, 2)))[0]", "pickle"),
    "series": ("pd.Series([1, 2], name='a')", "pickle"),
    "geometries": ("gpd.GeoDataFrame({'n': [1]}, geometry=gpd.points_from_xy([0], [1]), crs=4326)", "pickle"),
    "table": ("pa.table({'a': [1, None], 'b': ['x', 'y']})", "arrow"),
    "table with metadata": ("pa.table({'a': [1]}).replace_schema_metadata({'k': 'v'})", "arrow"),
    "table that was a frame": ("pa.Table.from_pandas(pd.DataFrame({'a': [1]}))", "arrow"),
    "table of batches": ("pa.concat_tables([pa.table({'a': [1]}), pa.table({'a': [2]})])", "arrow"),
    "array": ("np.arange(6).reshape(2, 3)", "pickle"),
}
LIBRARIES = {"np": "numpy", "pd": "pandas", "gpd": "geopandas", "pa": "pyarrow"}


@pytest.mark.parametrize(("expression", "format_name"), DATA.values(), ids=DATA.keys())
def test_data_comes_back_as_it_was(host, expression, format_name):
    pytest.importorskip("pyarrow")
    scope = {name: pytest.importorskip(module) for name, module in LIBRARIES.items() if f"{name}." in expression}
    value = eval(expression, scope)
    f = counting(lambda: value)
    f(1)
    back = f(1)
    assert host.formats == [format_name]
    assert type(back) is type(value)
    key = kept(lambda value: None)
    key(value)
    key(back)
    assert host.keys[-1] == host.keys[-2]
    if hasattr(back, "schema"):
        assert back.schema.equals(value.schema, check_metadata=True) and back.column(0).num_chunks == value.column(0).num_chunks


@pytest.mark.parametrize("columns", [{"a": [1, 2, 3]}, {"a": [1, 2, 3], "b": [0.5, 1.5, 2.5]}], ids=["one column", "two"])
def test_a_frame_that_comes_back_can_be_changed(host, columns):
    pytest.importorskip("pyarrow")
    pandas = pytest.importorskip("pandas")
    f = counting(lambda: pandas.DataFrame(columns))
    f(1)
    back = f(1)
    assert host.formats == ["arrow"]
    back.loc[0, "a"] = 9
    if pandas.__version__ < "3":  # later ones give no array to write to
        back["a"].values[1] = 8
    assert back["a"].tolist()[::2] == [9, 3] and f(1)["a"].tolist() == [1, 2, 3]


def test_classes_of_the_udf_come_back_in_another_run(host, run):
    code = """
        import dataclasses, fused
        @dataclasses.dataclass
        class Item:
            x: int
        @fused.cache(cache_verbose=False)
        def make(x):
            return Item(x)
        @fused.udf
        def udf():
            item = make(1)
            return [type(item) is Item, item.x]
    """
    assert run(code) == run(code) == [True, 1]
    assert host.verbs == ["begin", "commit", "begin"]


def test_what_cannot_be_read_any_more_is_computed_again(host):
    f = counting()
    f((1, 2))
    entry = host.kept[host.keys[0]]
    for spoilt in ({"body": b"no pickle"}, {"format": "arrow"}, {"format": "json"}, {"format": "unheard of"}):
        host.kept[host.keys[0]] = {**entry, **spoilt}
        asked = len(host.asked)
        assert f((1, 2)) == (1, 2)
        assert [(name, args[0]["reset"]) for name, args in host.asked[asked:-1]] == [("cache.begin", False), ("cache.begin", True)]
        assert host.kept[host.keys[0]]["body"] == entry["body"]


UNKEPT: dict[str, tuple[Callable[[], Any], str]] = {
    "generator": (lambda: (item for item in (1, 2)), "cannot pickle 'generator'"),
    "lambda": (lambda: lambda: 1, "local object|pickle"),
    "lambda inside": (lambda: [1, {"a": lambda: 1}], "local object|pickle"),
    "file": (lambda: io.TextIOWrapper(io.BytesIO()), "TextIOWrapper"),
    "object that refuses": (lambda: Refusing(), "ValueError: I will not"),
}


class Refusing:
    def __getstate__(self) -> Any:
        raise ValueError("I will not")


@pytest.mark.parametrize(("make", "reason"), UNKEPT.values(), ids=UNKEPT.keys())
def test_what_cannot_be_written_down_is_returned_with_a_warning(host, make, reason):
    value = make()
    f = counting(lambda: value)
    with pytest.warns(RuntimeWarning, match=f"^The result of f is not kept: .*({reason})") as caught:
        assert f(1) is value
        assert f(1) is value
    assert len(caught) == 1 and caught[0].filename == __file__
    assert counting.runs == 2 and host.leases == {} and host.kept == {}


# Where nothing is kept


def test_without_the_permission_it_computes_and_says_so_once(host, capsys, new_run):
    host.off = "Requires cache access: run again with --allow-cache"
    f, g = counting(), counting()
    assert [f(1), f(1), g(2)] == [1, 1, 2]
    assert counting.runs == 3 and len(host.asked) == 1
    expected = "Results of @fused.cache are not kept: Requires cache access: run again with --allow-cache\n"
    assert capsys.readouterr() == ("", expected)
    new_run()
    f(1)
    assert capsys.readouterr().err == expected


def test_a_udf_says_once_a_run_that_nothing_is_kept(host, run, capsys):
    host.off = "not granted"
    code = """
        import fused
        @fused.cache
        def f(x): return x
        @fused.udf
        def inner(x: int): return f(x)
        @fused.udf
        def udf(): return [f(1), inner(x=2), f(3)]
    """
    for _ in range(2):
        assert run(code) == [1, 2, 3]
        assert capsys.readouterr().err.count("not kept") == 1


def test_a_host_without_the_binding_is_asked_once(host, capsys):
    host.errors["cache.begin"] = {"type": "UsageError", "message": "The host has no binding cache.begin"}
    f = counting()
    assert [f(1), f(2)] == [1, 2]
    assert len(host.asked) == 1
    assert capsys.readouterr().err == "The results of f are not kept: The host has no binding cache.begin\n"


def test_where_nothing_can_wait_only_async_functions_are_kept(host, capsys, monkeypatch):
    _host.connect(None, host.call_async, "a test")
    monkeypatch.setattr(_host, "_can_suspend", lambda: False)
    f = counting()
    assert [f(1), f(1)] == [1, 1]
    assert host.asked == []
    assert "not kept: this platform can wait for the host in async functions only" in capsys.readouterr().err

    @kept
    async def later(x):
        return x

    assert [finish(later(1)), finish(later(1))] == [1, 1]
    assert host.verbs == ["begin", "commit", "begin"]


def failure(code: str, message: str = "a message of the host") -> dict[str, Any]:
    return {"type": "CacheError", "message": message, "subject": code}


def test_a_wait_that_is_too_long_is_a_timeout(host):
    host.errors["cache.begin"] = failure("timeout")
    f = counting(concurrent_lock_timeout=3)
    with pytest.raises(TimeoutError, match=r"Cannot get the result of f: .* for 3 s\..*concurrent_lock_timeout"):
        f(1)
    assert counting.runs == 0


def test_a_request_that_the_host_refuses_is_an_error(host):
    host.errors["cache.begin"] = failure("request", "the folder must be relative")
    with pytest.raises(ValueError, match="^the folder must be relative$"):
        counting(cache_folder_path="/x")(1)


@pytest.mark.parametrize(("verb", "code"), [("begin", "storage"), ("commit", "storage"), ("commit", "size")])
def test_a_cache_that_fails_costs_nobody_a_result(host, capsys, verb, code):
    host.errors[f"cache.{verb}"] = failure(code)
    f = counting()
    assert [f(1), f(1)] == [1, 1]
    assert capsys.readouterr().err == "The results of f are not kept: a message of the host\n"


def test_a_cache_that_fails_hides_no_error(host, capsys):
    host.errors["cache.abandon"] = failure("storage")
    with pytest.raises(ValueError, match="boom") as caught:
        counting(ValueError("boom"))(1)
    assert caught.value.__context__ is None


def test_a_denial_is_one(host):
    host.errors["cache.begin"] = {"type": "PermissionDeniedError", "message": "no", "subject": "write", "value": "x"}
    with pytest.raises(PermissionDeniedError, match="no"):
        counting()(1)


def test_a_long_waiting_generator_of_the_user_is_not_touched(host):
    """What is excluded is neither looked at nor consumed."""
    items = (item for item in (1, 2))

    @kept(cache_key_exclude="items")
    def total(items):
        return sum(items)

    assert total(items) == 3
    assert total([1]) == 3
