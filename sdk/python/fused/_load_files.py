"""UDFs from text, from Python files, and from the folders and zip archives that `to_directory` and `to_file` write."""

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ._age import parse_age
from ._header import Header
from ._headers import own_files
from ._host import connected
from ._source import decorated_functions, literal_argument, parse
from ._udf_fields import UdfFields
from ._udf_object import Udf
from ._validation import ValidationError

# The most that one file of a UDF may have, and how many an archive: a small archive can hold a file that fills all memory.
_MOST_BYTES = 8 * 1024 * 1024
_MOST_ENTRIES = 20_000

Read = Callable[[str], str | None]


def load_text(text: str, name: str | None = None) -> Udf:
    """The UDF in a text: the only function under `@fused.udf`, else the one called `udf`; default of the name: the function's.

    Raises ValueError for a text that is no Python, or that has none or several of them.
    """
    text = text.removeprefix("\ufeff")
    found = decorated_functions(parsed(text))
    names = [node.name for node, _ in found]
    if not found:
        raise ValueError("No function decorated with '@fused.udf' found in the provided code.")
    if len(found) > 1 and "udf" not in names:
        raise ValueError(f"Multiple functions decorated with '@fused.udf' found: {', '.join(names)}. "
                         "Please provide code with only one decorated UDF.")  # fmt: skip
    node, decorator = next((pair for pair in reversed(found) if pair[0].name == "udf"), found[-1])
    age = literal_argument(decorator, "cache_max_age")
    return Udf(name=name or node.name, code=text, entrypoint=node.name, cache_max_age=parse_age(age), metadata={})


def load_file(path: Path) -> Udf:
    """The UDF in a Python file, called like the file. Inside an isolate, files beside the UDF that runs come first.

    Raises FileNotFoundError, and ValueError as `load_text` does, with the file's name in a note.
    """
    own = own_files().get(path.as_posix())
    try:
        udf = load_text(own["code"] if own else _read_file(path), path.stem)
    except ValueError as error:
        error.add_note(f"in the file {path}")
        raise
    except FileNotFoundError as error:
        if connected():
            error.add_note(
                "In an isolate there are the UDF's own files only: those that it imports, those that its decorator's headers "
                "name, or its folder's. To run a UDF that the host knows, load its name."
            )
        raise
    folder = path.resolve().parent
    read = _reader_of_own(path.parent.as_posix()) if own else lambda file: _inside(folder, file)
    udf.headers = _decorated_headers(udf, read)
    return udf


def load_folder(path: Path) -> Udf:
    """The UDF of a folder with a `meta.json`. Raises ValueError where that, or a file that it names, is missing or wrong."""
    if _is_own_folder(path):
        return load_described(path, _reader_of_own(path.as_posix()))
    folder = path.resolve()
    return load_described(path, lambda file: _inside(folder, file))


def load_zip(path: Path) -> Udf:
    """The UDF of a zip archive with a `meta.json`, at its top or in its only folder. Raises ValueError, FileNotFoundError,
    zipfile.BadZipFile."""
    import zipfile

    with zipfile.ZipFile(path) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
        if len(entries) > _MOST_ENTRIES:
            raise ValueError(f"Cannot load {str(path)!r}: it has {len(entries)} files; at most {_MOST_ENTRIES} are allowed")
        tops = {name.partition("/")[0] for name in entries}
        prefix = f"{min(tops)}/" if "meta.json" not in entries and len(tops) == 1 else ""

        def read(file: str) -> str | None:
            entry = entries.get(prefix + file)
            if entry is None:
                return None
            with archive.open(entry) as opened:
                return _decoded(opened.read(_MOST_BYTES + 1), f"{path}/{file}")

        return load_described(path, read)


def load_described(path: Path, read: Read) -> Udf:
    """The UDF that a `meta.json` describes. `read` gives a file beside it, or None where there is none. Raises ValueError."""
    # Its error is the client's: one that people look for.
    text = read("meta.json")
    if text is None:
        raise _missing(path / "meta.json")
    meta = json.loads(text)
    config = meta.get("job_config", meta) if isinstance(meta, dict) else None
    steps = config.get("steps", [config]) if isinstance(config, dict) else None
    if not isinstance(steps, list) or len(steps) != 1:
        found = f"len(meta.job_config.steps)={len(steps)}" if isinstance(steps, list) else "it has no job_config"
        raise ValueError(f"meta.json is not in expected format: {found}")
    described = steps[0].get("udf", steps[0]) if isinstance(steps[0], dict) else None
    if not isinstance(described, dict) or not isinstance(described.get("source"), str):
        raise ValueError("meta.json is not in expected format: its step has no udf with a source")

    def content(file: Any) -> str:
        found = read(_safe(file))
        if found is None:
            raise _missing(path / file)
        return found

    code = content(described["source"])
    given = described.get("headers") or []
    if not isinstance(given, list) or not all(isinstance(header, dict) for header in given):
        raise ValueError("meta.json is not in expected format: headers must be a list of objects")
    headers = []
    for header in given:
        name = header.get("module_name")
        headers.append(Header(module_name=name, source_code=content(header.get("source_file") or f"{name}.py")))
    entrypoint = described.get("entrypoint") or load_text(code).entrypoint
    return Udf.model_validate({**described, "code": code, "headers": headers, "entrypoint": entrypoint})


def load_body(body: Any) -> Udf:
    """The UDF in a server's answer: `udf_body` is JSON text of its fields. Raises ValueError for an answer of another form."""
    if not isinstance(body, dict) or not isinstance(body.get("udf_body"), str):
        raise ValueError(f"Cannot read the server's answer: it holds no udf_body: received {str(body)[:200]}")
    try:
        udf = Udf.model_validate_json(body["udf_body"])
    except ValidationError as error:
        error.add_note("in the server's answer")
        raise
    for header in udf.headers:
        if header.source_code is None:
            # Its file would be one of this machine, and go to the server when the UDF is run or saved there.
            raise ValueError(f"Cannot read the server's answer: the header {header.module_name!r} has no code")
        header.source_file = None
    take_place(udf, body)
    return udf


def take_place(udf: UdfFields, body: dict[str, Any]) -> None:
    """Takes over where the server says that the UDF is saved."""
    if isinstance(body.get("id"), str):
        udf.metadata = {**(udf.metadata or {}), "fused:id": body["id"]}
    for name in ("collection_id", "collection_name"):
        if isinstance(body.get(name), str):
            setattr(udf, name, body[name])


def parsed(text: str) -> ast.Module:
    """The syntax tree of a text. Raises ValueError, whose cause is the SyntaxError."""
    try:
        return parse(text)
    except SyntaxError as error:
        raise ValueError(f"Invalid Python code provided: {error}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"Invalid Python code provided: {error or 'it is nested too deep'}") from error


def _decorated_headers(udf: Udf, read: Read) -> list[Header]:
    """The modules that the decorator names, where they lie beside the file. Of others a run will say that they are missing."""
    decorators = {node.name: decorator for node, decorator in decorated_functions(parsed(udf.code))}
    named = literal_argument(decorators[udf.entrypoint], "headers")
    headers = []
    for file in named if isinstance(named, (list, tuple)) else ():
        try:
            code = read(_safe(file))
        except ValueError:
            continue
        if code is not None:
            headers.append(Header(module_name=Path(file).stem, source_code=code, source_file=file))
    return headers


def _read_file(path: Path) -> str:
    with path.open("rb") as file:
        return _decoded(file.read(_MOST_BYTES + 1), str(path))


def _inside(folder: Path, file: str) -> str | None:
    """A file of a folder; None where there is none. Raises ValueError for a link that leads out of it."""
    path = (folder / file).resolve()
    if not path.is_relative_to(folder):
        raise ValueError(f"Cannot read {file!r}: it leaves the folder {str(folder)!r}")
    return _read_file(path) if path.is_file() else None


def _is_own_folder(path: Path) -> bool:
    return any(name.startswith(f"{path.as_posix()}/") for name in own_files())


def is_folder(path: Path) -> bool:
    """Whether there is such a folder: on disk, or beside the UDF that this isolate runs."""
    return _is_own_folder(path) or path.is_dir()


def _reader_of_own(folder: str) -> Read:
    prefix = "" if folder == "." else f"{folder}/"

    def read(file: str) -> str | None:
        found = own_files().get(prefix + file)
        return None if found is None else found["code"]

    return read


def _safe(file: Any) -> str:
    if (
        not isinstance(file, str)
        or not file
        or "\\" in file
        or "\0" in file
        or file.startswith("/")
        or ":" in file
        or ".." in file.split("/")
    ):
        raise ValueError(f"Cannot use the path {file!r} in a UDF: it must lead to a file beside it")
    return file.removeprefix("./")


def _decoded(content: bytes, label: str) -> str:
    if len(content) > _MOST_BYTES:
        raise ValueError(f"Cannot read {label!r}: it is larger than {_MOST_BYTES // 2**20} MB")
    return content.decode("utf-8-sig")


def _missing(path: Path) -> ValueError:
    return ValueError(f"Expected a file to be at {path!r}. Is this the right directory to load from?")
