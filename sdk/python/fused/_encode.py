"""A result as JSON text and buffers: the writing side of the encoding that crosses the wall.

A tree of plain JSON is checked and handed to the C encoder. Anything else is written piece by piece: an object with
the key `$` (the tag) and `v` (JSON) or `b` (index of a buffer). Classes of libraries are told by name, so that none
is imported here; the modules `_arrays`, `_tables` and `_media` write them.

Nothing of a value is trusted: its class is `type(value)`, and subclasses of built-in types are read with the built-in
type's own methods.
"""

import datetime
import re
from collections.abc import Callable
from math import copysign
from typing import Any

from ._exceptions import ResultProblem
from ._json import dumps_plain, shorten, with_deep_stack, write_string

MAX_DEPTH = 500
MAX_DIGITS = 5000
MAX_RANGE = 10_000_000
SAFE_INTEGER = 2**53 - 1

_LEAVES = frozenset((str, bool, type(None), int, float))
_SURROGATE = re.compile("[\ud800-\udfff]")
_MINUS_ZERO = re.compile(r"-0\.0(?!\d)")
_CHUNK = 10**600

type_name = type.__dict__["__name__"].__get__
_type_mro = type.__dict__["__mro__"].__get__
_type_module = type.__dict__["__module__"].__get__
_get_attribute = object.__getattribute__


def encode(value: Any, root: str = "result") -> tuple[str, list]:
    """Writes a value as JSON text and a list of buffers. Raises ResultProblem with the path of what cannot cross."""
    try:
        text = _plain_text(value, 0)
    except RecursionError:  # deep, or the UDF has lowered the limit
        text = None
    if text is not None:
        return text, []
    writer = Writer(root)
    with_deep_stack(writer.write, value, 0)
    return "".join(writer.out), writer.buffers


def _plain_text(value: Any, depth: int) -> str | None:
    """The text of a tree that needs no tag, or None."""
    if not _is_plain(value, depth):
        return None
    try:
        text = dumps_plain(value)
    except ValueError:  # NaN or an infinity
        return None
    if "-0.0" in text and _MINUS_ZERO.search(text):
        return None
    if not text.isascii() and _SURROGATE.search(text):
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
        if kinds <= _LEAVES:
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


class Writer:
    """Writes one value. `path` is where the writing stands; after a failure, where it failed."""

    __slots__ = ("_open", "_path", "_root", "buffers", "out")

    def __init__(self, root: str) -> None:
        self.out: list[str] = []
        self.buffers: list[Any] = []
        self._root = root
        self._path: list[str] = []
        self._open: set[int] = set()

    def write(self, value: Any, depth: int) -> None:
        """Writes a value of any kind."""
        kind = type(value)
        method = _EXACT.get(kind)
        if method is None:
            method = _find_method(kind)
        if depth > MAX_DEPTH and kind not in _LEAVES:
            self.fail(f"nested more than {MAX_DEPTH} levels deep")
        method(self, value, depth)

    def write_at(self, step: str, value: Any, depth: int) -> None:
        """Writes a value one step further down: `step` is how Python code would reach it."""
        self._path.append(step)
        self.write(value, depth)
        self._path.pop()

    def tag(self, name: str, text: str) -> None:
        """Writes a tag whose value is a text."""
        self.out.append(f'{{"$":"{name}","v":"{text}"}}')

    def buffer_tag(self, name: str, data: Any, extra: str = "") -> None:
        """Writes a tag whose value is a buffer: anything C-contiguous with the buffer protocol. `extra` is JSON members."""
        self.buffers.append(data)
        self.out.append(f'{{"$":"{name}",{extra}"b":{len(self.buffers) - 1}}}')

    def fail(self, what: str, hint: str = "") -> None:
        """Raises ResultProblem: the value at the path is `what`, which cannot cross."""
        path = self.path()
        hint = f". {hint}" if hint else ""
        raise ResultProblem(f"Cannot return {path}: it is {what}, which cannot cross the wall{hint}", subject=path)

    def path(self) -> str:
        """Where the writing stands, as Python code."""
        steps = self._path
        if len(steps) > 12:
            return f"{self._root}{''.join(steps[:10])}…"
        return self._root + "".join(steps)

    def enter(self, value: Any) -> int:
        """Marks a container as being written; fails where it already is. The caller removes the mark with `leave`."""
        key = id(value)
        if key in self._open:
            self.fail("a reference back to one of its own containers")
        self._open.add(key)
        return key

    def leave(self, key: int) -> None:
        """Ends what `enter` began."""
        self._open.discard(key)

    def sequence(self, items: Any, depth: int) -> None:
        """Writes items as a JSON array."""
        out = self.out
        out.append("[")
        first = True
        for index, item in enumerate(items):
            if not first:
                out.append(",")
            first = False
            self.write_at(f"[{index}]", item, depth + 1)
        out.append("]")


def _write_none(writer: Writer, value: Any, depth: int) -> None:
    writer.out.append("null")


def _write_bool(writer: Writer, value: Any, depth: int) -> None:
    writer.out.append("true" if value else "false")


def _write_str(writer: Writer, value: str, depth: int) -> None:
    value = str.__str__(value)
    if not value.isascii() and _SURROGATE.search(value):
        writer.fail("text with half a surrogate pair, which is no character")
    writer.out.append(write_string(value))


def _write_int(writer: Writer, value: int, depth: int) -> None:
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


def _write_float(writer: Writer, value: float, depth: int) -> None:
    value = float.__pos__(value)
    if value != value:
        writer.tag("float", "NaN")
    elif value in (_INFINITY, -_INFINITY):
        writer.tag("float", "Infinity" if value > 0 else "-Infinity")
    elif value == 0.0 and copysign(1.0, value) < 0:
        writer.tag("float", "-0")
    else:
        writer.out.append(repr(value))


def _write_list(writer: Writer, value: list, depth: int) -> None:
    if type(value) is not list:
        value = list.__getitem__(value, slice(None))
    elif set(map(type, value)) <= _LEAVES and (text := _plain_text(value, depth)) is not None:
        writer.out.append(text)
        return
    key = writer.enter(value)
    writer.sequence(value, depth)
    writer.leave(key)


def _write_tuple(writer: Writer, value: tuple, depth: int) -> None:
    writer.out.append('{"$":"tuple","v":')
    writer.sequence(tuple.__getitem__(value, slice(None)), depth)
    writer.out.append("}")


def _write_set(writer: Writer, value: Any, depth: int) -> None:
    writer.out.append('{"$":"set","v":')
    # Union with a built-in set reads the table itself, whatever a subclass makes of __iter__.
    writer.sequence(set().union(value) if type(value) not in (set, frozenset) else value, depth)
    writer.out.append("}")


def _write_dict(writer: Writer, value: dict, depth: int) -> None:
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
        if not name.isascii() and _SURROGATE.search(name):
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


def _key_text(writer: Writer, key: Any) -> str:
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
    method = _find_method(kind)
    if method is _write_enum:
        return _key_text_of(writer, _get_attribute(key, "_value_"))
    if method.__name__ == "write_scalar":
        return _key_text_of(writer, key.item())
    return writer.fail(f"a dict with a key of class {type_name(kind)}", "Keys must be text or numbers; str(key) makes text.")


def _key_text_of(writer: Writer, plain: Any) -> str:
    if type(plain) is str:
        return plain
    if plain is None or type(plain) in _LEAVES:
        return _key_text(writer, plain)
    return writer.fail(f"a dict with a key of class {type_name(type(plain))}", "Keys must be text or numbers; str(key) makes text.")


def _write_bytes(writer: Writer, value: Any, depth: int) -> None:
    writer.buffer_tag("bytes", value)


def _write_memoryview(writer: Writer, value: memoryview, depth: int) -> None:
    writer.buffer_tag("bytes", value.cast("B") if value.c_contiguous and value.nbytes else value.tobytes())


def _write_datetime(writer: Writer, value: datetime.datetime, depth: int) -> None:
    writer.tag("datetime", datetime.datetime.isoformat(value))


def _write_date(writer: Writer, value: datetime.date, depth: int) -> None:
    writer.tag("date", datetime.date.isoformat(value))


def _write_time(writer: Writer, value: datetime.time, depth: int) -> None:
    writer.tag("time", datetime.time.isoformat(value))


def _write_timedelta(writer: Writer, value: datetime.timedelta, depth: int) -> None:
    total = datetime.timedelta.__floordiv__(value, _MICROSECOND)
    seconds, rest = divmod(abs(total), 1_000_000)
    text = f"{seconds}.{rest:06d}".rstrip("0").rstrip(".")
    writer.tag("timedelta", f"-{text}" if total < 0 else text)


def _write_complex(writer: Writer, value: complex, depth: int) -> None:
    writer.out.append('{"$":"complex","v":')
    writer.sequence((complex.__dict__["real"].__get__(value), complex.__dict__["imag"].__get__(value)), depth)
    writer.out.append("}")


def _write_range(writer: Writer, value: range, depth: int) -> None:
    # Not len(), which ends at the size of a pointer.
    count = abs(value.stop - value.start) // abs(value.step) if value else 0
    if count > MAX_RANGE:
        writer.fail(f"a range of more than {MAX_RANGE} numbers")
    writer.write(list(value), depth)


def _write_copy(writer: Writer, value: Any, depth: int) -> None:
    writer.write(list(value), depth)


def _write_mapping(writer: Writer, value: Any, depth: int) -> None:
    key = writer.enter(value)
    writer.write(dict(value), depth)
    writer.leave(key)


def _write_enum(writer: Writer, value: Any, depth: int) -> None:
    writer.write(_get_attribute(value, "_value_"), depth + 1)


def _write_decimal(writer: Writer, value: Any, depth: int) -> None:
    from decimal import Decimal

    writer.tag("decimal", Decimal.__str__(value))


def _write_uuid(writer: Writer, value: Any, depth: int) -> None:
    from uuid import UUID

    writer.tag("uuid", UUID.__str__(value))


def _write_path(writer: Writer, value: Any, depth: int) -> None:
    _write_str(writer, str(value), depth)


def _write_dataclass(writer: Writer, value: Any, depth: int) -> None:
    key = writer.enter(value)
    fields = getattr(type(value), "__dataclass_fields__")
    # The same filter as dataclasses.fields: no class variables, no init-only ones.
    names = [name for name, field in fields.items() if type_name(type(field._field_type)) == "_FIELD_BASE"
             and field._field_type.name == "_FIELD"]  # fmt: skip
    writer.write({name: getattr(value, name) for name in names}, depth)
    writer.leave(key)


def _refuse(writer: Writer, value: Any, depth: int) -> None:
    kind = type(value)
    what, hint = _REFUSED.get(type_name(kind), ("", ""))
    if kind.__module__ in ("builtins", "_asyncio", "types") and what:
        name = getattr(value, "__name__", None)
        writer.fail(f"{what} ({name})" if type(name) is str and name else what, hint)
    writer.fail(f"an object of class {type_name(kind)}")


# By the class's own name, for kinds that people return by mistake.
_REFUSED = {
    "generator": ("a generator", "Return list(…) of it."),
    "async_generator": ("an asynchronous generator", "Collect its items into a list."),
    "coroutine": ("a coroutine", "Await it."),
    "map": ("an iterator", "Return list(…) of it."),
    "filter": ("an iterator", "Return list(…) of it."),
    "zip": ("an iterator", "Return list(…) of it."),
    "enumerate": ("an iterator", "Return list(…) of it."),
    "function": ("a function", "Call it."),
    "builtin_function_or_method": ("a function", "Call it."),
    "method": ("a method", "Call it."),
    "module": ("a module", ""),
    "type": ("a class", ""),
}

_INFINITY = float("inf")
_MICROSECOND = datetime.timedelta(microseconds=1)

Method = Callable[[Writer, Any, int], None]

_EXACT: dict[type, Method] = {
    type(None): _write_none,
    bool: _write_bool,
    str: _write_str,
    int: _write_int,
    float: _write_float,
    list: _write_list,
    tuple: _write_tuple,
    dict: _write_dict,
    set: _write_set,
    frozenset: _write_set,
    bytes: _write_bytes,
    bytearray: _write_bytes,
    memoryview: _write_memoryview,
    datetime.datetime: _write_datetime,
    datetime.date: _write_date,
    datetime.time: _write_time,
    datetime.timedelta: _write_timedelta,
    complex: _write_complex,
    range: _write_range,
}


def _from(module: str, function: str) -> Method:
    """A method of one of the modules that know a library, loaded when a value of it first comes by."""

    def method(writer: Writer, value: Any, depth: int) -> None:
        getattr(__import__(f"{__package__}.{module}", fromlist=("*",)), function)(writer, value, depth)

    method.__name__ = function
    return method


# By the root of the module and the name of a class or one of its bases.
_BY_NAME: dict[tuple[str, str], Method] = {
    ("enum", "Enum"): _write_enum,
    ("decimal", "Decimal"): _write_decimal,
    ("uuid", "UUID"): _write_uuid,
    ("pathlib", "PurePath"): _write_path,
    ("array", "array"): lambda writer, value, depth: writer.write(value.tolist(), depth),
    ("collections", "deque"): _write_copy,
    ("builtins", "dict_keys"): _write_copy,
    ("builtins", "dict_values"): _write_copy,
    ("builtins", "dict_items"): _write_copy,
    ("builtins", "mappingproxy"): _write_mapping,
    ("collections", "Mapping"): _write_mapping,
    ("numpy", "generic"): _from("_arrays", "write_scalar"),
    ("numpy", "MaskedArray"): _from("_arrays", "write_masked"),
    ("numpy", "ndarray"): _from("_arrays", "write_array"),
    ("pandas", "NaTType"): _write_none,
    ("pandas", "NAType"): _write_none,
    ("pandas", "Timestamp"): _from("_tables", "write_timestamp"),
    ("pandas", "DataFrame"): _from("_tables", "write_frame"),
    ("pandas", "Series"): _from("_tables", "write_series"),
    ("pandas", "Index"): _from("_tables", "write_index"),
    ("pandas", "ExtensionArray"): _from("_tables", "write_extension_array"),
    ("geopandas", "GeoDataFrame"): _from("_tables", "write_geo_frame"),
    ("geopandas", "GeoSeries"): _from("_tables", "write_geo_series"),
    ("pyarrow", "Table"): _from("_tables", "write_arrow"),
    ("pyarrow", "RecordBatch"): _from("_tables", "write_arrow"),
    ("pyarrow", "RecordBatchReader"): _from("_tables", "write_arrow"),
    ("pyarrow", "Array"): _from("_tables", "write_arrow_column"),
    ("pyarrow", "ChunkedArray"): _from("_tables", "write_arrow_column"),
    ("pyarrow", "Scalar"): lambda writer, value, depth: writer.write(value.as_py(), depth + 1),
    ("xarray", "DataArray"): _from("_arrays", "write_xarray"),
    ("xarray", "Dataset"): _from("_arrays", "write_xarray"),
    ("shapely", "BaseGeometry"): _from("_media", "write_geometry"),
    ("PIL", "Image"): _from("_media", "write_image"),
    ("matplotlib", "Figure"): _from("_media", "write_figure"),
    ("matplotlib", "Axes"): _from("_media", "write_axes"),
    ("plotly", "BaseFigure"): _from("_media", "write_chart"),
    ("altair", "TopLevelMixin"): _from("_media", "write_chart"),
}

_STREAM = _from("_tables", "write_stream")
_HTML = _from("_media", "write_html")


def _find_method(kind: type) -> Method:
    """The method for a class that is not one of the built-in ones, by its bases; lies of `__class__` do not count."""
    for base in _type_mro(kind):
        if (method := _EXACT.get(base)) is not None:
            return method
        module = _type_module(base)
        if type(module) is str:
            method = _BY_NAME.get((module.partition(".")[0], type_name(base)))
            if method is not None:
                return method
    if hasattr(kind, "__arrow_c_stream__"):
        return _STREAM
    if hasattr(kind, "__dataclass_fields__"):
        return _write_dataclass
    if hasattr(kind, "_repr_html_"):
        return _HTML
    return _refuse
