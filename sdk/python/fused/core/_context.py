"""What `fused.context.get_global_context()` gives, under the name that the published client has for it."""

from .._execution_context import ExecutionContext as ExecutionContextProtocol

__all__ = ["ExecutionContextProtocol"]
