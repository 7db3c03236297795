"""Packages of which a run first hears when it imports them: of code that it loads, and what a library imports when it is first used."""

from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import spec_from_file_location
from typing import Any

from ._exceptions import PermissionDeniedError
from ._host import call, can_wait

_RESPONSES = __file__.replace("_late_imports.py", "_responses.py")
_WITH_RESPONSES = {"fastapi", "fastapi.responses", "starlette", "starlette.responses"}


class LateFinder:
    """Finds modules that nobody else finds in packages that lie with the host and have no code for a platform: it installs them for this
    run. What would have to be fetched is not found."""

    def __init__(self) -> None:
        self._asked: set[str] = set()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Part of the import protocol."""
        return self._installed(name, path) or (spec_from_file_location(name, _RESPONSES) if name in _WITH_RESPONSES else None)

    def _installed(self, name: str, path: Any) -> ModuleSpec | None:
        if name in self._asked or path is not None or not can_wait():
            return None
        self._asked.add(name)
        try:
            package = call("packages.provider", name)
            if package is None:
                return None
            from ._micropip import install_now

            install_now(package)
        except (RuntimeError, PermissionDeniedError):
            # What is told is that the module is missing, and what to do about it.
            return None
        finally:
            self._asked.remove(name)
        return PathFinder.find_spec(name)
