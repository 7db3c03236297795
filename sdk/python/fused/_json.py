"""JSON in C, guarded: deep nesting overflows the WebAssembly stack in C and ends the interpreter, so it never gets there."""

import re
from itertools import accumulate
from json.decoder import JSONDecoder
from json.encoder import JSONEncoder, c_make_encoder, encode_basestring, encode_basestring_ascii
from sys import getrecursionlimit, setrecursionlimit
from typing import Any

# A value of 500 levels has up to three levels of JSON text for each of its own (the tag `dict`).
# Measured in Pyodide 0.27.7 and 314: 5,000 levels parse, 10,000 are fatal.
MAX_TEXT_DEPTH = 1600

# A level of a value takes up to four frames of Python, none of C.
_DEEP_STACK = 3000

_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_NO_BRACKET = re.compile(r"[^\[\]{}]+")
_STEP = {"[": 1, "{": 1, "]": -1, "}": -1}.__getitem__


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


_decode = JSONDecoder(parse_constant=_refuse_constant).decode
_decode_python = JSONDecoder().decode


def loads(text: str) -> object:
    """Parses JSON text. Raises ValueError for text that is no JSON or nested too deep."""
    return parse(text, _decode)


def loads_parameter(text: str) -> Any:
    """The same of a parameter's text, as `dumps_parameter` writes it: with NaN and infinities."""
    return parse(text, _decode_python)


def parse(text: str, decode: Any) -> Any:
    """Parses JSON text by a function that may recurse in C. Raises ValueError for text that is nested too deep, and what it raises."""
    containers = text.count("[") + text.count("{")
    if containers > MAX_TEXT_DEPTH:
        brackets = _NO_BRACKET.sub("", _STRING.sub("", text))
        if max(accumulate(map(_STEP, brackets)), default=0) > MAX_TEXT_DEPTH:
            raise ValueError(f"it is nested more than {MAX_TEXT_DEPTH} levels deep")
    # Python 3.11 counts the levels of C in the same limit as its own.
    return with_deep_stack(decode, text) if containers > 100 else decode(text)


def with_deep_stack(function: Any, *args: Any) -> Any:
    """Calls a function that recurses once or more for each level of a value. Our own checks keep it from going deeper."""
    limit = getrecursionlimit()
    setrecursionlimit(max(limit, _DEEP_STACK))
    try:
        return function(*args)
    finally:
        try:
            setrecursionlimit(limit)
        except RecursionError:  # the UDF had set it below what its own frames take
            pass


def _refuse_object(value: object) -> None:
    raise ValueError("a value that is no JSON")


if c_make_encoder is None:  # an interpreter without the C accelerator
    _encode = JSONEncoder(ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")).encode

    def dumps_plain(value: object) -> str:
        """Writes a tree that the caller has already found to be plain JSON."""
        return _encode(value)

else:
    # Held from here on: code that replaces parts of the json module later does not reach it.
    _pieces = c_make_encoder(None, _refuse_object, encode_basestring, None, ":", ",", False, False, False)

    def dumps_plain(value: object) -> str:
        """Writes a tree that the caller has already found to be plain JSON."""
        return "".join(_pieces(value, 0))


dumps_ascii = JSONEncoder(ensure_ascii=True, check_circular=False, separators=(",", ":")).encode
# The text that a list, tuple, dict or bool parameter becomes: json.dumps with its defaults.
dumps_parameter = JSONEncoder().encode
write_string = encode_basestring
write_ascii_string = encode_basestring_ascii


def shorten(text: str, limit: int = 80) -> str:
    """Cuts a text for a message."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
