"""What the key of a kept result goes by: arguments by type and content, and the code with what it refers to."""

import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import io
import json
import pathlib
import re
import sys
import threading
import types
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from cache_host import FakeHost, host, kept, new_run  # noqa: F401  (fixtures)

# What an argument's key goes by


class Color(enum.Enum):
    RED = 1
    BLUE = 2


class Hue(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    LOW = 1


class Flags(enum.Flag):
    A = 1
    B = 2


@dataclasses.dataclass
class Point:
    x: int
    y: Any = None


@dataclasses.dataclass(frozen=True, slots=True)
class Slotted:
    x: int


class Pair(NamedTuple):
    x: int
    y: int


class Plain:
    def __init__(self, **state: Any) -> None:
        self.__dict__.update(state)


class Chosen:
    """Has a state of its own choice."""

    def __init__(self, shown: Any) -> None:
        self.shown = shown
        self.lock = threading.Lock() if sys.platform != "emscripten" else (item for item in ())

    def __getstate__(self) -> Any:
        return self.shown


class Text(str):
    pass


class Numbers(list):
    pass


class Bag(set):
    pass


def double(x: Any) -> Any:
    return 2 * x


def triple(x: Any) -> Any:
    return 3 * x


def adder(amount: Any) -> Callable[[Any], Any]:
    return lambda x: x + amount


def cyclic(end: Any) -> list[Any]:
    items: list[Any] = [end]
    items.append(items)
    return items


def family(name: str) -> Plain:
    parent = Plain(name=name, children=[])
    parent.children += [Plain(name="a", parent=parent), Plain(name="b", parent=parent)]
    return parent


def dense(count: int) -> list[list[Any]]:
    """Lists that all hold each other."""
    nodes: list[list[Any]] = [[index] for index in range(count)]
    for node in nodes:
        node += nodes
    return nodes


def looped(is_own: bool, levels: int) -> list[Any]:
    """A list that leads back to itself, and then a list that holds another one of that shape, or the same."""

    def wrap(value: list[Any]) -> list[Any]:
        for _ in range(levels):
            value = [value]
        return value

    root: list[Any] = []
    inner: list[Any] = []
    first = wrap(root)
    inner.append(wrap(inner) if is_own else first)
    root += [first, inner]
    return root


def chain(depth: int) -> list[Any]:
    value: list[Any] = [(0,)]
    for _ in range(depth):
        value = [value, ()]
    return value


def when(hour: int, zone: Any = None) -> datetime.datetime:
    return datetime.datetime(2026, 1, 2, hour, tzinfo=zone)


UTC = datetime.timezone.utc
EAST = datetime.timezone(datetime.timedelta(hours=1))

# Each case makes its two values apart, so that no identity helps.
EQUAL: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "int": (lambda: 12345678901234567890, lambda: 12345678901234567890),
    "huge int": (lambda: 10**5000, lambda: 10**5000),
    "list with a huge int": (lambda: [10**5000], lambda: [10**5000]),
    "nan": (lambda: float("nan"), lambda: -float("nan")),
    "list with nan": (lambda: [float("nan")], lambda: [-float("nan")]),
    "text": (lambda: "é" * 500, lambda: "é" * 500),
    "half a surrogate": (lambda: "\ud800", lambda: "\ud800"),
    "dict order": (lambda: {"a": 1, "b": [2]}, lambda: {"b": [2], "a": 1}),
    "dict order below": (lambda: [{"a": {"x": 1, "y": 2}}], lambda: [{"a": {"y": 2, "x": 1}}]),
    "dict of other keys": (lambda: {1: "a", (2, 3): "b"}, lambda: {(2, 3): "b", 1: "a"}),
    "set order": (lambda: {"a", "b", "c", 1}, lambda: {1, "c", "b", "a"}),
    "set with collisions": (lambda: set([0, 32, 64, 96]), lambda: set([96, 64, 32, 0])),
    "set of tuples": (lambda: {(1, "a"), (2, "b")}, lambda: {(2, "b"), (1, "a")}),
    "frozenset": (lambda: frozenset([1, 2]), lambda: frozenset([2, 1])),
    "set subclass": (lambda: Bag(["x", "y", "z"]), lambda: Bag(["z", "x", "y"])),
    "nested": (lambda: [1, (2, [3, {"a": {4}}])], lambda: [1, (2, [3, {"a": {4}}])]),
    "shared or copied": (lambda: [x := [1, ()], x], lambda: [[1, ()], [1, ()]]),
    "bytes": (lambda: b"a" * 1000, lambda: b"a" * 1000),
    "memoryview": (lambda: memoryview(b"abc"), lambda: memoryview(b"abc")),
    "datetime": (lambda: when(3, UTC), lambda: when(3, UTC)),
    "date": (lambda: datetime.date(2026, 1, 2), lambda: datetime.date(2026, 1, 2)),
    "timedelta": (lambda: datetime.timedelta(hours=1), lambda: datetime.timedelta(minutes=60)),
    "decimal": (lambda: decimal.Decimal("1.10"), lambda: decimal.Decimal("1.10")),
    "fraction": (lambda: fractions.Fraction(1, 2), lambda: fractions.Fraction(2, 4)),
    "uuid": (lambda: uuid.UUID(int=7), lambda: uuid.UUID("00000000-0000-0000-0000-000000000007")),
    "path": (lambda: pathlib.Path("a/b"), lambda: pathlib.Path("a") / "b"),
    "enum": (lambda: Color.RED, lambda: Color(1)),
    "flags": (lambda: Flags.A | Flags.B, lambda: Flags(3)),
    "dataclass": (lambda: Point(1, [2]), lambda: Point(y=[2], x=1)),
    "dataclass with slots": (lambda: Slotted(1), lambda: Slotted(1)),
    "named tuple": (lambda: Pair(1, 2), lambda: Pair(y=2, x=1)),
    "object": (lambda: Plain(a=1, b=2), lambda: Plain(b=2, a=1)),
    "object with a state": (lambda: Chosen([1]), lambda: Chosen([1])),
    "cyclic list": (lambda: cyclic(1), lambda: cyclic(1)),
    "cyclic objects": (lambda: family("x"), lambda: family("x")),
    "dense graph": (lambda: dense(60), lambda: dense(60)),
    "deep": (lambda: chain(200), lambda: chain(200)),
    "pattern": (lambda: re.compile("a+", re.I), lambda: re.compile("a+", re.I)),
    "range": (lambda: range(0, 10, 2), lambda: range(0, 10, 2)),
    "counter": (lambda: collections.Counter("abca"), lambda: collections.Counter("caab")),
    "default dict": (lambda: collections.defaultdict(list, a=[1]), lambda: collections.defaultdict(list, a=[1])),
    "deque": (lambda: collections.deque([1, 2], 5), lambda: collections.deque([1, 2], 5)),
    "lambda": (lambda: lambda x: x + 1, lambda: lambda x: x + 1),
    "closure": (lambda: adder(1), lambda: adder(1)),
    "partial": (lambda: functools.partial(double, x=1), lambda: functools.partial(double, x=1)),
    "built-in function": (lambda: len, lambda: len),
    "bound method": (lambda: Plain(a=1).__eq__, lambda: Plain(a=1).__eq__),
    "class": (lambda: Point, lambda: Point),
    "module": (lambda: json, lambda: json),
    "namespace": (lambda: types.SimpleNamespace(a=1), lambda: types.SimpleNamespace(a=1)),
    "view of a dict": (lambda: {"a": 1, "b": 2}.keys(), lambda: {"b": 1, "a": 2}.keys()),
    "bytes in memory": (lambda: io.BytesIO(b"abc"), lambda: io.BytesIO(b"abc")),
}

DIFFERENT: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "int and text": (lambda: 1, lambda: "1"),
    "int and bool": (lambda: 1, lambda: True),
    "int and float": (lambda: 1, lambda: 1.0),
    "int and complex": (lambda: 1, lambda: 1 + 0j),
    "0 and False": (lambda: 0, lambda: False),
    "zero and minus zero": (lambda: 0.0, lambda: -0.0),
    "None and its text": (lambda: None, lambda: "None"),
    "list and its text": (lambda: [1, 2], lambda: "[1, 2]"),
    "list and tuple": (lambda: [1, 2], lambda: (1, 2)),
    "list of int and of float": (lambda: [1, 2], lambda: [1.0, 2]),
    "list of bool and of int": (lambda: [[True]], lambda: [[1]]),
    "list order": (lambda: [1, 2], lambda: [2, 1]),
    "where a list ends": (lambda: [[1, 2], [3]], lambda: [[1], [2, 3]]),
    "where a text ends": (lambda: ("ab", "c", ()), lambda: ("a", "bc", ())),
    "empty list and empty dict": (lambda: [], lambda: {}),
    "set and list": (lambda: {1}, lambda: [1]),
    "set and frozenset": (lambda: {1}, lambda: frozenset([1])),
    "dict values": (lambda: {"a": 1}, lambda: {"a": 2}),
    "dict keys": (lambda: {1: "a"}, lambda: {"1": "a"}),
    "dict pairs": (lambda: {"a": ["x"], "b": ["y"]}, lambda: {"a": ["y"], "b": ["x"]}),
    "ordered dict order": (lambda: collections.OrderedDict(a=1, b=2), lambda: collections.OrderedDict(b=2, a=1)),
    "dict and ordered dict": (lambda: {"a": 1}, lambda: collections.OrderedDict(a=1)),
    "bytes and text": (lambda: b"a", lambda: "a"),
    "bytes and bytearray": (lambda: b"a", lambda: bytearray(b"a")),
    "long bytes": (lambda: b"a" * 1000, lambda: b"a" * 1001),
    "zones": (lambda: when(3, UTC), lambda: when(3, EAST)),
    "the same instant elsewhere": (lambda: when(3, UTC), lambda: when(4, EAST)),
    "zone and none": (lambda: when(3), lambda: when(3, UTC)),
    "date and datetime": (lambda: datetime.date(2026, 1, 2), lambda: when(0)),
    "datetime and its text": (lambda: when(3), lambda: "2026-01-02T03:00:00"),
    "decimal digits": (lambda: decimal.Decimal("1.0"), lambda: decimal.Decimal("1.00")),
    "decimal and float": (lambda: decimal.Decimal(1), lambda: 1.0),
    "path and text": (lambda: pathlib.Path("a"), lambda: "a"),
    "kinds of path": (lambda: pathlib.PurePosixPath("a"), lambda: pathlib.PureWindowsPath("a")),
    "enum members": (lambda: Color.RED, lambda: Color.BLUE),
    "enum classes": (lambda: Color.RED, lambda: Hue.RED),
    "enum and its value": (lambda: Level.LOW, lambda: 1),
    "dataclass fields": (lambda: Point(1), lambda: Point(1, 2)),
    "dataclass and its dict": (lambda: Point(1), lambda: {"x": 1, "y": None}),
    "named tuple and tuple": (lambda: Pair(1, 2), lambda: (1, 2)),
    "subclass of str": (lambda: Text("a"), lambda: "a"),
    "subclass of list": (lambda: Numbers([1]), lambda: [1]),
    "subclass of set": (lambda: Bag([1]), lambda: {1}),
    "objects' states": (lambda: Plain(a=1), lambda: Plain(a=2)),
    "objects' classes": (lambda: Plain(), lambda: object()),
    "chosen states": (lambda: Chosen(1), lambda: Chosen(2)),
    "cyclic lists": (lambda: cyclic(1), lambda: cyclic(2)),
    "cyclic objects": (lambda: family("x"), lambda: family("y")),
    "where a loop leads": (lambda: looped(True, 1), lambda: looped(False, 1)),
    "where a longer loop leads": (lambda: looped(True, 3), lambda: looped(False, 3)),
    "functions": (lambda: double, lambda: triple),
    "lambdas": (lambda: lambda x: x + 1, lambda: lambda x: x + 2),
    "constants of lambdas": (lambda: lambda: 1, lambda: lambda: True),
    "defaults of lambdas": (lambda: lambda x=1: x, lambda: lambda x=2: x),
    "closures": (lambda: adder(1), lambda: adder(2)),
    "partials": (lambda: functools.partial(double, 1), lambda: functools.partial(double, 2)),
    "built-in functions": (lambda: len, lambda: sum),
    "methods' objects": (lambda: "a".upper, lambda: "b".upper),
    "classes": (lambda: Point, lambda: Pair),
    "modules": (lambda: json, lambda: re),
    "patterns": (lambda: re.compile("a"), lambda: re.compile("a", re.I)),
    "ranges": (lambda: range(3), lambda: range(4)),
    "views of a dict": (lambda: {"a": 1}.values(), lambda: {"a": 1}.keys()),
}


def key_of(host: FakeHost, value: Any) -> str:
    @kept
    def take(value: Any) -> None:
        pass

    take(value)
    return host.keys[-1]


@pytest.mark.parametrize(("one", "other"), EQUAL.values(), ids=EQUAL.keys())
def test_equal_content_is_one_entry(host, one, other):
    assert key_of(host, one()) == key_of(host, other())


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT.keys())
def test_other_types_or_content_are_other_entries(host, one, other):
    assert key_of(host, one()) != key_of(host, other())


def is_same(one: Any, other: Any) -> bool:
    shown = [re.sub(r"<function .*| at 0x\w+", "", repr(value)) for value in (one, other)]
    return type(one) is type(other) and (shown[0] == shown[1] or one == other)


def test_no_two_contents_share_an_entry(host):
    found: dict[str, Any] = {}
    for value in [make() for pair in DIFFERENT.values() for make in pair] + [
        # Python prints none of so many digits, and would print the graph for years.
        one() for name, (one, _) in EQUAL.items() if "huge" not in name and "dense" not in name
    ]:
        assert is_same(found.setdefault(key_of(host, value), value), value)


# Arrays, frames, Arrow data, images


def data_cases() -> dict[str, tuple[str, str, bool]]:
    """Two expressions, and whether they are one entry."""
    frame = "pd.DataFrame({'a': [1, 2], 'b': ['x', None]}"
    points = "gpd.GeoDataFrame({'n': [1, 2]}, geometry=gpd.points_from_xy([0, 1], [2, 3])"
    return {
        "array": ("np.arange(3)", "np.array([0, 1, 2])", True),
        "array in columns": ("np.arange(6).reshape(2, 3)", "np.asfortranarray(np.arange(6).reshape(2, 3))", True),
        "array with steps": ("np.arange(6)[::2]", "np.array([0, 2, 4])", True),
        "array of objects": ("np.array([1, 'a', None], dtype=object)", "np.array([1, 'a', None], dtype=object)", True),
        "array of times": ("np.array(['2026-01-02'], dtype='M8[ns]')", "np.array(['2026-01-02'], dtype='M8[ns]')", True),
        "array of no items": ("np.zeros((0, 3))", "np.zeros((0, 3))", True),
        "array of no dimension": ("np.array(1.5)", "np.array(1.5)", True),
        "structured array": ("np.zeros(2, dtype='i4,f8')", "np.zeros(2, dtype='i4,f8')", True),
        "masked array": ("np.ma.array([1, 2], mask=[0, 1])", "np.ma.array([1, 9], mask=[0, 1])", True),
        "dtype": ("np.arange(3, dtype='i4')", "np.arange(3, dtype='i8')", False),
        "dtype with the same bytes": ("np.zeros(2, 'i8')", "np.zeros(2, 'f8')", False),
        "units of time": ("np.zeros(1, 'M8[s]')", "np.zeros(1, 'M8[ms]')", False),
        "shape": ("np.zeros((2, 3))", "np.zeros((3, 2))", False),
        "no items": ("np.zeros((0, 3))", "np.zeros((3, 0))", False),
        "array and list": ("np.arange(3)", "[0, 1, 2]", False),
        "array values": ("np.arange(3)", "np.array([0, 1, 3])", False),
        "objects in an array": ("np.array([1, 'a'], dtype=object)", "np.array(['1', 'a'], dtype=object)", False),
        "mask": ("np.ma.array([1, 2], mask=[0, 1])", "np.ma.array([1, 2], mask=[0, 0])", False),
        "array and matrix": ("np.zeros((2, 2))", "np.matrix(np.zeros((2, 2)))", False),
        "scalar": ("np.float32(1.5)", "np.float32(1.5)", True),
        "scalar and float": ("np.float64(1.5)", "1.5", False),
        "widths of scalars": ("np.int32(1)", "np.int64(1)", False),
        "scalar and array": ("np.float64(1.5)", "np.array(1.5)", False),
        "dtypes": ("np.dtype('i4')", "np.dtype('f4')", False),
        "ufuncs": ("np.add", "np.subtract", False),
        "frame": (f"{frame})", f"{frame})", True),
        "frame made of another": (f"{frame})[:1]", f"{frame})[:1].copy()", True),
        "frame of no columns": ("pd.DataFrame()", "pd.DataFrame()", True),
        "frame and its records": (f"{frame})", f"{frame}).to_dict('records')", False),
        "labels of columns": (f"{frame})", f"{frame}).rename(columns={{'a': 'c'}})", False),
        "types of labels": ("pd.DataFrame({0: [1]})", "pd.DataFrame({'0': [1]})", False),
        "order of columns": (f"{frame})", f"{frame})[['b', 'a']]", False),
        "values": (f"{frame})", f"{frame}).assign(a=[1, 3])", False),
        "dtypes of columns": (f"{frame})", f"{frame}).astype({{'a': 'int32'}})", False),
        "objects in a column": ("pd.DataFrame({'a': [1, 'x']})", "pd.DataFrame({'a': ['1', 'x']})", False),
        "lists in a column": ("pd.DataFrame({'a': [[1, 2]]})", "pd.DataFrame({'a': ['[1, 2]']})", False),
        "missing values": ("pd.DataFrame({'a': ['x', None]}, dtype=object)", "pd.DataFrame({'a': ['x', 'None']}, dtype=object)", False),
        "kinds of missing": ("pd.Series(['x', None], dtype=object)", "pd.Series(['x', float('nan')], dtype=object)", False),
        "index": (f"{frame})", f"{frame}, index=[1, 2])", False),
        "name of the index": (f"{frame})", f"{frame}, index=pd.RangeIndex(2, name='i'))", False),
        "levels": (f"{frame}).set_index(['a', 'b'])", f"{frame}).set_index(['a', 'b'])", True),
        "order of levels": (f"{frame}).set_index(['a', 'b'])", f"{frame}).set_index(['b', 'a'])", False),
        "attributes": (f"{frame})", f"(f := {frame}), f.attrs.update(a=1))[0]", False),
        "categories": ("pd.Series(['a', 'b'], dtype='category')", "pd.Series(['a', 'b'], dtype='category')", True),
        "unused categories": ("pd.Categorical(['a'], ['a', 'b'])", "pd.Categorical(['a'], ['a', 'c'])", False),
        "order of categories": ("pd.Categorical(['a'], ['a'], ordered=True)", "pd.Categorical(['a'], ['a'])", False),
        "category and text": ("pd.Series(['a'], dtype='category')", "pd.Series(['a'])", False),
        "integers with missing": ("pd.array([1, None])", "pd.array([1, None])", True),
        "missing integer and zero": ("pd.array([1, None])", "pd.array([1, 0])", False),
        "integers of both kinds": ("pd.Series([1, 2], dtype='Int64')", "pd.Series([1, 2])", False),
        "zoned times": ("pd.Series(pd.to_datetime(['2026-01-02'], utc=True))", "pd.Series(pd.to_datetime(['2026-01-02'], utc=True))", True),
        "zones": ("pd.Series(pd.to_datetime(['2026-01-02'], utc=True))", "pd.Series(pd.to_datetime(['2026-01-02']))", False),
        "timestamps": ("pd.Timestamp('2026-01-02')", "pd.Timestamp('2026-01-02 00:00:01')", False),
        "timestamp": ("pd.Timestamp('2026-01-02', tz='UTC')", "pd.Timestamp('2026-01-02', tz='UTC')", True),
        "periods": ("pd.period_range('2026-01', periods=2, freq='M')", "pd.period_range('2026-01', periods=2, freq='D')", False),
        "intervals": ("pd.Series(pd.interval_range(0, 2))", "pd.Series(pd.interval_range(0, 2))", True),
        "series and frame": ("pd.Series([1], name='a')", "pd.DataFrame({'a': [1]})", False),
        "names of series": ("pd.Series([1], name='a')", "pd.Series([1], name='b')", False),
        "missing and not a time": ("pd.NA", "pd.NaT", False),
        "geometries": (f"{points}, crs=4326)", f"{points}, crs=4326)", True),
        "projections": (f"{points}, crs=4326)", f"{points}, crs=3857)", False),
        "other geometries": (f"{points})", f"{points}).translate(1)", False),
        "frame with geometries and its base": (f"{points})", f"pd.DataFrame({points}))", False),
        "shapes": ("shapely.Point(1, 2)", "shapely.Point(1, 2)", True),
        "other shapes": ("shapely.Point(1, 2)", "shapely.Point(1, 3)", False),
        "table": ("pa.table({'a': [1, None]})", "pa.table({'a': [1, None]})", True),
        "batches": ("pa.table({'a': [1, 2]})", "pa.concat_tables([pa.table({'a': [1]}), pa.table({'a': [2]})])", True),
        "part of a table": ("pa.table({'a': [1, 2, 3]}).slice(1, 1)", "pa.table({'a': [2]})", True),
        "types in a table": ("pa.table({'a': [1]})", "pa.table({'a': pa.array([1], pa.int32())})", False),
        "metadata": ("pa.table({'a': [1]})", "pa.table({'a': [1]}).replace_schema_metadata({'x': 'y'})", False),
        "table and frame": ("pa.table({'a': [1]})", "pa.table({'a': [1]}).to_pandas()", False),
        "column": ("pa.array([1, 2])", "pa.array([0, 1, 2])[1:]", True),
        "values of columns": ("pa.array([1, 2])", "pa.array([1, 3])", False),
        "image": ("Image.new('RGB', (2, 2), 'red')", "reread(Image.new('RGB', (2, 2), 'red'))", True),
        "images": ("Image.new('RGB', (2, 2), 'red')", "Image.new('RGB', (2, 2), 'blue')", False),
        "shapes of images": ("Image.new('L', (1, 4))", "Image.new('L', (4, 1))", False),
        "modes": ("Image.new('L', (1, 1))", "Image.new('P', (1, 1))", False),
    }  # fmt: skip


LIBRARIES = {"np": "numpy", "pd": "pandas", "gpd": "geopandas", "shapely": "shapely", "pa": "pyarrow", "Image": "PIL.Image"}


def evaluate(expression: str) -> Any:
    scope = {name: pytest.importorskip(module) for name, module in LIBRARIES.items() if f"{name}." in expression}
    return eval(expression, {**scope, "reread": reread})


def reread(image: Any) -> Any:
    file = io.BytesIO()
    image.save(file, "PNG")
    return evaluate("Image.open")(file)


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize(("one", "other", "is_one"), data_cases().values(), ids=data_cases().keys())
def test_data_goes_by_its_schema_and_content(host, one, other, is_one):
    assert (key_of(host, evaluate(one)) == key_of(host, evaluate(other))) is is_one


# How arguments are passed


def signature(a: Any, b: Any = 2, *rest: Any, c: Any = 3, **extra: Any) -> None:
    pass


ONE_CALL: dict[str, list[tuple[tuple, dict[str, Any]]]] = {
    "positional, keyword, default": [((1,), {}), ((), {"a": 1}), ((1, 2), {}), ((1,), {"b": 2}), ((), {"c": 3, "b": 2, "a": 1})],
    "order of keywords": [((1,), {"x": 1, "y": 2}), ((1,), {"y": 2, "x": 1})],
    "options of the cache": [((1,), {}), ((1,), {"cache_max_age": "1h", "cache_reset": True, "cache_verbose": False})],
}
OTHER_CALLS: dict[str, list[tuple[tuple, dict[str, Any]]]] = {
    "values": [((1,), {}), ((2,), {})],
    "defaults": [((1,), {}), ((1, 3), {}), ((1,), {"c": 2})],
    "parameters": [((1, 1), {"c": 3}), ((1, 2), {"c": 1})],
    "more positional values": [((1, 2), {}), ((1, 2, 3), {}), ((1, 2, 4), {}), ((1, 2, 3, 3), {}), ((1, 2, (3, 3)), {})],
    "order of positional values": [((1, 2, *range(12)), {}), ((1, 2, *range(11), 12), {}), ((1, 2, 1, 0, *range(2, 12)), {})],
    "more keywords": [((1,), {}), ((1,), {"x": 1}), ((1,), {"y": 1}), ((1,), {"x": 1, "y": 1})],
    "names of keywords": [((1,), {"x": 1, "y": 2}), ((1,), {"x": 2, "y": 1})],
    "positional or keyword": [((1, 2, 5), {}), ((1, 2), {"x": 5}), ((1, 2), {"rest": 5}), ((1, 2), {"extra": 5})],
}


@pytest.mark.parametrize("calls", ONE_CALL.values(), ids=ONE_CALL.keys())
def test_calls_that_mean_the_same_are_one_entry(host, calls):
    cached = kept(signature)
    for args, kwargs in calls:
        cached(*args, **kwargs)
    assert len(set(host.keys)) == 1


@pytest.mark.parametrize("calls", OTHER_CALLS.values(), ids=OTHER_CALLS.keys())
def test_calls_that_mean_something_else_are_other_entries(host, calls):
    cached = kept(signature)
    for args, kwargs in calls:
        cached(*args, **kwargs)
    assert len(set(host.keys)) == len(calls)


def test_positional_only_parameters_and_keywords_of_that_name_differ(host):
    @kept
    def take(a, /, **extra):
        return (a, extra)

    assert take(1, a=2) == (1, {"a": 2})
    assert take(2, a=1) == (2, {"a": 1})
    assert len(set(host.keys)) == 2


EXCLUDED: dict[str, tuple[Any, list[tuple[tuple, dict[str, Any]]]]] = {
    "positional and keyword": ("b", [((1, 5), {}), ((1,), {"b": 6}), ((1,), {})]),
    "several": (["b", "c"], [((1, 5), {"c": 7}), ((1,), {"c": 8})]),
    "an iterator": (iter(["b"]), [((1, 5), {}), ((1, 6), {})]),
    "rest": ("rest", [((1, 2), {}), ((1, 2, 3, 4), {})]),
    "extra": ("extra", [((1,), {}), ((1,), {"x": 3})]),
    "one of extra": ("x", [((1,), {}), ((1,), {"x": 3})]),
    "what cannot be told": ("b", [((1, threading), {}), ((1, (item for item in ())), {})]),
}


@pytest.mark.parametrize(("exclude", "calls"), EXCLUDED.values(), ids=EXCLUDED.keys())
def test_excluded_parameters_do_not_count(host, exclude, calls):
    cached = kept(signature, cache_key_exclude=exclude)
    for args, kwargs in calls:
        cached(*args, **kwargs)
    assert len(set(host.keys)) == 1
    cached(2)
    assert len(set(host.keys)) == 2


def test_parameters_are_excluded_for_one_call(host):
    cached = kept(signature)
    cached(1, 5, cache_key_exclude="b")
    cached(1, 6, cache_key_exclude=iter(["b"]))
    cached(1, 5)
    cached(1, 6)
    assert len(set(host.keys)) == 3 and host.keys[0] == host.keys[1]


UNHASHABLE: dict[str, tuple[Callable[[], Any], str]] = {
    "generator": (lambda: (item for item in ()), "generator"),
    "generator inside": (lambda: {"a": [1, (item for item in ())]}, "generator"),
    "file": (lambda: io.TextIOWrapper(io.BytesIO()), "_io.TextIOWrapper"),
    "object that holds one": (lambda: Plain(file=(item for item in ())), "generator"),
    "object that will not be pickled": (lambda: Refusing(), "test_cache_key.Refusing"),
    "object that breaks": (lambda: Broken(), "test_cache_key.Broken"),
    "deep": (lambda: chain(400), "list"),
}


class Broken(set):
    __dict__ = property(lambda self: 1 / 0)


class Refusing:
    def __reduce_ex__(self, protocol: int) -> Any:
        raise ValueError("I will not")


@pytest.mark.parametrize(("make", "name"), UNHASHABLE.values(), ids=UNHASHABLE.keys())
def test_what_has_no_content_is_named(host, make, name):
    cached = kept(signature)
    with pytest.raises(TypeError, match=f"^Cannot make a cache key for signature: the parameter b holds an object of class {name}, "
                       ".*cache_key_exclude") as caught:  # fmt: skip
        cached(1, make())
    assert caught.value.__cause__ is None and host.asked == []
    with pytest.raises(TypeError, match=r"the parameter rest\[1\]"):
        cached(1, 2, 3, make())
    with pytest.raises(TypeError, match=r"the parameter extra\[x\]"):
        cached(1, x=make())


def test_a_call_that_does_not_fit_raises_what_python_raises(host):
    cached = kept(double)
    for args, kwargs in (((), {}), ((1, 2), {}), ((1,), {"x": 1}), ((1,), {"y": 1})):
        with pytest.raises(TypeError, match=r"double\(\)"):
            cached(*args, **kwargs)
    assert host.kept == {} and host.leases == {}


# Methods


class Counter:
    def __init__(self, start: int) -> None:
        self.start = start

    @kept
    def add(self, amount: int) -> int:
        return self.start + amount

    @classmethod
    @kept
    def name(cls) -> str:
        return cls.__name__

    @kept
    @staticmethod
    def twice(x: int) -> int:
        return 2 * x

    @kept
    @classmethod
    def other_name(cls) -> str:
        return cls.__name__


class Special(Counter):
    pass


def test_methods_go_by_the_state_of_their_object(host):
    assert [Counter(1).add(1), Counter(1).add(1), Counter(2).add(1), Special(1).add(1)] == [2, 2, 3, 2]
    assert host.keys[0] == host.keys[1] and len(set(host.keys)) == 3
    counter = Counter(1)
    counter.start = 2
    assert counter.add(1) == 3 and host.keys[-1] == host.keys[2]


def test_methods_of_classes_and_static_ones(host):
    assert [Counter.name(), Special.name(), Counter(1).other_name(), Special.other_name()] == ["Counter", "Special"] * 2
    assert [Counter.twice(2), Counter(5).twice(2)] == [4, 4]
    assert len(set(host.keys)) == 5


def test_an_object_without_a_hashable_state_is_an_error_or_excluded(host):
    class Holder:
        def __init__(self) -> None:
            self.open = (item for item in ())

        @kept
        def get(self, x):
            return x

        @kept(cache_key_exclude=["self"])
        def get_anyway(self, x):
            return x

    with pytest.raises(TypeError, match="the parameter self holds .* generator.*__getstate__"):
        Holder().get(1)
    assert [Holder().get_anyway(1), Holder().get_anyway(1)] == [1, 1]
    assert len(host.kept) == 1


# Code

FORMS = {
    "bare": "def f(x):\n    return x + 1",
    "another constant": "def f(x):\n    return x + 2",
    "another name": "def g(x):\n    return x + 1\nf = g",
    "another operation": "def f(x):\n    return x - 1",
    "another parameter": "def f(x, y=1):\n    return x + 1",
    "a constant of another type": "def f(x):\n    return x + 1.0",
    "a method of another name": "def f(x):\n    return x.a() if x is None else x.b()",
    "another method": "def f(x):\n    return x.a() if x is None else x.c()",
    "a nested function": "def f(x):\n    def inner(y): return y + 1\n    return inner(x)",
    "another nested function": "def f(x):\n    def inner(y): return y + 2\n    return inner(x)",
    "a constant outside": "N = 1\ndef f(x):\n    return x + N",
    "another constant outside": "N = 2\ndef f(x):\n    return x + N",
    "a constant outside of another type": "N = 1.0\ndef f(x):\n    return x + N",
    "a dict outside": "N = {'a': 1}\ndef f(x):\n    return x + N['a']",
    "another dict outside": "N = {'a': 2}\ndef f(x):\n    return x + N['a']",
    "a helper": "def help(x): return x + 1\ndef f(x):\n    return help(x)",
    "another helper": "def help(x): return x + 2\ndef f(x):\n    return help(x)",
    "a helper's helper": "def deep(x): return x\ndef help(x): return deep(x)\ndef f(x):\n    return help(x)",
    "another helper's helper": "def deep(x): return x * 2\ndef help(x): return deep(x)\ndef f(x):\n    return help(x)",
    "a helper's default": "def help(x, n=1): return x\ndef f(x):\n    return help(x)",
    "another default of a helper": "def help(x, n=2): return x\ndef f(x):\n    return help(x)",
    "a helper in a nested function": "def help(x): return x + 1\ndef f(x):\n    return [help(y) for y in [x]][0]",
    "another helper in a nested function": "def help(x): return x + 2\ndef f(x):\n    return [help(y) for y in [x]][0]",
    "recursion": "def f(x):\n    return f(0) if x else x",
    "another recursion": "def f(x):\n    return f(0) if x else 1",
    "mutual recursion": "def g(x): return f(0)\ndef f(x):\n    return g(x) if x else x",
    "another mutual recursion": "def g(x): return f(0) + 1\ndef f(x):\n    return g(x) if x else x",
    "a class": "class A:\n    n = 1\n    def m(self, x): return x\ndef f(x):\n    return A().m(x)",
    "a class with another method": "class A:\n    n = 1\n    def m(self, x): return x + 1\ndef f(x):\n    return A().m(x)",
    "a class with another constant": "class A:\n    n = 2\n    def m(self, x): return x\ndef f(x):\n    return A().m(x)",
    "a class with another base": "class B:\n    k = 1\nclass A(B):\n    n = 1\n    def m(self, x): return x\ndef f(x):\n    return A().m(x)",
    "a class with a property": "class A:\n    @property\n    def m(self): return 1\ndef f(x):\n    return A().m",
    "a class with another property": "class A:\n    @property\n    def m(self): return 2\ndef f(x):\n    return A().m",
    "a static method": "class A:\n    @staticmethod\n    def m(x): return 1\ndef f(x):\n    return A.m(x)",
    "another static method": "class A:\n    @staticmethod\n    def m(x): return 2\ndef f(x):\n    return A.m(x)",
    "a cached helper": "import fused\n@fused.cache(cache_max_age=0)\ndef help(x): return x + 1\ndef f(x):\n    return help(x)",
    "another cached helper": "import fused\n@fused.cache(cache_max_age=0)\ndef help(x): return x + 2\ndef f(x):\n    return help(x)",
    "a library's decorator": "import functools\n@functools.lru_cache\ndef help(x): return x + 1\ndef f(x):\n    return help(x)",
    "another under a library's decorator": "import functools\n@functools.lru_cache\ndef help(x): return x + 2\ndef f(x):\n    return help(x)",
    "a decorator": "def twice(g):\n    return lambda x: g(g(x))\n@twice\ndef f(x):\n    return x + 1",
    "another under a decorator": "def twice(g):\n    return lambda x: g(g(x))\n@twice\ndef f(x):\n    return x + 2",
    "an enum": "import enum\nclass E(enum.Enum):\n    A = 1\ndef f(x):\n    return E.A.value",
    "another enum": "import enum\nclass E(enum.Enum):\n    A = 2\ndef f(x):\n    return E.A.value",
    "an abstract class": "import abc\nclass A(abc.ABC):\n    n = 1\ndef f(x):\n    return A.n",
    "another abstract class": "import abc\nclass A(abc.ABC):\n    n = 2\ndef f(x):\n    return A.n",
    "a dataclass": "import dataclasses\n@dataclasses.dataclass\nclass D:\n    a: int = 1\ndef f(x):\n    return D().a",
    "another dataclass": "import dataclasses\n@dataclasses.dataclass\nclass D:\n    a: int = 2\ndef f(x):\n    return D().a",
    "an import": "def f(x):\n    import json\n    return json.loads('1')",
    "another import": "def f(x):\n    import marshal as json\n    return json.loads(b'N')",
}


def form_key(host: FakeHost, text: str) -> str:
    scope: dict[str, Any] = {"__name__": "form", "__file__": "form.py"}
    module = types.ModuleType("form")
    module.__dict__.update(scope)
    sys.modules["form"] = module
    exec(compile(text, "form.py", "exec"), module.__dict__)
    try:
        kept(module.f)(0)
    except AttributeError:
        pass
    del sys.modules["form"]
    return host.keys[-1]


def test_each_other_code_is_another_entry(host):
    keys = {name: form_key(host, text) for name, text in FORMS.items()}
    assert len(set(keys.values())) == len(keys)
    assert keys == {name: form_key(host, text) for name, text in FORMS.items()}


ALIKE = {
    "comments and layout": (FORMS["bare"], "# a comment\n\ndef f(x):   # another\n\n    return (x +\n        1)"),
    "what is not referred to": (FORMS["bare"], "N = 3\ndef other(): pass\n" + FORMS["bare"]),
    "what has the name of an attribute": ("sum = 1\ndef f(x):\n    return x.sum", "sum = 2\ndef f(x):\n    return x.sum"),
    "annotations": (FORMS["bare"], "def f(x: int) -> float:\n    return x + 1"),
    "what has no content": ("n = (i for i in 'a')\ndef f(x):\n    return str(type(n))", "n = (i for i in 'b')\ndef f(x):\n    return str(type(n))"),
}


@pytest.mark.parametrize(("one", "other"), ALIKE.values(), ids=ALIKE.keys())
def test_code_that_does_the_same_is_one_entry(host, one, other):
    assert form_key(host, one) == form_key(host, other)


def test_many_globals_are_told_by_name(host):
    """More than 256, so that the code says their number in two parts."""
    names = [f"n{index}" for index in range(300)]
    text = "".join(f"{name} = 1\n" for name in names) + f"def f(x):\n    return [{', '.join(names)}]"
    assert form_key(host, text) != form_key(host, text.replace("n299 = 1", "n299 = 2")) != form_key(host, text.replace("n3 = 1", "n3 = 2"))


FACTOR = 2
TABLE = {"a": 1}


@kept
def scaled(x: int) -> int:
    return x * FACTOR * TABLE["a"]


def test_globals_count_as_they_are_when_called(host, monkeypatch):
    assert scaled(2) == 4
    monkeypatch.setitem(globals(), "FACTOR", 3)
    assert scaled(2) == 6
    monkeypatch.setitem(TABLE, "a", 5)
    assert scaled(2) == 30
    monkeypatch.undo()
    assert scaled(2) == 4
    assert len(set(host.keys)) == 3


def test_closures_count_as_they_are_when_called(host):
    factor = 1

    @kept
    def scale(x):
        return x * factor

    assert scale(2) == 2
    factor = 5
    assert scale(2) == 10


calls = 0
log: list[int] = []
model: Any = None


@kept
def counted(x: int) -> int:
    global calls, model
    calls += 1
    log.append(x)
    if model is None:
        model = object()
    return calls


def test_what_a_function_changes_itself_counts_as_it_was_at_first(host, monkeypatch):
    for name, value in (("calls", 0), ("log", []), ("model", None)):
        monkeypatch.setitem(globals(), name, value)
    assert [counted(1), counted(1), counted(2), counted(1), counted(2)] == [1, 1, 2, 1, 2]
    assert (calls, log) == (2, [1, 2])


def test_what_an_inner_function_changes_counts_as_it_was_at_first(host):
    seen = []

    @kept
    def inner(x):
        seen.append(x)
        return x

    @kept
    def outer(x):
        return inner(x) + inner(x)

    assert [outer(1), outer(1), outer(2)] == [2, 2, 4]
    assert seen == [1, 2]


def test_recursion_that_counts(host):
    runs = 0

    @kept
    def fibonacci(n):
        nonlocal runs
        runs += 1
        return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

    assert fibonacci(30) == 832040
    assert runs == len(host.kept) == 31


def test_what_an_argument_refers_to_counts_as_it_is(host):
    state = [1]

    def read():
        return state[0]

    @kept
    def call(function):
        return function()

    assert call(read) == 1
    state[0] = 2
    assert call(read) == 2


def test_what_others_change_counts(host):
    state = [1]

    @kept
    def read(x):
        return state[0]

    assert read(1) == 1
    state[0] = 2
    assert read(1) == 2
    state[0] = 1
    assert read(1) == 1
    assert len(host.kept) == 2


# In a UDF, with headers

HEADERS = """
import fused
import lib
@fused.cache(cache_verbose=False)
def by_attribute(x):
    return lib.scale(x)
@fused.cache(cache_verbose=False)
def by_import(x):
    from lib import scale
    return scale(x)
@fused.udf
def udf(x: int = 1):
    return [by_attribute(x), by_import(x), by_attribute(x), by_import(x)]
"""


def test_headers_count(host, run):
    assert run(HEADERS, _headers={"lib.py": "import other\ndef scale(x): return x * other.N", "other.py": "N = 2"}) == [2, 2, 2, 2]
    first = set(host.keys)
    assert len(first) == 2
    assert run(HEADERS, _headers={"lib.py": "import other\ndef scale(x): return x * other.N", "other.py": "N = 3"}) == [3, 3, 3, 3]
    assert len(set(host.keys)) == 4
    run(HEADERS, _headers={"lib.py": "import other\ndef scale(x): return x * other.N", "other.py": "N = 2"})
    assert set(host.keys[-4:]) == first


def test_the_same_udf_asks_for_the_same_keys_again(host, run):
    code = """
        import collections, dataclasses, enum, functools, fused, json
        class Kind(enum.Enum):
            A = 1
        @dataclasses.dataclass
        class Item:
            kind: Kind = Kind.A
            names: set = dataclasses.field(default_factory=lambda: {"a", "b", "c"})
            def show(self): return json.dumps(sorted(self.names))
        TABLE = {"x": {1, 2, 3}, "item": Item()}
        class Model:
            limit = 3
            def __init__(self, item): self.item = item
            @fused.cache(cache_verbose=False)
            def run(self, x): return [x, self.item.show(), Kind.A.value, TABLE["item"].show()]
        @functools.wraps(json.dumps)
        def helper(x): return x
        @fused.cache(cache_verbose=False)
        def compute(x, item=Item(), *, table=collections.OrderedDict(a=1)):
            return [helper(y) for y in [x]] + [other(x - 1) if x else None]
        def other(x): return compute(x)
        @fused.udf
        def udf():
            return [compute(2), Model(Item()).run(1)]
    """
    first = run(code)
    keys = host.keys
    assert run(code) == first
    assert host.keys[len(keys) :] == [keys[0], keys[-1]] and len(set(keys)) == 4
