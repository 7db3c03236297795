"""The options of `@fused.cache`, checked."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ._age import parse_age

_STORAGES = ("auto", "mount", "local", "object")


class Options(NamedTuple):
    """How results are kept. Times are in seconds."""

    max_age: int | None = None
    """None is the host's default, which a request may set."""
    folder: str = "tmp"
    lock_timeout: int = 120
    reset: bool = False
    storage: str = "auto"
    exclude: frozenset[str] = frozenset()
    verbose: bool = True
    is_quiet: bool = False
    """Nobody has asked for it to be kept: that it is not is no news."""


def read_options(given: Mapping[str, Any], base: Options = Options()) -> Options:
    """Options by the names that people write; None is not given, and leaves what `base` has. Raises ValueError."""
    read = {name: value for name, value in given.items() if value is not None}
    return base._replace(**{field: reader(read[name]) for name, (field, reader) in _READERS.items() if name in read})


def _folder(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"Cannot use cache_folder_path: it must be a text: received {value!r}")
    return value


def _timeout(value: Any) -> int:
    try:
        return parse_age(int(value) if isinstance(value, str) and value.isdecimal() else value) or 0
    except ValueError:
        rule = "it must be seconds, or a number and s, m, h or d ('2m')"
        raise ValueError(f"Cannot read concurrent_lock_timeout: {rule}: received {value!r}") from None


def _storage(value: Any) -> str:
    if value not in _STORAGES:
        raise ValueError(f"Cannot use cache_storage: it must be one of {_STORAGES}: received {value!r}")
    return value


def _names(value: Any) -> frozenset[str]:
    names = (value,) if isinstance(value, (str, bytes)) else tuple(value)
    if not all(isinstance(name, str) for name in names):
        raise ValueError(f"Cannot use cache_key_exclude: it must be a name or names: received {value!r}")
    return frozenset(names)


_READERS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "cache_max_age": ("max_age", parse_age),
    "cache_folder_path": ("folder", _folder),
    "concurrent_lock_timeout": ("lock_timeout", _timeout),
    "cache_reset": ("reset", bool),
    "cache_storage": ("storage", _storage),
    "cache_key_exclude": ("exclude", _names),
    "cache_verbose": ("verbose", bool),
}
NAMES = frozenset(_READERS)
