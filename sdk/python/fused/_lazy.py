"""Names of a package that are loaded when they are first asked for: for its `__getattr__` and `__dir__`."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any


def find_name(package: dict[str, Any], homes: Mapping[str, str], name: str) -> Any:
    """What a package has under a name; it stays there. Raises AttributeError where it has none.

    package: its `globals()`.
    homes: the module of each name, relative to the package (".api.job"); "" for what is a module of the package itself.
    """
    own = package["__name__"]
    if name not in homes:
        raise AttributeError(f"module {own!r} has no attribute {name!r}")
    home = homes[name]
    value = package[name] = getattr(import_module(home, own), name) if home else import_module(f".{name}", own)
    return value


def all_names(package: dict[str, Any], homes: Mapping[str, str]) -> list[str]:
    """What a package has, loaded or not."""
    return sorted({*package, *homes})
