"""The modules beside a UDF, importable by name."""

import sys
from _thread import allocate_lock
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType

from ._source import Source, known


class HeaderFinder:
    """A finder and loader for sources that lie in memory. A module is compiled when it is first imported."""

    def __init__(self, udf_name: str, headers: Sequence[dict]) -> None:
        self._headers = {header["moduleName"]: header for header in headers}
        self._udf_name = udf_name
        # `lib.geo` makes `lib` importable too, as an empty package, unless a header of that name is there.
        self._packages = {name[:dot] for name in self._headers for dot, letter in enumerate(name) if letter == "."} | {
            name for name, header in self._headers.items() if header["file"].endswith("__init__.py")
        }

    def names(self) -> set[str]:
        """All module names that this finder answers to."""
        return self._headers.keys() | self._packages

    def shorten(self, paths: Sequence[str]) -> None:
        """Makes headers in folders importable by the name of their file alone, too: what `headers=["lib/geo.py"]` means."""
        files = self.files()
        for path in paths:
            file = path.removeprefix("./")
            header = files.get(file) or files.get(f"{file}.py")
            name = file.rpartition("/")[2].removesuffix(".py")
            if header is not None and name not in self.names():
                self._headers[name] = header

    def files(self) -> dict[str, dict]:
        """The headers by the path of their file, relative to the UDF's folder."""
        return {header["file"]: header for header in self._headers.values()}

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Part of the import protocol."""
        if name not in self._headers and name not in self._packages:
            return None
        origin = self._filename(name) if name in self._headers else None
        return ModuleSpec(name, self, origin=origin, is_package=name in self._packages)

    def create_module(self, spec: ModuleSpec) -> None:
        """Part of the import protocol: the default module will do."""

    def exec_module(self, module: ModuleType) -> None:
        """Part of the import protocol: runs the module's code."""
        name = module.__spec__.name
        if name in self._headers:
            module.__file__ = self._headers[name]["file"]
            exec(self._load(name).code, module.__dict__)

    def get_code(self, name: str) -> CodeType | None:
        """Part of the import protocol."""
        return self._load(name).code if name in self._headers else None

    def get_source(self, name: str) -> str | None:
        """Part of the import protocol; tracebacks and `inspect.getsource` use it."""
        return self._headers[name]["code"] if name in self._headers else None

    def is_package(self, name: str) -> bool:
        """Part of the import protocol."""
        return name in self._packages

    def _filename(self, name: str) -> str:
        return f"<{self._udf_name}/{self._headers[name]['file']}>"

    def _load(self, name: str) -> Source:
        filename = self._filename(name)
        source = known.get(filename)
        header = self._headers[name]
        # Another UDF of this name may have had another header of that name.
        if source is None or source.text != header["code"].removeprefix("\ufeff"):
            source = Source(name=name, file=header["file"], filename=filename, text=header["code"])
            # A plain compile: a mistake in here is an ordinary SyntaxError of the UDF's own import.
            source.code = compile(source.text, filename, "exec", dont_inherit=True)
            known[filename] = source
        return source


_installed: HeaderFinder | None = None


def install_headers(udf_name: str, headers: Sequence[dict]) -> None:
    """Makes the headers importable, in place of those installed before."""
    global _installed
    if _installed is not None:
        for name in _installed.names():
            sys.modules.pop(name, None)
        if _installed in sys.meta_path:
            sys.meta_path.remove(_installed)
    _installed = HeaderFinder(udf_name, headers)
    # In front: a header wins over a package of the same name, as a module beside a script does.
    sys.meta_path.insert(0, _installed)


def shorten_names(paths: Sequence[str]) -> None:
    """Makes the installed headers at these paths importable by the names of their files alone, too."""
    if _installed is not None and paths:
        _installed.shorten(paths)


def own_files() -> dict[str, dict]:
    """The files beside the UDF that this isolate runs, by their path; empty anywhere else."""
    return _installed.files() if _installed is not None else {}


def own_header(path: str, module_name: str) -> dict | None:
    """The header of the UDF that this isolate runs, by the path of its file or else by its name; None where there is none."""
    files = own_files()
    found = files.get(path.removeprefix("./"))
    return found or next((header for header in files.values() if header["moduleName"].rpartition(".")[2] == module_name), None)


# The headers of the nested runs that are under way: finder, one entry a run, and the modules of these names from before.
_nested: dict[str, tuple[HeaderFinder, list[str], dict[str, ModuleType | None]]] = {}
_nesting = allocate_lock()


@contextmanager
def importable(udf_name: str, headers: Sequence[dict]) -> Iterator[None]:
    """Makes the headers of a nested run importable while it lasts. Loaded modules of these names come back after it.

    Runs of one UDF at the same time, in threads, share them.
    """
    if not headers:
        yield
        return
    key = repr((udf_name, headers))
    with _nesting:
        if key not in _nested:
            finder = HeaderFinder(udf_name, headers)
            _nested[key] = finder, [], {name: sys.modules.pop(name, None) for name in finder.names()}
            sys.meta_path.insert(0, finder)
        finder, runs, before = _nested[key]
        runs.append(udf_name)
    try:
        yield
    finally:
        with _nesting:
            runs.pop()
            if not runs:
                del _nested[key]
                sys.meta_path[:] = [item for item in sys.meta_path if item is not finder]
                for name, module in before.items():
                    sys.modules.pop(name, None)
                    if module is not None:
                        sys.modules[name] = module
