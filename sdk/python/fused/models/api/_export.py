"""Jobs as files, in the layout that `fused.load` reads back."""

import json
import shutil
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .job import JobConfig


def export_job(job: "JobConfig", path: Any, how: str, overwrite: bool) -> None:
    """Writes the job as a folder (`how="local"`) or an archive ("zip"). Raises FileExistsError, ValueError."""
    if how not in ("local", "zip"):
        raise ValueError("`how` must be one of 'local', or 'zip'")
    files = _files(job)
    if not isinstance(path, str | Path):
        if how == "local":
            raise ValueError("To export with `how='local'`, path must be a directory, not an open file.")
        _write_zip(path, files)
        return
    target = Path(path)
    if how == "local" and target.suffix:
        raise ValueError("To export with `how='local'`, path must be a directory, not a file.")
    if target.exists() or target.is_symlink():
        if not overwrite:
            raise FileExistsError(f"Object {path} already exists.")
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink()
    if how == "zip":
        _write_zip(target, files)
        return
    target.mkdir()
    for name, content in files.items():
        (target / name).write_text(content, encoding="utf-8")


def _write_zip(target: Any, files: dict[str, str]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def _files(job: "JobConfig") -> dict[str, str]:
    """The files, by name."""
    from ...warnings import FusedDefaultWarning

    described = job.model_dump(mode="json")
    files = {"meta.json": "", "README.md": ""}
    names, descriptions = [], []
    for step, step_described in zip(job.steps, described["steps"], strict=True):
        udf = getattr(step, "udf", None)
        if udf is None:
            names.append(f"job_{step.name or step.type}")
            continue
        names.append(f"job_{udf.name}")
        if udf.metadata:
            descriptions.append(f"{udf.metadata.get('fused:description', '')}\n\n")
        for header in udf.headers:
            files.setdefault(_file_name(header.module_name), header.source_code or "")
        file_name = _file_name(udf.name)
        if file_name in files:
            warnings.warn(FusedDefaultWarning(f"Duplicate UDF name {udf.name}. Skipping."), stacklevel=4)
        else:
            files[file_name] = f"import fused\n\n{udf.code}"
        _put_sources(step_described["udf"])
    files["README.md"] = f"# {', '.join(names)}\n\n{''.join(descriptions)}"
    files["meta.json"] = json.dumps({"job_config": described}, ensure_ascii=False, separators=(",", ":"))
    return files


def _put_sources(udf: dict[str, Any]) -> None:
    """Puts names of files in place of the code."""
    del udf["code"]
    udf["metadata"] = udf["metadata"] or {}
    udf["source"] = _file_name(udf["name"])
    for header in udf["headers"]:
        if not (header["source_file"] or "").startswith(("http", "www")):
            header["source_file"] = _file_name(header["module_name"])
        del header["source_code"]


def _file_name(name: str) -> str:
    """A name comes from whoever wrote the UDF: it must not lead out of the folder."""
    if "/" in name or "\\" in name or "\0" in name or name in ("", ".", ".."):
        raise ValueError(f"Cannot export {name!r}: it is no name of a file")
    return f"{name}.py"
