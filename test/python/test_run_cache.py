"""`cache_max_age` of `fused.run` inside an isolate: results of whole runs, kept by the host."""

from typing import Any

import pytest
from cache_host import FakeHost
from conftest import finish

import fused
from fused import _guest, _host


@pytest.fixture
def host(monkeypatch) -> Any:
    fake = FakeHost()
    _host.connect(fake.call, None, "a test")
    _guest.result_buffers = []
    monkeypatch.setattr(fused.options, "default_udf_run_engine", "local")
    yield fake
    _host.connect(None, None, "this interpreter is in no isolate")


COUNTED = "count = 0\n@fused.udf{}\ndef udf(n: int = 1, fail: bool = False):\n    print('ran')\n    if fail: raise ValueError('no')\n    return [n]\n"


def load(arguments: str = "") -> Any:
    return fused.load("import fused\n" + COUNTED.format(arguments))


def runs(host: FakeHost) -> list[str]:
    return host.verbs


def test_a_run_with_an_age_is_kept(host):
    udf = load()
    first, second = (fused.run(udf, n=2, cache_max_age="1h") for _ in range(2))
    assert first == second == [2] and first is not second
    assert runs(host) == ["begin", "commit", "begin"]
    assert fused.run(udf, n=3, cache_max_age="1h") == [3]
    assert len(host.kept) == 2


@pytest.mark.parametrize("options", [{}, {"cache": False}, {"cache_max_age": "0"}, {"cache_max_age": 0}], ids=repr)
def test_nothing_is_kept_that_nobody_asked_for(host, options):
    assert [fused.run(load(), **options) for _ in range(2)] == [[1], [1]]
    assert runs(host) == []


def test_the_udf_says_it_for_itself(host):
    udf = load("(cache_max_age='12h')")
    assert [fused.run(udf), fused.run(udf), fused.run(udf, cache=False)] == [[1], [1], [1]]
    assert runs(host) == ["begin", "commit", "begin"]
    assert host.asked[0][1][0]["maxAgeMs"] == 12 * 3600 * 1000


def test_the_option_turns_it_off(host, monkeypatch):
    monkeypatch.setattr(fused.options, "local_engine_cache", False)
    assert [fused.run(load(), cache_max_age="1h") for _ in range(2)] == [[1], [1]]
    assert runs(host) == []


def test_a_failure_is_not_kept(host):
    for _ in range(2):
        with pytest.raises(fused.types.UdfRuntimeError, match="ValueError: no"):
            fused.run(load(), fail=True, cache_max_age="1h")
    assert runs(host) == ["begin", "abandon"] * 2


def test_asynchronous_udfs_and_runs(host):
    udf = fused.load("import fused\n@fused.udf\nasync def udf(n: int = 1):\n    return [n]\n")
    coroutine = fused.run(udf, cache_max_age="1h")
    assert runs(host) == [] and finish(coroutine) == [1]
    _host.connect(host.call, host.call_async, "a test")
    assert [finish(fused.run_async(udf, cache_max_age="1h")) for _ in range(2)] == [[1], [1]]
    assert runs(host) == ["begin", "commit", "begin"]


def test_defaults_and_headers_of_the_udf_count(host):
    udf = load()
    other = udf.set_parameters({"n": 5})
    assert [fused.run(each, cache_max_age="1h") for each in (udf, other)] == [[1], [5]]
    assert len(host.kept) == 2


def test_a_named_udf_is_asked_for_with_the_age(monkeypatch):
    asked = []

    def call(name: str, text: str, buffers: Any) -> Any:
        asked.append((name, text))
        return ['{"ok":true,"value":{"value":7,"failure":null,"stdout":"","stderr":""}}', []]

    _host.connect(call, None, "a test")
    try:
        assert fused.run("other", cache_max_age="1h", verbose=True, a=1) == 7
        assert fused.run("other") == 7
    finally:
        _host.connect(None, None, "this interpreter is in no isolate")
    named = [text for name, text in asked if name == "udfs.run"]
    assert named == ['["other",{"a":1},null,3600000]', '["other",{},null]']


def test_what_a_kept_run_printed_is_not_printed_again(host, capsys):
    udf = load()
    for _ in range(2):
        fused.run(udf, cache_max_age="1h", verbose=True)
    assert capsys.readouterr().out == "ran\n"
