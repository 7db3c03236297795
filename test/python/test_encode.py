"""The writing side of the encoding: what crosses, as what, and what is refused with which path."""

import array
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import itertools
import io
import json
import pathlib
import re
import sys
import types
import uuid

import pytest

from fused._encode import MAX_DEPTH, encode
from fused._exceptions import ResultProblem

UTC = datetime.timezone.utc
EAST = datetime.timezone(datetime.timedelta(hours=1))


class Color(enum.Enum):
    RED = "red"
    PAIR = (1, 2)


class Level(enum.IntEnum):
    LOW = 1


class Name(enum.StrEnum):
    A = "a"


class Text(str):
    def __str__(self):
        return "a lie"

    def __len__(self):
        return 0

    def isascii(self):
        return True


class Number(int):
    def __repr__(self):
        return "not a number"

    __str__ = __index__ = __int__ = __repr__


class Real(float):
    def __repr__(self):
        return "not a number"

    __float__ = __repr__


class Endless(list):
    def __iter__(self):
        return itertools.count()

    def __len__(self):
        return 1 << 40


class EndlessDict(dict):
    def __iter__(self):
        return itertools.count()

    def items(self):
        return zip(itertools.count(), itertools.count(), strict=True)

    keys = values = __iter__


class EndlessTuple(tuple):
    __iter__ = Endless.__iter__


class EndlessSet(set):
    __iter__ = Endless.__iter__


class Liar:
    __class__ = int

    def __int__(self):
        return 1


class Angry:
    def __repr__(self):
        raise SystemExit

    __str__ = __eq__ = __hash__ = __bool__ = __len__ = __repr__


Point = collections.namedtuple("Point", "x y")


@dataclasses.dataclass
class Box:
    left: int
    right: "Box | None" = None
    count: dataclasses.KW_ONLY = None  # type: ignore[valid-type]


PLAIN = {
    "none": (None, "null"),
    "true": (True, "true"),
    "int": (-3, "-3"),
    "largest int": (2**53 - 1, "9007199254740991"),
    "float": (1.5, "1.5"),
    "negative fraction": (-0.05, "-0.05"),
    "text": ("ä\n\"x\"\x00", '"ä\\n\\"x\\"\\u0000"'),
    "text that looks like minus zero": (["-0.0"], '["-0.0"]'),
    "list": ([1, "a", None, [2.5]], '[1,"a",null,[2.5]]'),
    "dict": ({"a": {"b": []}}, '{"a":{"b":[]}}'),
    "shared, not cyclic": ([[1]] * 2, "[[1],[1]]"),
    "keys": ({1: "a", 2.5: "b", True and "x": 1, None: "c"}, '{"1":"a","2.5":"b","x":1,"null":"c"}'),
    "bool keys": ({True: 1, False: 0}, '{"true":1,"false":0}'),
    "float keys": ({float("nan"): 1, float("inf"): 2, -float("inf"): 3}, '{"NaN":1,"Infinity":2,"-Infinity":3}'),
    "enum keys": ({Color.RED: 1, Level.LOW: 2}, '{"red":1,"1":2}'),
    "enum": (Color.RED, '"red"'),
    "int enum": ([Level.LOW], "[1]"),
    "str enum": (Name.A, '"a"'),
    "str subclass": (Text("abc"), '"abc"'),
    "int subclass": (Number(7), "7"),
    "float subclass": (Real(7.5), "7.5"),
    "dict subclass": (collections.OrderedDict(a=1), '{"a":1}'),
    "counter": (collections.Counter("aab"), '{"a":2,"b":1}'),
    "defaultdict": (collections.defaultdict(list, a=[1]), '{"a":[1]}'),
    "chain map": (collections.ChainMap({"a": 1}), '{"a":1}'),
    "user dict": (collections.UserDict(a=1), '{"a":1}'),
    "mapping proxy": (types.MappingProxyType({"a": 1}), '{"a":1}'),
    "deque": (collections.deque([1]), "[1]"),
    "dict views": ([{"a": 1}.keys(), {"a": 1}.values()], '[["a"],[1]]'),
    "range": (range(3), "[0,1,2]"),
    "path": (pathlib.PurePosixPath("/a/b"), '"/a/b"'),
    "array": (array.array("i", [1, 2]), "[1,2]"),
    "dataclass": (Box(1, Box(2)), '{"left":1,"right":{"left":2,"right":null}}'),
    "list that never ends": (Endless([1, 2]), "[1,2]"),
    "dict that never ends": (EndlessDict(a=1), '{"a":1}'),
}


@pytest.mark.parametrize(("value", "text"), PLAIN.values(), ids=PLAIN.keys())
def test_json_is_json(value, text):
    assert encode(value) == (text, [])


TAGGED = {
    "nan": (float("nan"), {"$": "float", "v": "NaN"}),
    "infinity": (float("inf"), {"$": "float", "v": "Infinity"}),
    "negative infinity": ([-float("inf")], [{"$": "float", "v": "-Infinity"}]),
    "minus zero": ({"a": [0.5, -0.0]}, {"a": [0.5, {"$": "float", "v": "-0"}]}),
    "minus zero of a subclass": (Real(-0.0), {"$": "float", "v": "-0"}),
    "large int": (2**53, {"$": "int", "v": "9007199254740992"}),
    "large negative int": ([-(2**53), 1], [{"$": "int", "v": "-9007199254740992"}, 1]),
    "large int among others": ([1, 2**60, 1.5, "a"], [1, {"$": "int", "v": str(2**60)}, 1.5, "a"]),
    "tuple": ((1, (2,)), {"$": "tuple", "v": [1, {"$": "tuple", "v": [2]}]}),
    "named tuple": (Point(1, 2), {"$": "tuple", "v": [1, 2]}),
    "tuple that never ends": (EndlessTuple([1]), {"$": "tuple", "v": [1]}),
    "enum of a tuple": (Color.PAIR, {"$": "tuple", "v": [1, 2]}),
    "set": ({1}, {"$": "set", "v": [1]}),
    "frozenset": (frozenset("a"), {"$": "set", "v": ["a"]}),
    "set that never ends": (EndlessSet([1]), {"$": "set", "v": [1]}),
    "dict with the tag's key": ({"$": "int", "v": {"$": 1}}, {"$": "dict", "v": [["$", "int"], ["v", {"$": "dict", "v": [["$", 1]]}]]}),
    "datetime": (datetime.datetime(2026, 1, 2, 3, 4, 5, 6, EAST), {"$": "datetime", "v": "2026-01-02T03:04:05.000006+01:00"}),
    "naive datetime": (datetime.datetime(2026, 1, 2), {"$": "datetime", "v": "2026-01-02T00:00:00"}),
    "date": (datetime.date(2026, 1, 2), {"$": "date", "v": "2026-01-02"}),
    "time": (datetime.time(3, 4, 5), {"$": "time", "v": "03:04:05"}),
    "timedelta": (datetime.timedelta(seconds=1.5), {"$": "timedelta", "v": "1.5"}),
    "whole timedelta": (datetime.timedelta(days=1), {"$": "timedelta", "v": "86400"}),
    "negative timedelta": (datetime.timedelta(microseconds=-1), {"$": "timedelta", "v": "-0.000001"}),
    "no time at all": (datetime.timedelta(0), {"$": "timedelta", "v": "0"}),
    "decimal": (decimal.Decimal("1.10"), {"$": "decimal", "v": "1.10"}),
    "uuid": (uuid.UUID(int=1), {"$": "uuid", "v": "00000000-0000-0000-0000-000000000001"}),
    "complex": (1 - 2j, {"$": "complex", "v": [1.0, -2.0]}),
    "complex with nan": (complex(float("nan"), 0), {"$": "complex", "v": [{"$": "float", "v": "NaN"}, 0.0]}),
}  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), TAGGED.values(), ids=TAGGED.keys())
def test_what_json_lacks_gets_a_tag(value, expected):
    text, buffers = encode(value)
    assert json.loads(text) == expected
    assert buffers == []


@pytest.mark.parametrize("value", [b"abc", bytearray(b"abc"), memoryview(b"abc"), memoryview(b"a.b.c.")[::2], memoryview(array.array("H", [25185])), b""])
def test_bytes_become_buffers(value):
    text, buffers = encode({"a": value})
    assert text == '{"a":{"$":"bytes","b":0}}'
    assert bytes(memoryview(buffers[0])) == bytes(value)
    assert memoryview(buffers[0]).c_contiguous


def test_a_file_in_memory_is_its_bytes():
    assert [bytes(buffer) for buffer in encode([io.BytesIO(b"abc")])[1]] == [b"abc"]


def test_bytes_are_not_copied():
    value = bytearray(10)
    assert encode([value])[1][0] is value


@pytest.mark.parametrize("digits", [4299, 4300, 4301, 5000])
def test_integers_of_more_digits_than_python_prints_cross(digits):
    before = sys.get_int_max_str_digits()
    number = 10 ** (digits - 1) + 7
    text, _ = encode([number, -number])
    sys.set_int_max_str_digits(0)
    try:
        assert [int(item["v"]) for item in json.loads(text)] == [number, -number]
    finally:
        sys.set_int_max_str_digits(before)


def cycle():
    items = [1]
    items.append({"a": items})
    return items


def wide_cycle():
    items = []
    items.extend([items] * 1000)
    return items


def nest(depth, make=lambda inner: [inner]):
    value = 1
    for _ in range(depth):
        value = make(value)
    return value


def squares():
    yield 1


async def later():
    pass


REFUSED = {
    "object": ({"a": [1, 2, 3, object()]}, 'result["a"][3]', "an object of class object"),
    "own class": ([Angry()], "result[0]", "an object of class Angry"),
    "lying class": (Liar(), "result", "an object of class Liar"),
    "generator": ([squares()], "result[0]", "a generator (squares)"),
    "function": (squares, "result", "a function (squares)"),
    "lambda": (lambda: 1, "result", "a function (<lambda>)"),
    "builtin": (len, "result", "a function (len)"),
    "class": (Liar, "result", "a class (Liar)"),
    "module": (json, "result", "a module (json)"),
    "map": (map(str, []), "result", "an iterator"),
    "fraction": (fractions.Fraction(1, 2), "result", "an object of class Fraction"),
    "long range": (range(10**12), "result", "a range of more than 10000000 numbers"),
    "huge range": (range(10**30), "result", "a range of more than 10000000 numbers"),
    "tuple key": ({(1, 2): 3}, "result", "a dict with a key of class tuple"),
    "bytes key": ([{b"a": 3}], "result[0]", "a dict with a key of class bytes"),
    "angry key": ({Liar(): 3}, "result", "a dict with a key of class Liar"),
    "two keys become one": ({1: "a", "1": "b"}, "result", "a dict in which two keys become '1'"),
    "surrogate": (["\ud800"], "result[0]", "half a surrogate pair"),
    "surrogate among others": ({"a": ["x", "ä\udfff"]}, 'result["a"][1]', "half a surrogate pair"),
    "surrogate in a key": ([{"\ud800": 1}], "result[0]", "half a surrogate pair"),
    "surrogate in a tuple": (("\ud800",), "result[0]", "half a surrogate pair"),
    "huge int": ([10**5000], "result[0]", "an integer of more than 5000 digits"),
    "very huge int": (1 << 10_000_000, "result", "an integer of more than 5000 digits"),
    "cycle": (cycle(), 'result[1]["a"]', "a reference back to one of its own containers"),
    "wide cycle": (wide_cycle(), "result[0]", "a reference back to one of its own containers"),
    "deep list": (nest(100_000), "result[0][0][0][0][0][0][0][0][0][0]…", "nested more than 500 levels deep"),
    "deep dict": (nest(100_000, lambda inner: {"a": inner}), None, "nested more than 500 levels deep"),
    "deep tuple": (nest(100_000, lambda inner: (inner,)), None, "nested more than 500 levels deep"),
    "deep tagged dict": (nest(100_000, lambda inner: {"$": inner}), None, "nested more than 500 levels deep"),
    "deep dataclass": (nest(10_000, Box), None, "nested more than 500 levels deep"),
}  # fmt: skip


@pytest.mark.parametrize(("value", "path", "what"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_cross_is_refused_with_its_path(value, path, what):
    with pytest.raises(ResultProblem) as caught:
        encode(value)
    assert what in caught.value.message
    assert path is None or caught.value.subject == path


MAKERS = {
    "list": lambda inner: [inner],
    "dict": lambda inner: {"a": inner},
    "tuple": lambda inner: (inner,),
    "frozenset": lambda inner: frozenset([inner]),
    "tagged dict": lambda inner: {"$": inner},
    "ordered dict": lambda inner: collections.OrderedDict(a=inner),
    "dataclass": Box,
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())
@pytest.mark.parametrize("limit", [1000, 200], ids=["usual limit", "low limit"])
def test_all_kinds_nest_as_deep_as_the_limit_says(make, limit):
    encode(nest(MAX_DEPTH + 1, make))
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(limit)
    try:
        encode((nest(MAX_DEPTH, make),))
        encode(nest(MAX_DEPTH + 1, make))
    finally:
        assert sys.getrecursionlimit() == limit
        sys.setrecursionlimit(before)
    with pytest.raises(ResultProblem):
        encode(nest(MAX_DEPTH + 2, make))


def test_html_crosses_as_a_document():
    class Page:
        def _repr_html_(self):
            return "<b>ä</b>"

    text, buffers = encode([Page()])
    assert text == '[{"$":"media","type":"text/html","b":0}]'
    assert buffers == ["<b>ä</b>".encode()]


def test_an_answer_of_a_web_framework_is_its_document():
    from fused._responses import HTMLResponse, JSONResponse, Response

    class Answer(Response):
        __module__ = "starlette.responses"

    Response.__module__ = "fastapi"
    answers = [HTMLResponse("<b>ä</b>"), JSONResponse({"ä": [1]}), Answer(b"\x89PNG", media_type="image/png; a=b"), Response(b"ab")]
    text, buffers = encode(answers)
    assert re.findall(r'"type":"(.*?)"', text) == ["text/html", "application/json", "image/png"]
    assert buffers == ["<b>ä</b>".encode(), '{"ä":[1]}'.encode(), b"\x89PNG", b"ab"]


def test_html_that_is_none_is_refused():
    class Page:
        def _repr_html_(self):
            return None

    with pytest.raises(ResultProblem, match="class Page without HTML"):
        encode(Page())


def test_an_attribute_of_an_instance_is_no_protocol():
    value = types.SimpleNamespace(_repr_html_=lambda: "x", __arrow_c_stream__=1, __dataclass_fields__={})
    with pytest.raises(ResultProblem, match="class SimpleNamespace"):
        encode(value)


RUNS = {
    "generator": ("return (x for x in [])", "Cannot return result: it is a generator (<genexpr>), which cannot cross the wall. Return list(…) of it.", "result"),
    "asynchronous generator": ("yield 1", "Cannot return result: it is an asynchronous generator (hello)", "result"),
    "html raises": ("return [type('P', (), {'_repr_html_': lambda s: 1 / 0})()]", "Cannot return result: ZeroDivisionError: division by zero", "result"),
    "html exits": ("return type('P', (), {'_repr_html_': lambda s: exit(1)})()", "The UDF called exit (1)", "exit"),
    "mro lies": ("return type('M', (type,), {'__mro__': (int,)})('X', (), {})()", "it is an object of class X", "result"),
    "own udf": ("return fused.udf(lambda: 1)", "an object of class Udf", "result"),
}


@pytest.mark.parametrize(("body", "message", "kind"), RUNS.values(), ids=RUNS.keys())
def test_a_run_reports_a_result_that_cannot_cross(run, failure, body, message, kind):
    form = "async def" if "yield" in body else "def"
    error = failure(run, f"import fused\n@fused.udf\n{form} hello():\n    {body}")
    assert (error.kind, message in error.message) == (kind, True), error.message
