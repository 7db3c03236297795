"""How each built-in kind of value is written."""

import datetime
from enum import Enum
from math import copysign
from typing import TYPE_CHECKING, Any

from ._json import shorten, write_string
from ._plain import LEAVES, SAFE_INTEGER, SURROGATE, plain_text, type_module, type_name

if TYPE_CHECKING:
    from ._encode import Writer

MAX_DIGITS = 5000
MAX_RANGE = 10_000_000

_CHUNK = 10**600
_INFINITY = float("inf")
_MICROSECOND = datetime.timedelta(microseconds=1)
_get_attribute = object.__getattribute__


def write_none(writer: "Writer", value: Any, depth: int) -> None:
    """Writes null."""
    writer.out.append("null")


def write_bool(writer: "Writer", value: Any, depth: int) -> None:
    """Writes true or false."""
    writer.out.append("true" if value else "false")


def write_str(writer: "Writer", value: str, depth: int) -> None:
    """Writes text, of a subclass too."""
    value = str.__str__(value)
    if not value.isascii() and SURROGATE.search(value):
        writer.fail("text with half a surrogate pair, which is no character")
    writer.out.append(write_string(value))


def write_int(writer: "Writer", value: int, depth: int) -> None:
    """Writes an integer; beyond what JavaScript's numbers hold, as its digits."""
    value = int.__add__(value, 0)
    if -SAFE_INTEGER <= value <= SAFE_INTEGER:
        writer.out.append(repr(value))
        return
    # More digits than Python itself prints (4,300) may cross: they are written in chunks.
    if value.bit_length() > MAX_DIGITS * 3.3219280948873626 or (digits := _digits(abs(value))) is None:
        writer.fail(f"an integer of more than {MAX_DIGITS} digits")
    writer.tag("int", f"-{digits}" if value < 0 else digits)


def _digits(value: int) -> str | None:
    parts = []
    while value >= _CHUNK:
        value, rest = divmod(value, _CHUNK)
        parts.append(repr(rest).zfill(600))
    parts.append(repr(value))
    text = "".join(parts[::-1])
    return text if len(text) <= MAX_DIGITS else None


def write_float(writer: "Writer", value: float, depth: int) -> None:
    """Writes a number, or the name of one that JSON lacks."""
    value = float.__pos__(value)
    if value != value:
        writer.tag("float", "NaN")
    elif value in (_INFINITY, -_INFINITY):
        writer.tag("float", "Infinity" if value > 0 else "-Infinity")
    elif value == 0.0 and copysign(1.0, value) < 0:
        writer.tag("float", "-0")
    else:
        writer.out.append(repr(value))


def write_list(writer: "Writer", value: list, depth: int) -> None:
    """Writes an array, whatever a subclass says to iterate."""
    if type(value) is not list:
        value = list.__getitem__(value, slice(None))
    elif set(map(type, value)) <= LEAVES and (text := plain_text(value, depth)) is not None:
        writer.out.append(text)
        return
    key = writer.enter(value)
    writer.sequence(value, depth)
    writer.leave(key)


def write_tuple(writer: "Writer", value: tuple, depth: int) -> None:
    """Writes a tagged array; a named tuple is one too."""
    writer.out.append('{"$":"tuple","v":')
    writer.sequence(tuple.__getitem__(value, slice(None)), depth)
    writer.out.append("}")


def write_set(writer: "Writer", value: Any, depth: int) -> None:
    """Writes a tagged array in no particular order."""
    writer.out.append('{"$":"set","v":')
    # Union with a built-in set reads the table itself, whatever a subclass makes of __iter__.
    writer.sequence(set().union(value) if type(value) not in (set, frozenset) else value, depth)
    writer.out.append("}")


def write_dict(writer: "Writer", value: dict, depth: int) -> None:
    """Writes an object; keys become text as in the json module."""
    key_mark = writer.enter(value)
    pairs: dict[str, Any] = {}
    for key, item in dict.items(value):
        name = key if type(key) is str else _key_text(writer, key)
        if name in pairs:
            writer.fail(f"a dict in which two keys become {shorten(repr(name))}")
        pairs[name] = item
    out = writer.out
    tagged = "$" in pairs
    out.append('{"$":"dict","v":[' if tagged else "{")
    first = True
    for name, item in pairs.items():
        if not name.isascii() and SURROGATE.search(name):
            writer.fail(f"a dict with the key {shorten(ascii(name))}, text with half a surrogate pair")
        text = write_string(name)
        prefix = f"[{text}," if tagged else f"{text}:"
        out.append(prefix if first else f",{prefix}")
        first = False
        writer.write_at(f"[{shorten(text)}]", item, depth + 1)
        if tagged:
            out.append("]")
    out.append("]}" if tagged else "}")
    writer.leave(key_mark)


def _key_text(writer: "Writer", key: Any) -> str:
    """The text of a key that is no str, as the json module has it."""
    kind = type(key)
    if kind is bool:
        return "true" if key else "false"
    if key is None:
        return "null"
    if issubclass(kind, str):
        return str.__str__(key)
    if issubclass(kind, int):
        key = int.__add__(key, 0)
        return repr(key) if key.bit_length() <= 1000 else writer.fail("a dict with a huge integer as a key")
    if issubclass(kind, float):
        key = float.__pos__(key)
        if key != key:
            return "NaN"
        return {_INFINITY: "Infinity", -_INFINITY: "-Infinity"}.get(key) or repr(key)
    if issubclass(kind, Enum):
        return _key_text_of(writer, _get_attribute(key, "_value_"))
    if type_module(kind) == "numpy" and hasattr(kind, "item"):  # a numpy scalar: keys of what groupby gives
        return _key_text_of(writer, key.item())
    return writer.fail(f"a dict with a key of class {type_name(kind)}", "Keys must be text or numbers; str(key) makes text.")


def _key_text_of(writer: "Writer", plain: Any) -> str:
    if type(plain) is str:
        return plain
    if plain is None or type(plain) in LEAVES:
        return _key_text(writer, plain)
    return writer.fail(f"a dict with a key of class {type_name(type(plain))}", "Keys must be text or numbers; str(key) makes text.")


def write_bytes(writer: "Writer", value: Any, depth: int) -> None:
    """Writes a buffer, without copying it."""
    writer.buffer_tag("bytes", value)


def write_memoryview(writer: "Writer", value: memoryview, depth: int) -> None:
    """Writes a buffer; copied only where it is not contiguous."""
    writer.buffer_tag("bytes", value.cast("B") if value.c_contiguous and value.nbytes else value.tobytes())


def write_datetime(writer: "Writer", value: datetime.datetime, depth: int) -> None:
    """Writes ISO 8601."""
    writer.tag("datetime", datetime.datetime.isoformat(value))


def write_date(writer: "Writer", value: datetime.date, depth: int) -> None:
    """Writes ISO 8601."""
    writer.tag("date", datetime.date.isoformat(value))


def write_time(writer: "Writer", value: datetime.time, depth: int) -> None:
    """Writes ISO 8601."""
    writer.tag("time", datetime.time.isoformat(value))


def write_timedelta(writer: "Writer", value: datetime.timedelta, depth: int) -> None:
    """Writes seconds, exact to the microsecond."""
    total = datetime.timedelta.__floordiv__(value, _MICROSECOND)
    seconds, rest = divmod(abs(total), 1_000_000)
    text = f"{seconds}.{rest:06d}".rstrip("0").rstrip(".")
    writer.tag("timedelta", f"-{text}" if total < 0 else text)


def write_complex(writer: "Writer", value: complex, depth: int) -> None:
    """Writes a pair of numbers."""
    writer.out.append('{"$":"complex","v":')
    writer.sequence((complex.__dict__["real"].__get__(value), complex.__dict__["imag"].__get__(value)), depth)
    writer.out.append("}")


def write_range(writer: "Writer", value: range, depth: int) -> None:
    """Writes an array of its numbers."""
    # Not len(), which ends at the size of a pointer.
    count = abs(value.stop - value.start) // abs(value.step) if value else 0
    if count > MAX_RANGE:
        writer.fail(f"a range of more than {MAX_RANGE} numbers")
    writer.write(list(value), depth)


def write_copy(writer: "Writer", value: Any, depth: int) -> None:
    """Writes an array of what it iterates over: a deque, a view of a dict."""
    writer.write(list(value), depth)


def write_mapping(writer: "Writer", value: Any, depth: int) -> None:
    """Writes an object of its items."""
    key = writer.enter(value)
    writer.write(dict(value), depth)
    writer.leave(key)


def write_enum(writer: "Writer", value: Any, depth: int) -> None:
    """Writes the member's value."""
    writer.write(_get_attribute(value, "_value_"), depth + 1)


def write_decimal(writer: "Writer", value: Any, depth: int) -> None:
    """Writes the digits that it was made with."""
    from decimal import Decimal

    writer.tag("decimal", Decimal.__str__(value))


def write_uuid(writer: "Writer", value: Any, depth: int) -> None:
    """Writes its usual text."""
    from uuid import UUID

    writer.tag("uuid", UUID.__str__(value))


def write_path(writer: "Writer", value: Any, depth: int) -> None:
    """Writes its text."""
    write_str(writer, str(value), depth)


def write_dataclass(writer: "Writer", value: Any, depth: int) -> None:
    """Writes an object of its fields."""
    key = writer.enter(value)
    fields = type(value).__dataclass_fields__
    # The same filter as dataclasses.fields: no class variables, no init-only ones.
    names = [name for name, field in fields.items() if type_name(type(field._field_type)) == "_FIELD_BASE"
             and field._field_type.name == "_FIELD"]  # fmt: skip
    writer.write({name: getattr(value, name) for name in names}, depth)
    writer.leave(key)
