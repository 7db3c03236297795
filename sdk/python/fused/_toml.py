"""Writing TOML: what `tomllib` reads and does not write."""

from collections.abc import Mapping
from typing import Any

_ESCAPES = {ord('"'): '\\"', ord("\\"): "\\\\", **{code: f"\\u{code:04x}" for code in (*range(0x20), 0x7F)}}


def write_toml(values: Mapping[str, Any]) -> str:
    """TOML of texts, numbers, flags, lists of such, and dicts of one more level, which become tables.

    Raises ValueError for anything else.
    """
    tables = {name: value for name, value in values.items() if isinstance(value, Mapping)}
    lines = [_line(name, value) for name, value in values.items() if name not in tables]
    for name, table in tables.items():
        lines += [f"\n[{_text(name)}]\n" if lines else f"[{_text(name)}]\n", *(_line(key, value) for key, value in table.items())]
    return "".join(lines)


def _line(name: str, value: Any) -> str:
    return f"{_text(name) if not name.isidentifier() or not name.isascii() else name} = {_value(value)}\n"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    raise ValueError(f"Cannot write TOML: {type(value).__name__} has no place in it")


def _text(value: str) -> str:
    return f'"{value.translate(_ESCAPES)}"'
