"""The exceptions of kept results, and where these lie, under the names that the published client has for them."""

from typing import Literal

__all__ = ["CacheResultError", "LockError", "StorageStr"]

StorageStr = Literal["auto", "mount", "local", "object"]
"""Where results are kept."""


class CacheResultError(Exception):
    """A kept result cannot be read, or be written."""


class LockError(Exception):
    """The lock of a kept result cannot be had."""
