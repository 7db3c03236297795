"""Writing and reading: whatever crosses comes back as it was."""

import datetime
import decimal
import math
import struct

import pytest

from fused._decode import decode
from fused._encode import encode

hypothesis = pytest.importorskip("hypothesis")
st = pytest.importorskip("hypothesis.strategies")
given, settings = hypothesis.given, hypothesis.settings

KEYS = {"naive": None, "utc": datetime.timezone.utc, "fixed": datetime.timezone(datetime.timedelta(hours=-5, minutes=-30))}

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(min_value=-(10**400), max_value=10**400), st.floats(), st.text(st.characters(exclude_categories=["Cs"])),
    st.binary(max_size=20), st.complex_numbers(), st.dates(), st.times(), st.timedeltas(), st.uuids(), st.decimals(allow_nan=False),
    st.datetimes(timezones=st.sampled_from(list(KEYS.values()))),
)  # fmt: skip
hashable = st.one_of(st.integers(), st.text(st.characters(exclude_categories=["Cs"])), st.booleans(), st.uuids())
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=5).map(tuple),
        st.dictionaries(st.one_of(st.just("$"), st.text(st.characters(exclude_categories=["Cs"]))), inner, max_size=5),
        st.sets(hashable, max_size=5),
    ),
    max_leaves=20,
)


def same(a, b):
    """Equality that tells 1 from 1.0 and True, -0.0 from 0.0, and finds NaN equal to itself."""
    if type(a) is not type(b):
        return False
    if type(a) is float:
        return struct.pack("d", a) == struct.pack("d", b) or (math.isnan(a) and math.isnan(b))
    if type(a) is complex:
        return same(a.real, b.real) and same(a.imag, b.imag)
    if type(a) in (list, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if type(a) is dict:
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if type(a) is datetime.datetime:
        return a == b and a.utcoffset() == b.utcoffset()
    if type(a) is decimal.Decimal:
        return str(a) == str(b)
    return a == b


@settings(max_examples=400, deadline=None)
@given(values)
def test_what_crosses_comes_back_as_it_was(value):
    text, buffers = encode(value)
    text.encode()
    assert same(decode(text, buffers), value)


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet='[]{}",:$v\\ 1abn', max_size=200))
def test_no_text_does_more_than_raise_value_error(text):
    try:
        decode(text, [])
    except ValueError:
        pass
