"""Puts Python's libraries on the host's network and storage, and makes them do without threads, when they are imported; and costs nothing where
none is."""

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from types import ModuleType
from typing import Any

_FOLDER = __file__.removesuffix("_net_imports.py")

_REPLACED = {
    "ssl": "_net_ssl",
    "fsspec.implementations.http": "_net_fsspec",
    "httpx._transports.default": "_net_httpx",
    "httpx._transports.jsfetch": "_net_httpx",
    "urllib3.contrib.emscripten": "_net_urllib3",
}
"""Modules in whose place a file of ours is loaded, under their name."""

_PATCHED = {
    "concurrent.futures.thread": "_threads",
    "socket": "_net_socket",
    "pyodide.http": "_net_pyodide",
    "pyodide.webloop": "_net_asyncio",
    "urllib3.connection": "_net_urllib3",
    "fsspec": "_storage_imports",
    "pandas.io.common": "_storage_imports",
    "pyarrow.fs": "_storage_arrow",
}
"""Modules that are changed once they are loaded, by the function `patch` of one of ours."""


def _patch(module: ModuleType) -> None:
    import_module(f"{__package__}.{_PATCHED[module.__name__]}").patch(module)


class _PatchingLoader:
    """Loads a module as its own loader does, and changes it."""

    def __init__(self, loader: Any, patch: Callable[[ModuleType], None]) -> None:
        self._loader = loader
        self._patch = patch

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Part of the import protocol."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Part of the import protocol. The module keeps its own loader, which knows its source."""
        module.__loader__ = module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._patch(module)


class NetworkFinder:
    """Finds the modules of the two tables above; to all others it has nothing to say."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Part of the import protocol."""
        if name in _REPLACED:
            return spec_from_file_location(name, f"{_FOLDER}{_REPLACED[name]}.py")
        if name not in _PATCHED:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None:
                spec.loader = _PatchingLoader(spec.loader, _patch)
                return spec
        return None


def install() -> None:
    """Does so from now on, for this interpreter. What is loaded already is changed, or loaded anew when it is next imported."""
    sys.meta_path.insert(0, NetworkFinder())
    for name in _REPLACED:
        sys.modules.pop(name, None)
    for name in _PATCHED:
        if name in sys.modules:
            _patch(sys.modules[name])
