"""All that is known of a run that has ended."""

from enum import Enum
from typing import TYPE_CHECKING, Any

from .._validation import Model, anything, field, flag, integer, mapping, number, optional, text

if TYPE_CHECKING:
    from .udf import Udf

__all__ = ["CacheSources", "UdfEvaluationResult"]


class CacheSources(str, Enum):
    """Where a kept result came from."""

    MEMORY = "memory"
    OBJECT_STORAGE = "object_storage"


class UdfEvaluationResult(Model):
    """A run's result, its output and how it went: what `fused.core.run_shared_file` and `Udf.run_local` give."""

    data: Any = field(anything, default=None)
    """The result; None where it failed."""
    udf: "Udf | None" = field(anything, default=None)
    """What was run, where that is known and it did not fail on a server."""
    time_taken_seconds: float = field(number)
    """How long it took, in seconds."""
    stdout: str | None = field(optional(text), default=None)
    """What it printed."""
    stderr: str | None = field(optional(text), default=None)
    """What it wrote to the error stream, its traceback too."""
    has_exception: bool = field(flag, default=False)
    """Whether it failed."""
    exception_class: str | None = field(optional(text), default=None)
    """The class of the exception."""
    error_message: str | None = field(optional(text), default=None)
    """What went wrong."""
    error_lineno: int | None = field(optional(integer), default=None)
    """The line where, counted from 1."""
    error_type: str | None = field(optional(text), default=None)
    """`serialization_error` or `timeout_error` where it was one of these."""
    profile: Any = field(anything, default=None)
    """Where its time went, if that was asked for."""
    is_cached: bool = field(flag, default=False)
    """Whether it is a kept result."""
    cache_source: CacheSources | None = field(anything, default=None)
    """Where that was kept."""
    original_content: bytes | None = field(anything, default=None)
    """The body of a server's answer."""
    original_headers: dict[str, str] | None = field(optional(mapping), default=None)
    """The headers of a server's answer, names in lower case."""
    printed_stdout_len: int = field(integer, default=0)
    """How much of `stdout` was printed while it ran."""
    printed_stderr_len: int = field(integer, default=0)
    """How much of `stderr` was printed while it ran."""
