"""The reading side of the encoding: what comes back, and what breaks a rule."""

import json
import sys
import uuid

import pytest

from fused._decode import decode
from fused._encode import encode

BROKEN = {
    "no JSON": ("[1,", "Expecting value"),
    "NaN as JSON does not know it": ("[NaN]", "NaN is no JSON"),
    "deep": ("[" * 100_000, "nested more than"),
    "deep and closed": ("[" * 50_000 + "]" * 50_000, "nested more than"),
    "deep with text": ('["]]]",' * 50_000, "nested more than"),
    "deep with escapes": ('["\\"]]]",' * 50_000, "nested more than"),
    "deep with open text": ("[" * 50_000 + '"', "nested more than"),
    "too deep for a value": ('{"$":"tuple","v":[' * 700 + "]}" * 700, "nested more than 500"),
    "unknown tag": ('{"$":"nonesuch"}', "the tag 'nonesuch' is unknown"),
    "tag that is no text": ('{"$":1}', "the tag 1 is unknown"),
    "tag that is a list": ('{"$":["int"]}', "is unknown"),
    "no value": ('{"$":"int"}', "lacks 'v'"),
    "int": ('{"$":"int","v":"0x10"}', "no digits"),
    "int with spaces": ('{"$":"int","v":" 1"}', "no digits"),
    "int of other digits": ('{"$":"int","v":"\\u0661"}', "no digits"),
    "long int": ('{"$":"int","v":"%s"}' % ("1" * 5001), "no digits"),
    "long plain int": ("1" * 5000, "integer string conversion"),
    "int as a number": ('{"$":"int","v":1}', "is no text"),
    "float": ('{"$":"float","v":"1"}', "there is no float"),
    "buffer beyond": ('{"$":"bytes","b":1}', "names the buffer 1 of 1"),
    "buffer before": ('{"$":"bytes","b":-1}', "names the buffer -1 of 1"),
    "buffer true": ('{"$":"bytes","b":true}', "names the buffer True of 1"),
    "tuple of a text": ('{"$":"tuple","v":"ab"}', "is no list"),
    "set of lists": ('{"$":"set","v":[[1]]}', "a set cannot hold"),
    "dict of no pairs": ('{"$":"dict","v":[["a"]]}', "no pair"),
    "dict of other keys": ('{"$":"dict","v":[[1,2]]}', "no pair"),
    "dict of a dict": ('{"$":"dict","v":{"a":1}}', "no list"),
    "complex": ('{"$":"complex","v":["1","2"]}', "no pair of numbers"),
    "datetime": ('{"$":"datetime","v":"yesterday"}', "Invalid isoformat"),
    "timedelta": ('{"$":"timedelta","v":"1e5"}', "no number of seconds"),
    "decimal": ('{"$":"decimal","v":"ten"}', "no number"),
    "uuid": ('{"$":"uuid","v":"x"}', "badly formed"),
}
NEEDS_LIBRARIES = {
    "array": ("numpy", '{"$":"ndarray","b":0}', "no .npy file"),
    "table": ("pyarrow", '{"$":"table","b":0,"kind":"arrow"}', "no Arrow stream"),
}


@pytest.mark.parametrize(("text", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_rule_is_named(text, message):
    with pytest.raises(ValueError, match=message):
        decode(text, [b"abc"])


@pytest.mark.parametrize(("library", "text", "message"), NEEDS_LIBRARIES.values(), ids=NEEDS_LIBRARIES.keys())
def test_a_broken_buffer_is_named(library, text, message):
    pytest.importorskip(library)
    with pytest.raises(ValueError, match=message):
        decode(text, [b"abc"])


def test_many_brackets_that_do_not_nest_are_fine():
    value = [[] for _ in range(10_000)] + ["[" * 5000, '"' * 10]
    assert decode(json.dumps(value), []) == value


def test_a_run_reports_broken_parameters(prepare):
    from conftest import Failure, value_of
    from fused import _guest

    prepare("@fused.udf\ndef hello(**kw): return 1")
    for text in ("[1]", "{", '{"a":{"$":"bytes","b":0}}', "[" * 100_000):
        with pytest.raises(Failure) as caught:
            value_of(_guest.run(json.dumps({"parameters": text, "tile": None}), []))
        assert (caught.value.kind, caught.value.subject) == ("input", "parameters")


@pytest.mark.parametrize(
    "make", [lambda inner: [inner], lambda inner: {"a": inner}, lambda inner: (inner,), lambda inner: {"$": inner}],
    ids=["list", "dict", "tuple", "tagged dict"],
)  # fmt: skip
def test_the_deepest_values_come_back(make):
    if sys.version_info[:2] == (3, 12) and sys.platform != "emscripten" and make({}) == {"$": {}}:
        pytest.skip("its JSON parser has a bound of its own, 1,500 levels")
    value = 1
    for _ in range(501):
        value = make(value)
    text, buffers = encode(value)
    again = decode(text, buffers)
    for _ in range(501):
        assert type(again) is type(value)
        again, value = ((again["$"], value["$"]) if "$" in again else (again["a"], value["a"])) if type(value) is dict else (again[0], value[0])
    assert again == value == 1


def test_documents_come_back_as_text_or_bytes():
    assert decode('[{"$":"media","type":"text/html","b":0},{"$":"media","type":"image/png","b":0}]', [b"x"]) == ["x", b"x"]


def test_uuid_and_bytes_come_back_from_views():
    value = decode('[{"$":"bytes","b":0},{"$":"uuid","v":"%s"}]' % uuid.UUID(int=5), [memoryview(b"abc")])
    assert value == [b"abc", uuid.UUID(int=5)]
    assert type(value[0]) is bytes
