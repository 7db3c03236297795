"""What a nested run raises for parameters that it does not take: class and text are the published client's (test/differential has them
side by side); what we have to say of it is a note."""

from datetime import date
from typing import Any, Optional
from uuid import UUID

import pytest

import fused
from fused import _host
from fused._refused import missing, raised
from fused._run_named import spoken


@fused.udf
def takes(a: int, b: int, *, c: int, d: int = 1):
    return [a, b, c, d]


@pytest.mark.parametrize(
    ("given", "text"),
    {
        "one": ({"a": 1, "c": 1}, "takes() missing 1 required positional argument: 'b'"),
        "two": ({"c": 1}, "takes() missing 2 required positional arguments: 'a' and 'b'"),
        "keyword": ({"a": 1, "b": 1}, "takes() missing 1 required keyword-only argument: 'c'"),
        "both": ({"a": 1}, "takes() missing 1 required positional argument: 'b'"),
    }.values(),
    ids=str,
)
def test_what_is_missing_is_said_as_python_says_it(given, text):
    with pytest.raises(fused.types.UdfRuntimeError) as caught:
        fused.run(takes, engine="local", **given)
    assert str(caught.value) == f"TypeError: {text}"
    with pytest.raises(TypeError) as python:
        takes._function(**given)
    assert str(python.value) == text


def test_three_names_are_listed():
    assert missing("f", ["a", "b", "c"], []) == "TypeError: f() missing 3 required positional arguments: 'a', 'b', and 'c'"


@pytest.mark.parametrize(
    ("value", "annotation", "text"),
    [
        (True, int, "ValueError: invalid literal for int() with base 10: 'true'"),
        ([1], float, "ValueError: could not convert string to float: '[1]'"),
        ("x", Optional[int], "ValueError: invalid literal for int() with base 10: 'x'"),
        ("x", list[int], "JSONDecodeError: Expecting value: line 1 column 1 (char 0)"),
        ("x", date, "ValueError: Invalid isoformat string: 'x'"),
        ("x", UUID, "ValueError: badly formed hexadecimal UUID string"),
        ([1, 2], fused.types.Bounds, "ValueError: Expected 4 values for bounds, got 2"),
        ("x", bytes, "OSError: ours"),
        (3, dict, "OSError: ours"),
    ],
    ids=str,
)
def test_a_value_that_does_not_fit(value: Any, annotation: Any, text: str):
    assert raised(value, annotation, OSError("ours")) == text


def test_our_own_words_are_a_note(capsys):
    with pytest.raises(fused.types.UdfRuntimeError) as caught:
        fused.run(takes, engine="local", a="x", b=1, c=1)
    assert caught.value.child_exception_class == "ValueError"
    assert caught.value.__notes__ == [
        "Cannot read the parameter \"a\": it must be int: received 'x' (invalid literal for int() with base 10: 'x')"
    ]
    assert capsys.readouterr().err == "ValueError: invalid literal for int() with base 10: 'x'\n"


def test_the_same_comes_from_the_host():
    told = _host.HostError("Cannot read …", "ParameterError", None, "ValueError: no int")
    error = spoken(told)
    assert (type(error).__name__, str(error), error.__notes__) == ("UdfRuntimeError", "ValueError: no int", ["Cannot read …"])
    unknown = spoken(_host.HostError("no parameter", "ParameterError", None, "TypeError: f() got unexpected keyword argument 'q'"))
    assert (type(unknown).__name__, str(unknown)) == ("TypeError", "f() got unexpected keyword argument 'q'")
    assert type(spoken(_host.HostError("Unknown parameter", "ParameterError"))) is TypeError


def test_what_a_caller_passes_is_its_own():
    @fused.udf
    def changes(items: list, options: dict):
        items.append(3)
        options["a"].append(4)
        return [items, options]

    items, options = [1], {"a": [2]}
    assert fused.run(changes, engine="local", items=items, options=options) == [[1, 3], {"a": [2, 4]}]
    assert (items, options) == ([1], {"a": [2]})


def test_an_error_without_a_text_has_one_from_the_host_too():
    from fused._run_outcome import raised_there

    assert str(raised_there({"type": "ZeroDivisionError", "message": "ZeroDivisionError"})) == "ZeroDivisionError: "
    assert str(raised_there({"type": "KeyError", "message": "KeyError: 'a'"})) == "KeyError: 'a'"


def test_submit_says_what_is_wrong_with_the_list_first():
    for udf in (3, None, [], 3.5):
        with pytest.raises(ValueError, match="arg_list must be a list of dicts"):
            fused.submit(udf, [1], engine="local")
        with pytest.raises(ValueError, match="must not be empty"):
            fused.submit(udf, [], engine="local")
        with pytest.raises(TypeError, match="udf must be a Udf object"):
            fused.submit(udf, [{"a": 1}], engine="local")
