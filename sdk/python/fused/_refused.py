"""What the published client raises for a value that an annotation does not fit: its texts are the interface.

Its conversions are simpler than ours, and each ends in one call of the standard library: that is made here again.
"""

import datetime
import json
import uuid
from typing import Any

from . import types
from ._failure import message_of
from ._json import parse, with_deep_stack

_PLAIN = (int, float)
_TIMES = (datetime.datetime, datetime.date, datetime.time)


def raised(value: Any, annotation: Any, error: BaseException) -> str:
    """Class and text of what it raises for a value; where it would raise nothing, those of our own error."""
    try:
        _convert(value, annotation)
    except Exception as theirs:
        error = theirs
    # Ours stands for the frame that a tile becomes.
    return f"{type(error).__name__}: {message_of(error)}".replace("'_TileFrame'", "'GeoDataFrame'")


def missing(name: str, positional: list[str], keyword_only: list[str]) -> str:
    """The same for parameters that were not given: as Python says it of a call."""
    kind, names = ("positional", positional) if positional else ("keyword-only", keyword_only)
    shown = [repr(each) for each in names]
    listed = " and ".join(shown) if len(shown) < 3 else f"{', '.join(shown[:-1])}, and {shown[-1]}"
    return f"TypeError: {name}() missing {len(names)} required {kind} argument{'s' if len(names) > 1 else ''}: {listed}"


def _convert(value: Any, annotation: Any) -> None:
    arguments = getattr(annotation, "__args__", ())
    if type(None) in arguments and len(arguments) == 2:
        annotation = next(each for each in arguments if each is not type(None))
    annotation = getattr(annotation, "__origin__", annotation)
    if isinstance(value, list | tuple | dict | bool):
        value = with_deep_stack(json.dumps, value)
    if annotation is int and isinstance(value, str):
        int(value, base=10)
    elif annotation in _PLAIN:
        annotation(value)
    elif annotation is tuple or (annotation in (list, dict) and isinstance(value, str)):
        parse(value, json.loads)
    elif annotation is uuid.UUID:
        uuid.UUID(value)
    elif annotation in _TIMES:
        annotation.fromisoformat(value)
    elif annotation is types.Bounds:
        bounds = parse(value, json.loads)
        if len(bounds) != 4:
            raise ValueError(f"Expected 4 values for bounds, got {len(bounds)}")
