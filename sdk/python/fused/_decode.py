"""Values from outside as Python objects: the reading side of the encoding that crosses the wall.

Every tag becomes the richest type that is there: tables become frames where pandas is, else Arrow tables.
"""

import datetime
import re
from typing import Any

from ._arrays import read_array
from ._json import loads, shorten, with_deep_stack
from ._tables import read_table

MAX_DEPTH = 500

_INTEGER = re.compile(r"-?[0-9]{1,5000}")
_SECONDS = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]{1,6}))?")
_FLOATS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf"), "-0": -0.0}
_CHUNK = 600


def decode(text: str, buffers: Any) -> Any:
    """Reads an encoded value. Raises ValueError where it breaks a rule of the encoding, ImportError for a missing library."""
    tree = loads(text)
    return with_deep_stack(_read, tree, buffers, 0) if '"$"' in text else tree


def _read(value: Any, buffers: Any, depth: int) -> Any:
    kind = type(value)
    if kind is not dict and kind is not list:
        return value
    if depth > MAX_DEPTH:
        raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep")
    if kind is list:
        for index, item in enumerate(value):
            if type(item) in (dict, list):
                value[index] = _read(item, buffers, depth + 1)
        return value
    if "$" not in value:
        for key, item in value.items():
            if type(item) in (dict, list):
                value[key] = _read(item, buffers, depth + 1)
        return value
    tag = value["$"]
    reader = _READERS.get(tag) if type(tag) is str else None
    if reader is None:
        raise ValueError(f"the tag {shorten(repr(tag))} is unknown")
    try:
        return reader(value, buffers, depth)
    except KeyError as error:
        raise ValueError(f"the tag {tag!r} lacks {error}") from None


def _text(value: dict) -> str:
    text = value["v"]
    if type(text) is not str:
        raise ValueError(f"the value of the tag {value['$']!r} is no text")
    return text


def _items(value: dict, buffers: Any, depth: int) -> list:
    items = value["v"]
    if type(items) is not list:
        raise ValueError(f"the value of the tag {value['$']!r} is no list")
    return _read(items, buffers, depth)


def _buffer(value: dict, buffers: Any) -> Any:
    index = value["b"]
    if type(index) is not int or not 0 <= index < len(buffers):
        raise ValueError(f"it names the buffer {shorten(repr(index))} of {len(buffers)}")
    return buffers[index]


def _read_float(value: dict, buffers: Any, depth: int) -> float:
    if (found := _FLOATS.get(_text(value))) is None:
        raise ValueError(f"there is no float {shorten(repr(value['v']))}")
    return found


def _read_int(value: dict, buffers: Any, depth: int) -> int:
    text = _text(value)
    if not _INTEGER.fullmatch(text):
        raise ValueError("an integer is no digits")
    digits = text.removeprefix("-")
    number = 0
    # In chunks: Python itself reads 4,300 digits at most.
    for start in range(0, len(digits), _CHUNK):
        chunk = digits[start : start + _CHUNK]
        number = number * 10 ** len(chunk) + int(chunk)
    return -number if text[0] == "-" else number


def _read_timedelta(value: dict, buffers: Any, depth: int) -> datetime.timedelta:
    match = _SECONDS.fullmatch(_text(value))
    if not match:
        raise ValueError("a timedelta is no number of seconds")
    sign, seconds, fraction = match.groups()
    delta = datetime.timedelta(seconds=int(seconds), microseconds=int((fraction or "0").ljust(6, "0")))
    return -delta if sign else delta


def _read_decimal(value: dict, buffers: Any, depth: int) -> Any:
    from decimal import Decimal, InvalidOperation

    try:
        return Decimal(_text(value))
    except InvalidOperation:
        raise ValueError("a decimal is no number") from None


def _read_uuid(value: dict, buffers: Any, depth: int) -> Any:
    from uuid import UUID

    return UUID(_text(value))


def _read_complex(value: dict, buffers: Any, depth: int) -> complex:
    parts = _items(value, buffers, depth)
    if len(parts) != 2 or any(type(part) not in (int, float) for part in parts):
        raise ValueError("a complex number is no pair of numbers")
    return complex(*parts)


def _read_set(value: dict, buffers: Any, depth: int) -> set:
    try:
        return set(_items(value, buffers, depth))
    except TypeError as error:
        raise ValueError(f"a set cannot hold this: {error}") from None


def _read_dict(value: dict, buffers: Any, depth: int) -> dict:
    out = {}
    pairs = value["v"]
    if type(pairs) is not list:
        raise ValueError("the value of the tag 'dict' is no list")
    for pair in pairs:
        if type(pair) is not list or len(pair) != 2 or type(pair[0]) is not str:
            raise ValueError("an item of the tag 'dict' is no pair of a text and a value")
        out[pair[0]] = _read(pair[1], buffers, depth + 1)
    return out


def _read_ndarray(value: dict, buffers: Any, depth: int) -> Any:
    return read_array(_buffer(value, buffers))


def _read_table(value: dict, buffers: Any, depth: int) -> Any:
    meta = value.get("meta")
    return read_table(_buffer(value, buffers), value.get("kind"), meta if type(meta) is dict else {})


def _read_media(value: dict, buffers: Any, depth: int) -> Any:
    data = bytes(_buffer(value, buffers))
    return data.decode() if str(value.get("type")).startswith("text/") else data


_READERS = {
    "float": _read_float,
    "int": _read_int,
    "bytes": lambda value, buffers, depth: bytes(_buffer(value, buffers)),
    "datetime": lambda value, buffers, depth: datetime.datetime.fromisoformat(_text(value)),
    "date": lambda value, buffers, depth: datetime.date.fromisoformat(_text(value)),
    "time": lambda value, buffers, depth: datetime.time.fromisoformat(_text(value)),
    "timedelta": _read_timedelta,
    "decimal": _read_decimal,
    "uuid": _read_uuid,
    "complex": _read_complex,
    "tuple": lambda value, buffers, depth: tuple(_items(value, buffers, depth)),
    "set": _read_set,
    "dict": _read_dict,
    "ndarray": _read_ndarray,
    "table": _read_table,
    "media": _read_media,
}
