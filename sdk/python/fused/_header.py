"""A module beside a UDF that it imports by name: an element of `@fused.udf(headers=[…])`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ._headers import own_header
from ._validation import Model, field, optional, text


class Header(Model):
    """A module beside a UDF. It has its code, or the path of a file that has it."""

    module_name: str = field(text)
    """The name under which the UDF imports it."""
    source_code: str | None = field(optional(text), default=None)
    """Its code; None where only the file is known."""
    source_file: str | None = field(optional(text), default=None)
    """The file that it was read from, if any."""

    def model_post_init(self, context: Any) -> None:
        """Nothing to do here; models of other libraries have a step of this name."""

    @classmethod
    def from_code(cls, module_name: str, source_file: str | Path) -> "Header":
        """Reads a file. Inside an isolate, a file beside the UDF that runs. Raises FileNotFoundError where there is none."""
        own = own_header(str(source_file), module_name)
        code = own["code"] if own else Path(source_file).read_text("utf-8-sig")
        return cls(module_name=module_name, source_code=code, source_file=str(source_file))

    def code(self) -> str:
        """The module's code; read now where only the file is known. Raises FileNotFoundError; ValueError for neither."""
        if self.source_code is not None:
            return self.source_code
        if self.source_file is None:
            raise ValueError(f"Cannot read the header {self.module_name!r}: it has neither source_code nor source_file")
        return self.from_code(self.module_name, self.source_file).code()

    def write_code(self) -> None:
        """Writes the code to `source_file`. Raises ValueError where that is not set."""
        if self.source_file is None:
            raise ValueError(f"Cannot write the header {self.module_name!r}: it has no source_file")
        # Read first: the file may be the only place that has it.
        code = self.code()
        Path(self.source_file).write_text(code, "utf-8")

    def write_to_disk(self, path: str) -> None:
        """Writes the code to a file, or into a folder as MODULE.py. Raises ValueError for a name that is none for a file."""
        target = Path(path)
        if target.is_dir():
            target /= f"{file_name(self.module_name)}.py"
        target.write_text(self.code(), "utf-8")


def file_name(name: Any) -> str:
    """The name, which becomes a file's. Raises ValueError for one that could lead elsewhere."""
    if not isinstance(name, str) or not name or name in (".", "..") or any(letter in "/\\:\0" for letter in name):
        raise ValueError(f"Cannot write the UDF: {name!r} is no name of a file")
    return name


def read_headers(headers: Sequence[Any] | None) -> list[Header]:
    """What a decorator's `headers` stand for: paths are read at once, Header objects stay as they are.

    Raises FileNotFoundError for a path without a file, TypeError for anything that is neither.
    """
    if headers is None:
        return []
    if isinstance(headers, str | bytes) or not isinstance(headers, Sequence):
        raise TypeError(f"Cannot use headers: they must be a list of paths and Header objects: received {headers!r}")
    return [header if isinstance(header, Header) else _read(header) for header in headers]


def _read(path: Any) -> Header:
    if not isinstance(path, str | Path):
        raise TypeError(f"Cannot use a header: it must be a path or a Header object: received {path!r}")
    file = Path(path)
    return Header.from_code(file.stem, str(path))
