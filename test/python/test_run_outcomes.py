"""How a local run ends: what is printed of it, and the whole outcome where that is asked for."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import finish

import fused
from fused import _host
from fused._encode import encode
from fused._exceptions import UdfRuntimeError


@fused.udf
def prints(a: int = 1):
    import sys

    print("out", a)
    print("warned", file=sys.stderr)
    return a


@fused.udf
def fails(a: int = 1):
    print("before")
    raise KeyError(a)


@fused.udf
async def later(a: int = 1):
    print("later")
    if a < 0:
        raise ValueError(a)
    return a


@fused.udf
def own_verbose(verbose: bool = False):
    print("mine")
    return verbose


@pytest.fixture(autouse=True)
def no_server() -> Iterator[None]:
    before = dict(vars(fused.options))
    vars(fused.options).clear()
    fused.options.base_url = ""
    yield
    vars(fused.options).clear()
    vars(fused.options).update(before)


def test_what_is_printed_is_dropped_unless_somebody_wants_it(capsys):
    assert fused.run(prints) == 1
    assert capsys.readouterr() == ("", "")
    assert fused.run(prints, a=2, verbose=True) == 2
    assert capsys.readouterr() == ("out 2\n", "warned\n")
    fused.options.verbose_udf_runs = True
    assert fused.run(prints, a=3) == 3
    assert capsys.readouterr() == ("out 3\n", "warned\n")
    assert fused.run(prints, a=3, verbose=False) == 3
    assert capsys.readouterr() == ("", "")


def test_verbose_may_be_a_parameter_too(capsys):
    assert fused.run(own_verbose, verbose=True) is True
    assert capsys.readouterr().out == "mine\n"
    assert fused.run(own_verbose) is False
    assert capsys.readouterr().out == ""


def test_a_failure_shows_what_was_printed(capsys):
    with pytest.raises(UdfRuntimeError, match="KeyError: 1"):
        fused.run(fails)
    out, err = capsys.readouterr()
    assert out == "before\n"
    assert err.endswith("KeyError: 1\n")


def test_the_outcome_of_a_success(capsys):
    outcome = fused.run(prints, a="4", _return_response=True)
    assert (outcome.data, outcome.stdout, outcome.stderr, outcome.has_exception) == (4, "out 4\n", "warned\n", False)
    assert (outcome.udf.name, outcome.error_message, outcome.is_cached, outcome.original_content) == ("prints", None, False, None)
    assert outcome.time_taken_seconds > 0
    assert capsys.readouterr() == ("", "")


def test_the_outcome_of_a_failure(capsys):
    outcome = fused.run(fails, _return_response=True)
    assert (outcome.data, outcome.stdout, outcome.has_exception) == (None, "before\n", True)
    assert (outcome.exception_class, outcome.error_message) == ("KeyError", "KeyError: 1")
    assert "KeyError" in outcome.stderr
    assert isinstance(outcome.error_lineno, int)
    assert capsys.readouterr() == ("", "")


def test_asynchronous_runs_end_in_the_same_ways(capsys):
    assert finish(fused.run_async(later, a="2")) == 2
    assert capsys.readouterr().out == ""
    assert finish(fused.run(later, sync=False, verbose=True)) == 1
    assert capsys.readouterr().out == "later\n"
    outcome = finish(fused.run_async(later, a=-1, _return_response=True))
    assert (outcome.error_message, outcome.stdout) == ("ValueError: -1", "later\n")


def test_run_local_ignores_what_the_udf_does_not_declare():
    outcome = prints.run_local(a="5", other=1)
    assert (outcome.data, outcome.stdout) == (5, "out 5\n")


def test_nested_runs_print_for_their_caller(capsys):
    @fused.udf
    def outer():
        import fused

        @fused.udf
        def inner():
            print("inner")

        print("outer")
        fused.run(inner)

    outcome = fused.run(outer, _return_response=True)
    assert outcome.stdout == "outer\n"
    assert capsys.readouterr() == ("", "")


ENDED = {"value": 7, "failure": None, "stdout": "said\n", "stderr": "warned\n"}
FAILED = {**ENDED, "value": None, "failure": {"type": "ValueError", "message": "ValueError: boom", "traceback": "Traceback …\n"}}


@pytest.fixture
def host() -> Iterator[list[Any]]:
    """A host that runs UDFs by their names: the list has how the next run ends, then what it was asked."""
    known: list[Any] = [ENDED]

    def call(name: str, text: str, buffers: Any) -> Any:
        known.append((name, json.loads(text)))
        return [f'{{"ok":true,"value":{encode(known[0])[0]}}}', []]

    _host.connect(call, None, "a test")
    yield known
    _host.connect(None, None, "this interpreter is in no isolate")


def test_a_name_runs_by_the_host(host, capsys):
    assert fused.run("other", a=1) == 7
    assert capsys.readouterr() == ("", "")
    assert fused.run("other", a=1, verbose=True) == 7
    assert capsys.readouterr() == ("said\n", "warned\n")
    assert [asked[0] for asked in host[1:]] == ["udfs.run", "udfs.run"]
    assert host[1] == host[2]
    outcome = fused.run("other", _return_response=True)
    assert (outcome.data, outcome.stdout, outcome.stderr, outcome.has_exception) == (7, "said\n", "warned\n", False)


def test_a_name_that_fails_by_the_host(host, capsys):
    host[0] = FAILED
    with pytest.raises(UdfRuntimeError, match="boom") as caught:
        fused.run("other")
    assert caught.value.child_exception_class == "ValueError"
    assert capsys.readouterr() == ("said\n", "warned\nTraceback …\n")
    outcome = fused.run("other", _return_response=True)
    assert (outcome.data, outcome.has_exception, outcome.exception_class, outcome.error_message) == (
        None,
        True,
        "ValueError",
        "ValueError: boom",
    )


def test_a_token_is_the_host_s_where_there_is_no_server(host):
    assert fused.run("fsh_abc", verbose=False) == 7
    assert host[1][0] == "udfs.run"
