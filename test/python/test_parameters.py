"""Parameters: unknown, missing, coerced by annotation."""

import datetime
import uuid

import pytest

JSON_TEXTS = [([1, 2], "[1, 2]"), ((1, 2), "[1, 2]"), ({"a": 1}, '{"a": 1}'), (True, "true")]


def take(annotation: str) -> str:
    """A UDF that shows what it got."""
    return f"""
import datetime, decimal, enum, typing, uuid
from typing import *
import fused
class Color(enum.Enum):
    RED = "red"
@fused.udf
def hello(a{annotation}):
    return [type(a).__name__, a]
"""


COERCED = {
    # unannotated
    "nothing: text": ("", "3", "3"),
    "nothing: int": ("", 3, 3),
    "nothing: float": ("", 3.0, 3.0),
    "nothing: none": ("", None, None),
    **{f"nothing: {type(value).__name__}": ("", value, text) for value, text in JSON_TEXTS},
    "nothing: bytes": ("", b"a", b"a"),
    "nothing: date": ("", datetime.date(2026, 1, 2), datetime.date(2026, 1, 2)),
    "nothing: list that JSON cannot hold": ("", [b"a"], [b"a"]),
    # numbers
    "int: text": (": int", "3", 3),
    "int: negative": (": int", "-3", -3),
    "int: float": (": int", 3.7, 3),
    "int: none": (": int", None, None),
    "float: text": (": float", "2.5", 2.5),
    "float: int": (": float", 2, 2.0),
    "float: exponent": (": float", "1e3", 1000.0),
    "str: int": (": str", 5, "5"),
    "str: float": (": str", 5.0, "5.0"),
    "str: list": (": str", [1, 2], "[1, 2]"),
    "str: true": (": str", True, "true"),
    "str: date": (": str", datetime.date(2026, 1, 2), "2026-01-02"),
    # booleans
    "bool: true": (": bool", True, True),
    "bool: false": (": bool", False, False),
    "bool: False": (": bool", "False", False),
    "bool: fAlSe": (": bool", "fAlSe", False),
    "bool: 0": (": bool", "0", True),
    "bool: no": (": bool", "no", True),
    "bool: empty": (": bool", "", False),
    "bool: number 0": (": bool", 0, False),
    # containers
    "list: text": (": list", "[1, 2]", [1, 2]),
    "list: list": (": list", [1, "a"], [1, "a"]),
    "list: tuple": (": list", (1,), [1]),
    "List: text": (": List[int]", '["3"]', ["3"]),
    "list[int]: elements stay": (": list[int]", '["3"]', ["3"]),
    "dict: text": (": dict", '{"a": 1}', {"a": 1}),
    "Dict: dict": (": Dict[str, int]", {"a": 1}, {"a": 1}),
    "tuple: text": (": tuple", "[1, 2]", (1, 2)),
    "tuple[int, int]: list": (": tuple[int, int]", [1, 2], (1, 2)),
    "set: left": (": set", [1, 2], "[1, 2]"),
    "bytes: left": (": bytes", "abc", "abc"),
    "bytes: bytes": (": bytes", b"abc", b"abc"),
    # times
    "date: text": (": datetime.date", "2026-01-02", datetime.date(2026, 1, 2)),
    "date: number": (": datetime.date", 86400, datetime.date(1970, 1, 2)),
    "date: midnight": (": datetime.date", "2026-01-02T00:00:00", datetime.date(2026, 1, 2)),
    "datetime: text": (": datetime.datetime", "2026-01-02T03:04:05Z", datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)),
    "datetime: date": (": datetime.datetime", "2026-01-02", datetime.datetime(2026, 1, 2)),
    "datetime: number": (": datetime.datetime", 1.5, datetime.datetime(1970, 1, 1, 0, 0, 1, 500000, datetime.timezone.utc)),
    "datetime: number as text": (": datetime.datetime", "60", datetime.datetime(1970, 1, 1, 0, 1, tzinfo=datetime.timezone.utc)),
    "datetime: datetime": (": datetime.datetime", datetime.datetime(2026, 1, 2), datetime.datetime(2026, 1, 2)),
    "time: text": (": datetime.time", "03:04", datetime.time(3, 4)),
    "time: number": (": datetime.time", 60, datetime.time(0, 1, tzinfo=datetime.timezone.utc)),
    "uuid": (": uuid.UUID", "00000000-0000-0000-0000-000000000001", uuid.UUID(int=1)),
    # unions and the rest
    "int | None": (": int | None", "3", 3),
    "None | int: none": (": None | int", None, None),
    "Optional[int]": (": Optional[int]", "3", 3),
    "Optional[list[int]]": (": Optional[list[int]]", "[3]", [3]),
    "Union[int, str]: left": (": Union[int, str]", "3", "3"),
    "int | str: left": (": int | str", "3", "3"),
    "Annotated[int]": (": Annotated[int, 'x']", "3", 3),
    "Annotated, unhashable": (": Annotated[int, []]", "3", 3),
    "Literal: left": (": Literal['a', 'b']", "a", "a"),
    "Any: left": (": Any", "3", "3"),
    "Enum: left": (": Color", "red", "red"),
    "string annotation: left": (": 'int'", "3", "3"),
    "string annotation: datetime": (": 'datetime.datetime'", "2026-01-02", datetime.datetime(2026, 1, 2)),
    "string annotation: date": (": 'date'", "2026-01-02", datetime.date(2026, 1, 2)),
    "string annotation: UUID": (": 'uuid.UUID'", "0" * 31 + "5", uuid.UUID(int=5)),
    "string annotation: Bounds": (": 'Bounds'", "[1, 2, 3, 4]", [1, 2, 3, 4]),
    "string annotation: fused.types.Bounds": (": 'fused.types.Bounds'", [1, 2, 3, 4], [1, 2, 3, 4]),
    "a value as annotation: left": (": 3", "3", "3"),
    "fused.types.Bounds: list": (": fused.types.Bounds", [1, 2, 3, 4], [1, 2, 3, 4]),
    "fused.types.Bounds: text": (": fused.types.Bounds", "1,2,3,4.5", [1, 2, 3, 4.5]),
    "fused.types.Bounds: JSON": (": fused.types.Bounds", "[1, 2, 3, 4]", [1, 2, 3, 4]),
    "fused.types.Bounds | None": (": fused.types.Bounds | None", [1, 2, 3, 4], [1, 2, 3, 4]),
    "list: infinity as Python writes it": (": list", "[-Infinity, 1.0]", [float("-inf"), 1.0]),
    **{f"fused.types.Bounds: {value['type']}": (": fused.types.Bounds", value, [1.0, 2.0, 3.0, 4.0]) for value in (
        {"type": "LineString", "coordinates": [[1, 4], [3, 2]]},
        {"type": "Feature", "properties": {"type": "x"}, "geometry": {"type": "Polygon", "coordinates": [[[1, 2, 9], [3, 2, 9], [3, 4, 9], [1, 2, 9]]]}},
        {"type": "FeatureCollection", "features": [
            {"type": "Feature", "geometry": None},
            {"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}},
            {"type": "Feature", "geometry": {"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [3, 4]}]}},
        ]},
    )},
}  # fmt: skip


@pytest.mark.parametrize(("annotation", "value", "expected"), COERCED.values(), ids=COERCED.keys())
def test_a_value_becomes_what_the_annotation_says(run, annotation, value, expected):
    kind, got = run(take(annotation), a=value)
    assert (kind, got) == (type(expected).__name__, expected)


@pytest.mark.parametrize("annotation", ["int", "'int'", "int | None", "Optional[int]", "'Optional[int]'"])
def test_with_the_future_import_annotations_are_evaluated(run, annotation):
    expected = "3" if annotation.startswith("'") else 3
    assert run(f"from __future__ import annotations\nfrom typing import Optional\n@fused.udf\ndef hello(a: {annotation}): return a", a="3") == expected


def test_bounds_of_no_place_are_nan(run):
    kind, got = run(take(": fused.types.Bounds"), a='{"type": "FeatureCollection", "features": []}')
    assert kind == "list"
    assert [number != number for number in got] == [True] * 4


def test_a_name_that_only_type_checkers_know_is_no_annotation(run):
    code = "from __future__ import annotations\nif False:\n    import nonesuch\n@fused.udf\ndef hello(a: nonesuch.Thing, b: int): return [a, b]"
    assert run(code, a="3", b="4") == ["3", 4]


REFUSED = {
    "int: words": (": int", "three", "it must be int: received 'three'"),
    "int: hexadecimal": (": int", "0x10", "it must be int: received '0x10'"),
    "int: fraction as text": (": int", "3.7", "it must be int"),
    "int: nan": (": int", float("nan"), "it must be int: received nan"),
    "int: infinity": (": int", float("inf"), "it must be int: received inf"),
    "int: true": (": int", True, "it must be int: received True"),
    "int: list": (": int", [1], "it must be int: received [1]"),
    "int: too many digits": (": int", "1" * 5000, "it must be int"),
    "int | None: words": (": int | None", "three", "it must be int | None"),
    "float: words": (": float", "x", "it must be float"),
    "list: text": (": list", "a,b", "it must be list: received 'a,b'"),
    "list: dict": (": list", {"a": 1}, "it is no list"),
    "list[int]: number": (": list[int]", 3, "it must be list[int]: received 3"),
    "list: deep text": (": list", "[" * 100_000, "nested more than"),
    "dict: list": (": dict", [1], "it is no dict"),
    "date: words": (": datetime.date", "tomorrow", "it is neither ISO 8601 nor a number of seconds"),
    "date: with time": (": datetime.date", "2026-01-02T03:00:00", "it has a time of day"),
    "datetime: list": (": datetime.datetime", [1], "it is no time"),
    "datetime: far": (": datetime.datetime", 1e300, "it must be datetime"),
    "uuid": (": uuid.UUID", "x", "it must be UUID"),
    "uuid: number": (": uuid.UUID", 1, "it must be UUID"),
    "bounds: three": (": fused.types.Bounds", [1, 2, 3], "it must be Bounds: received [1, 2, 3] (it is no list of four numbers)"),
    "bounds: words": (": fused.types.Bounds", "here", "it must be Bounds"),
    "bounds: texts": (": fused.types.Bounds", ["1", "2", "3", "4"], "not all four are numbers"),
    "str: bytes": (": str", b"a", "it is bytes"),
}  # fmt: skip


@pytest.mark.parametrize(("annotation", "value", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_a_value_that_does_not_fit_is_named_with_its_annotation(run, failure, annotation, value, message):
    error = failure(run, take(annotation), a=value)
    assert (error.kind, error.type, error.subject) == ("input", "ParameterError", "a")
    assert error.message.startswith('Cannot read the parameter "a": it must be ')
    assert message in error.message
    assert len(error.message) < 500


SIGNATURES = {
    "default": ("a=1", {}, [1]),
    "given": ("a=1", {"a": 2}, [2]),
    "default stays as it is": ("a: int = 'x'", {}, ["x"]),
    "positional only": ("a, b=2, /, c=3", {"a": 1, "c": 4}, [1, 2, 4]),
    "positional only, later": ("a=1, b=2, /", {"b": "x"}, [1, "x"]),
    "keyword only": ("*, a, b: int = 2", {"a": 1, "b": "3"}, [1, 3]),
    "rest": ("a, *rest, b=2", {"a": 1}, [1, [], 2]),
    "mixed": ("a, /, b, *, c: int, d=4", {"a": 1, "b": 2, "c": "3"}, [1, 2, 3, 4]),
}


@pytest.mark.parametrize(("signature", "given", "expected"), SIGNATURES.values(), ids=SIGNATURES.keys())
def test_every_kind_of_parameter_is_bound(run, signature, given, expected):
    names = [part.split("=")[0].split(":")[0].strip(" *") for part in signature.split(",") if part.strip(" *") not in ("", "/")]
    assert run(f"@fused.udf\ndef hello({signature}): return [{', '.join('list(rest)' if n == 'rest' else n for n in names)}]", **given) == expected


EXTRA = {"int": (5, "5"), "float": (1.5, "1.5"), "true": (True, "true"), "list": ([1], "[1]"), "text": ("a", "a"), "none": (None, None), "bytes": (b"a", b"a")}


@pytest.mark.parametrize(("value", "expected"), EXTRA.values(), ids=EXTRA.keys())
def test_what_is_not_declared_comes_as_text(run, value, expected):
    assert run("@fused.udf\ndef hello(a: int = 1, **more): return more", b=value) == {"b": expected}


def test_an_unknown_parameter_is_refused_before_anything_runs(run, failure, capsys):
    error = failure(run, "print('ran')\n@fused.udf\ndef hello(name, count=1): pass", nmae="x")
    assert (error.kind, error.subject) == ("input", "nmae")
    assert error.message == 'Cannot run hello: it has no parameter "nmae". It declares name, count. Did you mean "name"?'
    assert capsys.readouterr().out == ""


def test_the_option_verbose_of_run_is_no_parameter(run):
    assert run("@fused.udf\ndef hello(a: int = 1): return a", a=2, verbose=False) == 2
    assert run("@fused.udf\ndef hello(verbose: bool = True): return verbose", verbose=False) is False


def test_a_udf_without_parameters_says_so(run, failure):
    assert failure(run, "@fused.udf\ndef hello(): pass", a=1).message == 'Cannot run hello: it has no parameter "a". It declares no parameters.'


@pytest.mark.parametrize("signature", ["a, b", "a, *, b", "a, b, /", "a, *, b, c=1"])
def test_a_missing_parameter_is_named(run, failure, signature):
    error = failure(run, f"@fused.udf\ndef hello({signature}): pass", a=1)
    assert (error.kind, error.subject, error.message) == ("input", "b", 'Cannot run hello: the parameter "b" is missing')


def test_a_rest_parameter_cannot_be_given_by_its_name(run, failure):
    assert failure(run, "@fused.udf\ndef hello(*rest): pass", rest=1).subject == "rest"


def test_default_parameters_of_the_decorator_count(run):
    code = "@fused.udf(default_parameters={'a': '2', 'b': 5})\ndef hello(a: int, b: int = 1): return [a, b]"
    assert run(code) == [2, 5]
    assert run(code, b=7) == [2, 7]


WRAPPED = """
import functools, fused
def outer(f):
    @functools.wraps(f)
    def inner(*args, **kwargs):
        return f(*args, **kwargs) + 1
    return inner
@fused.udf
@outer
@fused.cache
def hello(a: int): return a
"""


def test_the_signature_under_other_decorators_counts(run, failure):
    assert run(WRAPPED, a="3") == 4
    assert failure(run, WRAPPED, b=1).subject == "b"
    assert failure(run, WRAPPED).message == 'Cannot run hello: the parameter "a" is missing'


def test_a_callable_without_a_signature_gets_what_was_given(run):
    code = "import fused, functools\n@functools.partial(fused.udf, name='x')\ndef plain(a): pass\n@fused.udf\ndef hello(): pass\nhello = functools.partial(dict, z=1)"
    assert run(code, _entrypoint="hello") == {"z": 1}


def test_dataclasses_and_pickle_find_the_module(run):
    assert run("""
        from __future__ import annotations
        import dataclasses, pickle
        @dataclasses.dataclass
        class Thing:
            a: int
        @fused.udf
        def hello(): return pickle.loads(pickle.dumps(Thing(3))).a
    """) == 3


def test_each_run_has_a_namespace_of_its_own(prepare):
    import json

    from fused import _guest

    prepare("seen = []\n@fused.udf\ndef hello(): seen.append(1); return len(seen)")
    replies = [_guest.run(json.dumps({"parameters": "{}", "tile": None}), []) for _ in range(3)]
    assert replies == ['{"ok":true,"value":1}'] * 3


def test_an_asynchronous_udf_is_awaited(run):
    assert run("import asyncio\n@fused.udf\nasync def hello(a: int):\n    await asyncio.sleep(0)\n    return (a,)", a="3") == (3,)


def test_the_coroutine_of_a_sync_udf_is_awaited_too(run):
    assert run("async def f(): return 5\n@fused.udf\ndef hello(): return f()") == 5


def test_closing_the_run_of_an_asynchronous_udf_raises_nothing(prepare):
    import json

    from fused import _guest

    prepare("import types\n@types.coroutine\ndef wait(): yield\n@fused.udf\nasync def hello(): await wait()")
    running = _guest.run(json.dumps({"parameters": "{}", "tile": None}), [])
    running.send(None)
    running.close()
