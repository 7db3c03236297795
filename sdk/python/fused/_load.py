"""`fused.load`: from what somebody wrote down to a UDF object."""

from pathlib import Path
from typing import Any

from ._load_files import is_folder, load_file, load_folder, load_text, load_zip
from ._load_server import Asking, drive, drive_async, github_udf, is_hosts, is_token, saved_udf, token_udf
from ._options import options
from ._udf_object import Udf


def load(url_or_udf: str | Path, /, *, cache_key: Any = None, import_globals: bool = True,
         collection_name: str | None = None) -> Udf:  # fmt: skip
    """Loads a UDF. Nothing of it is run here.

    Args:
        url_or_udf: the first of these that fits: an address that begins with https://github.com (the server or the host reads it);
            text with a line end is code; a path that ends in .py or .zip; a folder that `to_directory` wrote; a shared token; a name
            of yours, an id, `user/name` or `team/name` on the server. Inside an isolate paths are the UDF's own files first, and
            without a server a token or name is one that the host knows; the object then runs there, and its code is read when it
            is needed here: for its globals, and for parameters that are given by their place.
        cache_key: is taken and ignored: a UDF is read each time.
        import_globals: whether globals of its module may be read as attributes, which runs its code once.
        collection_name: the collection of a saved UDF; default: "default".

    Gives an awaitable where `fused.options.pyodide_async_requests` is set. Raises ValueError for code that is no UDF or of which
    the UDF is not clear, FileNotFoundError, HTTPError where the server refuses, ServerNotConfiguredError where it takes one and
    none is configured.
    """
    if options.pyodide_async_requests:
        # What is declared is what almost everybody gets.
        awaited: Any = load_async(url_or_udf, import_globals=import_globals, collection_name=collection_name)
        return awaited
    found = _find(url_or_udf, collection_name)
    return _finished(found if isinstance(found, Udf) else drive(found), import_globals)


async def load_async(url_or_udf: str | Path, /, *, cache_key: Any = None, import_globals: bool = True,
                     collection_name: str | None = None) -> Udf:  # fmt: skip
    """The same as `load`, without blocking while the server is asked."""
    found = _find(url_or_udf, collection_name)
    return _finished(found if isinstance(found, Udf) else await drive_async(found), import_globals)


def _find(url_or_udf: str | Path, collection_name: str | None) -> Udf | Asking:
    text = str(url_or_udf)
    if text.startswith("https://github.com"):
        return github_udf(text)
    if isinstance(url_or_udf, str) and ("\n" in text or "\r" in text):
        return load_text(text)
    path = Path(url_or_udf)
    if path.suffix == ".py":
        return load_file(path)
    if path.suffix == ".zip":
        return load_zip(path)
    if is_folder(path):
        return load_folder(path)
    if not isinstance(url_or_udf, str):
        if not path.exists():
            raise FileNotFoundError(text)
        raise ValueError(f"Cannot load {text!r}: a UDF is a folder, or a file that ends in .py or .zip")
    if is_hosts():
        return Udf._of_name(text)
    if is_token(text):
        return token_udf(text)
    return saved_udf(text, collection_name)


def _finished(udf: Udf, import_globals: bool) -> Udf:
    udf.import_globals = import_globals and not options.never_import
    vars(udf)["_is_settled"] = True
    return udf
