"""The exceptions of kept results, under the names that the published client has for them."""

__all__ = ["CacheResultError", "LockError"]


class CacheResultError(Exception):
    """A kept result cannot be read, or be written."""


class LockError(Exception):
    """The lock of a kept result cannot be had."""
