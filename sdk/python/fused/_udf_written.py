"""Writing a UDF to disk: a folder or a zip archive of NAME.py, meta.json, README.md and a file for each header."""

import json
from pathlib import Path
from typing import IO

from ._header import file_name
from ._udf_fields import UdfFields


class WrittenUdf(UdfFields):
    """A UDF's methods that write it down. What they write can be loaded by `fused.load`, by `fuselet run` and by Fused."""

    def to_directory(self, where: str | Path | None = None, *, overwrite: bool = False) -> None:
        """Writes the UDF as a folder; default: one called like it, here. In it the function is called `udf`.

        With `overwrite` it is written over what is there; files of other names stay. Raises FileExistsError without; ValueError
        where `where` is a file, or a name in the UDF is none for a file; FileNotFoundError where the folder above is missing.
        """
        files = files_of(self)
        if where is None:
            where = file_name(self.name)
        target = Path(where)
        if target.exists() and not overwrite:
            raise FileExistsError(f"Object {target} already exists.")
        if target.exists() and not target.is_dir():
            raise ValueError(f"Cannot write the UDF to {str(target)!r}: it must be a folder, and is a file")
        target.mkdir(exist_ok=True)
        for name, content in files.items():
            (target / name).write_bytes(content.encode())

    def to_file(self, where: "str | Path | IO[bytes]", *, overwrite: bool = False) -> None:
        """Writes the UDF as a zip archive, to a path or to an open binary file.

        With `overwrite` in place of what is there. Raises FileExistsError without; ValueError where a name in the UDF is none for
        a file.
        """
        files = files_of(self)
        if not isinstance(where, str | Path):
            return _write_zip(where, files)
        target = Path(where)
        if target.exists() and not overwrite:
            raise FileExistsError(f"Object {target} already exists.")
        with target.open("wb") as file:
            _write_zip(file, files)


def files_of(udf: UdfFields) -> dict[str, str]:
    """The files that stand for a UDF, name to content. Raises ValueError for a name that is none for a file, or comes twice."""
    from ._udf_code import renamed, with_import

    name = file_name(udf.name if udf.name is not None else udf.entrypoint)
    code, entrypoint = renamed(udf.code, udf.entrypoint)
    source = f"{name}.py"
    described = udf.model_dump(mode="json")
    del described["code"]
    headers = {f"{file_name(header.module_name)}.py": header for header in udf.headers}
    if len(headers) < len(udf.headers) or source in headers:
        raise ValueError(f"Cannot write the UDF {name!r}: two of its files have the same name ({', '.join([source, *headers])})")
    described |= {
        "headers": [{"module_name": header.module_name, "source_file": file} for file, header in headers.items()],
        "entrypoint": entrypoint,
        "source": source,
    }
    step = {
        "type": "udf",
        "name": udf.name,
        "metadata": None,
        "ignore_chunk_error": False,
        "n_processes": None,
        "udf": described,
        "input": None,
    }
    meta = {"job_config": {"name": None, "steps": [step], "metadata": None}}
    return {
        "README.md": f"# {name}\n",
        "meta.json": json.dumps(meta, ensure_ascii=False, separators=(",", ":")),
        source: with_import(code),
        **{file: header.code() for file, header in headers.items()},
    }


def _write_zip(file: "IO[bytes]", files: dict[str, str]) -> None:
    import zipfile

    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
