"""The globals of a UDF's module, read as attributes of the UDF."""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ._exceptions import PermissionDeniedError
from ._source import MODULE_NAME
from ._udf_source import source_of

if TYPE_CHECKING:
    from ._udf_fields import UdfFields


def module_globals(udf: "UdfFields", fresh: bool = False) -> dict[str, Any]:
    """What the UDF's code defines; it is run once for that, with functions in place of its UDFs.

    `fresh` runs it again and lets through what it raises. Raises AttributeError where that is off, or the code raised. For a UDF that was
    loaded, the option `never_import` counts as it was then.
    """
    if not fresh:
        if not udf.import_globals or ("_is_settled" not in vars(udf) and _never_import()):
            raise AttributeError("Accessing attributes on this UDF was disabled when it was loaded.")
        if "_globals" in vars(udf):
            return vars(udf)["_globals"]
    try:
        found = vars(udf)["_globals"] = _run_module(udf)
    except PermissionDeniedError:
        raise
    except Exception as error:
        if fresh:
            raise
        raise AttributeError(f"UDF's globals failed to import: {error}") from error
    return found


def _never_import() -> bool:
    from ._options import options

    return bool(options.never_import)


def _run_module(udf: "UdfFields") -> dict[str, Any]:
    from ._udf_object import Udf

    if (host_name := udf._host_name()) is not None:
        udf = of_host(host_name)
    source = source_of(udf)
    module = ModuleType(MODULE_NAME)
    namespace = module.__dict__
    namespace["fused"] = sys.modules[__name__.partition(".")[0]]
    namespace.update(source.names)
    before = sys.modules.get(MODULE_NAME)
    # Registered, because pickle and dataclasses look a class's module up by name.
    sys.modules[MODULE_NAME] = module
    try:
        with udf._importable():
            exec(source.code, namespace)
    finally:
        if before is None:
            sys.modules.pop(MODULE_NAME, None)
        else:
            sys.modules[MODULE_NAME] = before
    for name, value in list(namespace.items()):
        if type(value) is Udf and "_function" in vars(value):
            namespace[name] = value._function
    return {name: value for name, value in namespace.items() if not name.startswith("__")}


def of_host(name: str) -> "UdfFields":
    """The UDF that the host knows by a name, with its code. Raises ValueError where that may not be read."""
    from ._header import Header
    from ._load_files import load_text
    from ._run_named import ask

    given = ask("udfs.source", name)
    udf = load_text(given["code"])
    udf.entrypoint = given["entrypoint"] or udf.entrypoint
    udf.headers = [Header(**header) for header in given["headers"]]
    return udf
