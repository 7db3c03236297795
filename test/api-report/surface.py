"""What the package has of reference.json: for each entry whether it is there, how it is written, and in what it differs. Prints JSON."""

import importlib
import inspect
import json
import os
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
KINDS = {
    inspect.Parameter.POSITIONAL_ONLY: "positional_only",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "positional",
    inspect.Parameter.KEYWORD_ONLY: "keyword_only",
    inspect.Parameter.VAR_POSITIONAL: "var_positional",
    inspect.Parameter.VAR_KEYWORD: "var_keyword",
}
MISSING = object()


def find(name: str) -> Any:
    """The object of a dotted name, or MISSING."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            if part.startswith("__") and not isinstance(found, type):
                found = type(found)
            found = getattr(found, part, MISSING) if found is not MISSING else MISSING
        return found
    return MISSING


def written(parameters: list[list]) -> str:
    """Parameters as a signature shows them, but for annotations."""
    made, has_star = [], False
    for index, (name, kind, default) in enumerate(parameters):
        if kind == "keyword_only" and not has_star:
            made.append("*")
            has_star = True
        mark = {"var_keyword": "**", "var_positional": "*"}.get(kind, "")
        has_star = has_star or kind == "var_positional"
        made.append(mark + name + (f"={default}" if default not in ("<required>", "<variadic>") else ""))
        if kind == "positional_only" and (index + 1 == len(parameters) or parameters[index + 1][1] != kind):
            made.append("/")
    return f"({', '.join(made)})"


def parameters_of(found: Any, is_method: bool) -> list[list]:
    items = list(inspect.signature(found).parameters.values())
    if is_method and items and items[0].name in ("self", "cls"):
        items = items[1:]
    made = []
    for item in items:
        kind = KINDS[item.kind]
        default = "<variadic>" if kind.startswith("var_") else "<required>" if item.default is item.empty else "..." if item.default is ... else repr(item.default)
        made.append([item.name, kind, default])
    return made


def differences_of(theirs: list[list], ours: list[list], old: list[str]) -> list[str]:
    """Parameters that are missing, other or besides; `old` are those that only the reference has, and may be there."""
    said = []
    named = {one[0]: one for one in ours}
    for name, kind, default in theirs:
        if name not in named:
            said.append(f"no `{name}`")
            continue
        if named[name][1] != kind:
            said.append(f"`{name}` is {named[name][1]}, not {kind}")
        # None: no default is known; in angle brackets: it is another one on each machine.
        is_known = default is not None and not (default.startswith("<") and default not in ("<required>", "<variadic>"))
        if is_known and named[name][2] != default:
            said.append(f"`{name}` defaults to {named[name][2]}, not {default}")
    known = [one[0] for one in theirs]
    said += [f"`{name}` besides" for name in named if name not in known and name not in old]
    order = [one[0] for one in ours if one[0] in known and one[1] != "keyword_only"]
    if not said and order != [one[0] for one in theirs if one[1] != "keyword_only"]:
        said.append("another order")
    return said


def callable_entry(entry: dict) -> dict:
    found = find(entry["name"])
    if found is MISSING:
        return {"present": False}
    try:
        ours = parameters_of(found, entry["group"] == "methods")
    except (TypeError, ValueError):
        return {"present": True, "shown": "", "differences": ["no signature"] if entry["parameters"] else []}
    said = differences_of(entry["parameters"], ours, entry.get("old", []))
    if inspect.iscoroutinefunction(found) != entry.get("async", False):
        said.append("is not async" if entry.get("async") else "is async")
    return {"present": True, "shown": written(ours), "differences": said}


def attribute_entry(entry: dict) -> dict:
    owner, _, name = entry["name"].rpartition(".")
    kind = find(owner)
    if kind is MISSING:
        return {"present": False}
    declared = getattr(kind, "model_fields", {})
    if name not in declared:
        return {"present": hasattr(kind, name) or name in getattr(kind, "__annotations__", {}), "shown": "", "differences": []}
    field = declared[name]
    factory = field.factory
    default = field.default if factory is None else factory()
    shown = "<required>" if field.is_required() else repr(default)
    wanted = entry["default"]
    is_same = wanted is None or shown == wanted or (wanted.startswith("<") and wanted != "<required>")
    return {"present": True, "shown": shown, "differences": [] if is_same else [f"the default is {shown}, not {wanted}"]}


def option_entry(entry: dict) -> dict:
    found = find(entry["name"])
    if found is MISSING:
        return {"present": False}
    wanted = entry["default"]
    # What is no Python literal depends on the machine, or is the hosted service's.
    is_known = wanted is not None and wanted[0] in "'0123456789[{NTF"
    # A folder is another one on each machine.
    shown = "<path>" if isinstance(found, Path) else repr(found) if is_known else ""
    return {"present": True, "shown": shown, "differences": [f"the default is {shown}, not {wanted}"] if is_known and shown != wanted else []}


def exception_entry(entry: dict) -> dict:
    found = find(entry["name"])
    if found is MISSING:
        return {"present": False}
    bases = [base.__name__ for base in found.__mro__]
    said = [f"it is no {base}" for base in entry["bases"] if base.rpartition(".")[2] not in bases]
    return {"present": True, "shown": "", "differences": said}


def plain_entry(entry: dict) -> dict:
    return {"present": find(entry["name"]) is not MISSING, "shown": "", "differences": []}


LOOK = {"functions": callable_entry, "methods": callable_entry, "attributes": attribute_entry, "options": option_entry,
        "exceptions": exception_entry, "classes": plain_entry, "types": plain_entry}  # fmt: skip


def main() -> None:
    warnings.simplefilter("ignore")
    # Options are those of a machine on which nothing has been set.
    os.environ["HOME"] = tempfile.gettempdir() + "/nobody"
    for name in [name for name in os.environ if name.startswith("FUSED_")]:
        del os.environ[name]
    sys.path.insert(0, str(HERE.parents[1] / "sdk" / "python"))
    entries = json.loads((HERE / "reference.json").read_text())["entries"]
    made = []
    for entry in entries:
        try:
            made.append({"name": entry["name"], "group": entry["group"], **LOOK[entry["group"]](entry)})
        except Exception as error:
            made.append({"name": entry["name"], "group": entry["group"], "present": False, "problem": f"{type(error).__name__}: {error}"})
    print(json.dumps(made))


if __name__ == "__main__":
    main()
