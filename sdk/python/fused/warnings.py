"""The warnings of this package. All are FusedWarning, so that one filter covers them."""

__all__ = [
    "FusedDefaultWarning",
    "FusedDeprecationWarning",
    "FusedIPythonWarning",
    "FusedIgnoredWarning",
    "FusedImportWarning",
    "FusedInProgressWarning",
    "FusedNonProductionWarning",
    "FusedOnPremWarning",
    "FusedPathWarning",
    "FusedPythonVersionWarning",
    "FusedRefreshingWarning",
    "FusedReservedWarning",
    "FusedSerializationWarning",
    "FusedTypeWarning",
    "FusedUdfWarning",
    "FusedWarning",
]


class FusedWarning(Warning):
    """Any warning of this package."""


class FusedDefaultWarning(FusedWarning):
    """A default was taken that may not be meant."""


class FusedDeprecationWarning(FusedWarning):
    """A name or an argument that is going away."""


class FusedIPythonWarning(FusedWarning):
    """Something that works differently in IPython."""


class FusedIgnoredWarning(FusedWarning):
    """An argument that has no effect."""


class FusedImportWarning(FusedWarning):
    """A library could not be imported."""


class FusedInProgressWarning(FusedWarning):
    """A job has not finished yet."""


class FusedNonProductionWarning(FusedWarning):
    """The server is not the one for production."""


class FusedOnPremWarning(FusedWarning):
    """The server is one of the user's own."""


class FusedPathWarning(FusedWarning):
    """A path that may not lead where it is meant to."""


class FusedPythonVersionWarning(FusedWarning):
    """Python's version differs from the one that is expected."""


class FusedRefreshingWarning(FusedWarning):
    """Something is being asked for again."""


class FusedReservedWarning(FusedWarning):
    """A name that is reserved."""


class FusedSerializationWarning(FusedWarning):
    """A value that cannot be written down as it is."""


class FusedTypeWarning(FusedWarning):
    """A value whose type may not be the one that is meant."""


class FusedUdfWarning(FusedWarning):
    """Something about a UDF."""
