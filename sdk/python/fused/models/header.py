"""The home of headers: `fused.models.header.Header`."""

from .._header import Header

__all__ = ["Header"]
