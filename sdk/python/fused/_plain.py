"""Which values are plain JSON as they are, found at the speed of C where it can be, and the limits that all values keep."""

import re
from typing import Any

from ._json import dumps_plain

MAX_DEPTH = 500
SAFE_INTEGER = 2**53 - 1

LEAVES = frozenset((str, bool, type(None), int, float))
SURROGATE = re.compile("[\ud800-\udfff]")
_MINUS_ZERO = re.compile(r"-0\.0(?!\d)")

# Read past a metaclass, which may answer anything.
type_name = type.__dict__["__name__"].__get__
type_module = type.__dict__["__module__"].__get__
type_mro = type.__dict__["__mro__"].__get__


def plain_text(value: Any, depth: int) -> str | None:
    """The text of a tree that needs no tag, or None."""
    if not _is_plain(value, depth):
        return None
    try:
        text = dumps_plain(value)
    except ValueError:  # NaN or an infinity
        return None
    if "-0.0" in text and _MINUS_ZERO.search(text):
        return None
    if not text.isascii() and SURROGATE.search(text):
        return None
    return text


def _is_plain(value: Any, depth: int) -> bool:
    kind = type(value)
    if kind is str or kind is bool or value is None or kind is float:
        return True
    if kind is int:
        return -SAFE_INTEGER <= value <= SAFE_INTEGER
    if depth > MAX_DEPTH:
        return False
    if kind is dict:
        for key in value:
            if type(key) is not str:
                return False
        if "$" in value:
            return False
        items = value.values()
    elif kind is list:
        items = value
        kinds = set(map(type, items))
        if kinds <= LEAVES:
            if int not in kinds:
                return True
            if len(kinds) == 1:
                return -SAFE_INTEGER <= min(items) and max(items) <= SAFE_INTEGER
    else:
        return False
    for item in items:
        if not _is_plain(item, depth + 1):
            return False
    return True
