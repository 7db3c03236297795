"""User-defined functions that run in a sandbox.

    import fused

    @fused.udf
    def hello(name: str = "world"):
        return f"Hello, {name}!"
"""

from . import context, types
from ._cache import cache
from ._download import download, file_path
from ._exceptions import PermissionDeniedError
from ._run import run
from ._secrets import secrets
from ._udf import udf

__all__ = ["PermissionDeniedError", "cache", "context", "download", "file_path", "run", "secrets", "types", "udf"]
