"""pyarrow's own file systems for URLs: those of the host's storage go by fsspec, also where pyarrow could do without it."""

from collections.abc import Callable
from functools import wraps
from types import FunctionType, ModuleType
from typing import Any

from ._host import native

_SCHEMES = ("fd://", "s3://", "s3a://", "gs://", "gcs://", "file://")


class _AnyFileSystem(type):
    """The type of a class whose instances are those of its base."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.__base__)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, cls.__base__)


def _called_back(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        with native():
            return method(*args, **kwargs)

    return guarded


def patch(module: ModuleType) -> None:
    """Changes `pyarrow.fs`: what reads a text as a URL asks its `FileSystem` which file system that is.

    What Arrow's C++ asks of a file system of fsspec is marked as such.
    """
    own = module.FileSystem
    for name, method in list(vars(module.FSSpecHandler).items()):
        if isinstance(method, FunctionType) and not name.startswith("__"):
            setattr(module.FSSpecHandler, name, _called_back(method))

    class FileSystem(own, metaclass=_AnyFileSystem):
        __doc__ = own.__doc__

        @staticmethod
        def from_uri(uri: Any) -> Any:
            """The file system that a URL is of, and the path in it."""
            if not str(uri).startswith(_SCHEMES):
                return own.from_uri(uri)
            from fsspec.core import url_to_fs

            file_system, path = url_to_fs(str(uri))
            return module.PyFileSystem(module.FSSpecHandler(file_system)), path

    module.FileSystem = FileSystem
