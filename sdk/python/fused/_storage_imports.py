"""Puts libraries on the host's storage when they are imported."""

from types import ModuleType


def patch(module: ModuleType) -> None:
    """Changes `fsspec`, or `pandas.io.common`, once it is loaded."""
    if module.__name__ == "fsspec":
        from ._storage_fsspec import FILE_SYSTEMS

        for file_system in FILE_SYSTEMS:
            for protocol in file_system.protocol:
                module.register_implementation(protocol, file_system, clobber=True)
    else:
        # Of all schemes, it gives these to urllib, which would look in the isolate.
        module._VALID_URLS.discard("file")
