"""User-defined functions that run in a sandbox.

    import fused

    @fused.udf
    def hello(name: str = "world"):
        return f"Hello, {name}!"
"""

from . import types
from ._cache import cache
from ._run import run
from ._udf import udf

__all__ = ["cache", "run", "types", "udf"]
