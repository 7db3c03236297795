"""User-defined functions that run in a sandbox.

    import fused

    @fused.udf
    def hello(name: str = "world"):
        return f"Hello, {name}!"
"""

from typing import TYPE_CHECKING, Any

from ._lazy import all_names as _all_names, find_name as _find_name

if TYPE_CHECKING:
    from . import api, context, core, h3, models, types, warnings
    from ._cache import cache
    from ._datasets import find_dataset, register_dataset
    from ._download import download, file_path
    from ._exceptions import PermissionDeniedError
    from ._ingest import ingest, ingest_nongeospatial
    from ._load import load, load_async
    from ._options import options
    from ._run import run, run_async
    from ._secrets import secrets, sign_with_secret, user_secrets
    from ._submit import submit
    from ._tables_format import get_chunk_from_table, get_chunks_metadata
    from ._udf import udf

# Loaded when first asked for: the module that has each name; "" is a module itself.
_LAZY = {
    "PermissionDeniedError": "._exceptions",
    "api": "",
    "cache": "._cache",
    "context": "",
    "core": "",
    "download": "._download",
    "file_path": "._download",
    "find_dataset": "._datasets",
    "get_chunk_from_table": "._tables_format",
    "get_chunks_metadata": "._tables_format",
    "h3": "",
    "ingest": "._ingest",
    "ingest_nongeospatial": "._ingest",
    "load": "._load",
    "load_async": "._load",
    "models": "",
    "options": "._options",
    "register_dataset": "._datasets",
    "run": "._run",
    "run_async": "._run",
    "secrets": "._secrets",
    "sign_with_secret": "._secrets",
    "submit": "._submit",
    "types": "",
    "udf": "._udf",
    "user_secrets": "._secrets",
    "warnings": "",
}

__all__ = [
    "PermissionDeniedError",
    "api",
    "cache",
    "context",
    "core",
    "download",
    "file_path",
    "find_dataset",
    "get_chunk_from_table",
    "get_chunks_metadata",
    "h3",
    "ingest",
    "ingest_nongeospatial",
    "load",
    "load_async",
    "models",
    "options",
    "register_dataset",
    "run",
    "run_async",
    "secrets",
    "sign_with_secret",
    "submit",
    "types",
    "udf",
    "user_secrets",
    "warnings",
]


def __getattr__(name: str) -> Any:
    return _find_name(globals(), _LAZY, name)


def __dir__() -> list[str]:
    return _all_names(globals(), _LAZY)
