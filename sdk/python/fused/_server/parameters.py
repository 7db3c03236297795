"""Parameters on their way to a server: text where they are tables, lists, dicts or flags."""

from collections.abc import Mapping
from typing import Any

from .._coerce import to_text


def wire_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as the server's side turns them back by the UDF's annotations. Raises TypeError for what has no place."""
    return {name: _wire_value(name, value) for name, value in parameters.items()}


def query_parameters(parameters: Mapping[str, Any]) -> dict[str, str]:
    """The same as texts; what is None is left out."""
    wire = wire_parameters(parameters)
    return {name: value if isinstance(value, str) else str(to_text(value)) for name, value in wire.items() if value is not None}


def json_value(value: Any) -> Any:
    """A value as JSON has it: dates and the like as text, sets and arrays as lists. Raises TypeError for what has no place."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    if isinstance(value, Mapping):
        return {str(name): json_value(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [json_value(item) for item in value]
    if isinstance(value, bytes):
        return value.decode()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if type(value).__module__.partition(".")[0] == "numpy":
        return json_value(value.tolist())
    if type(value).__module__.partition(".")[0] in ("decimal", "pathlib", "uuid"):
        return str(value)
    raise TypeError(f"it is {type(value).__name__}")


def _wire_value(name: str, value: Any) -> Any:
    kind = type(value)
    home, bases = kind.__module__.partition(".")[0], {base.__name__ for base in kind.__mro__}
    try:
        if home == "geopandas" and "GeoDataFrame" in bases:
            return value.to_json()
        if home == "pandas" and "DataFrame" in bases:
            return value.to_json(orient="records")
        if home == "shapely" and "BaseGeometry" in bases:
            return value.wkt
        if isinstance(value, list | tuple | dict):
            return to_text(json_value(value))
        return to_text(value) if isinstance(value, bool) else json_value(value)
    except (TypeError, UnicodeDecodeError) as error:
        raise TypeError(f'Cannot send the parameter "{name}" to a server: {error}') from None
