"""What a UDF declares, read from its source and nothing else."""

import ast
from collections.abc import Iterator
from typing import Any

from ._age import parse_age
from ._exceptions import LoadProblem
from ._json import dumps_ascii
from ._script import read_script_block
from ._source import Function, Source, decorated_functions, find_entrypoint

# The decorator's arguments under the names that the host uses.
_METADATA = {
    "name": "name",
    "cache_max_age": "cacheMaxAge",
    "engine": "engine",
    "instance_type": "instanceType",
    "disk_size_gb": "diskSizeGb",
    "region": "region",
    "default_parameters": "defaultParameters",
}
# Parameter types of ours that are given as a library's object, without an import that says so.
_TYPE_NEEDS = {"Tile": "geopandas", "TileGDF": "geopandas", "ViewportGDF": "geopandas", "Bbox": "shapely"}


def inspect_source(udf: dict[str, Any]) -> dict[str, Any]:
    """Reads a UDF as the host sends it. Raises LoadProblem.

    `cacheMaxAge` is in seconds. `imports` are the top-level names that the UDF and its headers import anywhere, with what
    the types of its parameters need; the headers' own names are left out.
    """
    source = Source(name=udf["name"], file=udf["file"], filename=f"<udf {udf['name']}>", text=udf["code"])
    tree = source.parse()
    entry = find_entrypoint(source, tree, udf.get("entrypoint"))
    source.compile(tree)
    udfs = decorated_functions(tree)
    decorator = next((item for node, item in udfs if node is entry), None)
    arguments = _literal_arguments(source, decorator)
    script = read_script_block(source)
    headers = arguments.pop("headers", [])
    return {
        "entrypoint": entry.name,
        "parameters": list(_parameters(source, entry)),
        **_requests(source, script),
        "headers": [path for path in headers if isinstance(path, str)] if isinstance(headers, (list, tuple)) else [],
        "imports": _imports(tree, entry, udf["headers"]),
        "udfs": [node.name for node, _ in udfs],
        "metadata": _metadata(source, decorator, arguments, script),
    }


def _parameters(source: Source, node: Function) -> Iterator[dict[str, Any]]:
    arguments = node.args
    positional = (*arguments.posonlyargs, *arguments.args)
    defaults = (None,) * (len(positional) - len(arguments.defaults)) + tuple(arguments.defaults)
    for item, default in zip(positional, defaults, strict=True):
        yield _parameter(source, item, default, "positional")
    if arguments.vararg is not None:
        yield _parameter(source, arguments.vararg, None, "rest")
    for item, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield _parameter(source, item, default, "keyword")
    if arguments.kwarg is not None:
        yield _parameter(source, arguments.kwarg, None, "rest")


def _parameter(source: Source, item: ast.arg, default: ast.expr | None, kind: str) -> dict[str, Any]:
    def text(node: ast.expr | None) -> str | None:
        return None if node is None else ast.get_source_segment(source.text, node) or ast.unparse(node)

    return {"name": item.arg, "annotation": text(item.annotation), "default": text(default), "kind": kind}


def _literal_arguments(source: Source, decorator: ast.expr | None) -> dict[str, Any]:
    """The decorator's arguments that are literals; the others only a run could tell."""
    found = {}
    for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
        if keyword.arg is not None:
            try:
                found[keyword.arg] = ast.literal_eval(keyword.value)
            except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                continue
    return found


def _metadata(source: Source, decorator: ast.expr | None, arguments: dict[str, Any], script: dict[str, Any]) -> dict[str, Any]:
    if "cache_max_age" in arguments:
        try:
            arguments["cache_max_age"] = parse_age(arguments["cache_max_age"])
        except ValueError as error:
            raise source.problem(str(error), decorator.lineno if decorator else None) from None
    metadata = {name: arguments[key] for key, name in _METADATA.items() if key in arguments and _is_json(arguments[key])}
    if "requires-python" in script:
        metadata["requiresPython"] = _check(source, script["requires-python"], str, "requires-python", "text")
    return metadata


def _requests(source: Source, script: dict[str, Any]) -> dict[str, Any]:
    packages = _check(source, script.get("dependencies", []), list, "dependencies", "a list of requirements")
    for item in packages:
        _check(source, item, str, "dependencies", "a list of requirements")
    tool = _check(source, script.get("tool", {}), dict, "tool", "a table")
    own = _check(source, tool.get("fuselet", {}), dict, "tool.fuselet", "a table")
    permissions = _check(source, own.get("permissions", {}), dict, "tool.fuselet.permissions", "a table")
    if not _is_json(permissions):
        raise source.problem("tool.fuselet.permissions holds a value that JSON has no form for (a date?)")
    return {"permissions": permissions, "packages": packages}


def _check(source: Source, value: Any, kind: type, name: str, rule: str) -> Any:
    if not isinstance(value, kind):
        raise source.problem(f"the block '# /// script': {name} must be {rule}: received {value!r}")
    return value


def _is_json(value: Any) -> bool:
    try:
        dumps_ascii(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _imports(tree: ast.Module, entry: Function, headers: list[dict[str, Any]]) -> list[str]:
    names = set(_imported_names(tree))
    for item in (*entry.args.posonlyargs, *entry.args.args, *entry.args.kwonlyargs):
        for node in ast.walk(item.annotation) if item.annotation else ():
            name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else None
            if name in _TYPE_NEEDS:
                names.add(_TYPE_NEEDS[name])
    for header in headers:
        try:
            names.update(_imported_names(Source(name="", file=header["file"], filename="<header>", text=header["code"]).parse()))
        except LoadProblem:  # its import will say so
            continue
    return sorted(names - {header["moduleName"].partition(".")[0] for header in headers})


def _imported_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
            if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                yield node.args[0].value.partition(".")[0]
