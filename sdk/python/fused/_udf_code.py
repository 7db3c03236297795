"""The text of a UDF's code: cut out of the file around it, and changed without losing its comments."""

import ast
import re
from io import StringIO
from types import FunctionType, ModuleType
from typing import Any

from ._source import Function, Spelling, parse, top_level

# Annotations are evaluated when the function is made; these libraries' names are carried over for them.
_ANNOTATION_MODULES = ("pandas", "geopandas", "shapely", "datetime", "uuid", "fused", "typing")


def find_function(tree: ast.Module, function: FunctionType) -> Function | None:
    """The node that a function was made of."""
    # A code object's first line is that of the first decorator.
    return next((item for item in ast.walk(tree) if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef))
                 and item.name == function.__name__ and _first_line(item) == function.__code__.co_firstlineno), None)  # fmt: skip


def own_text(text: str, tree: ast.Module, node: Function, function: FunctionType, with_headers: bool) -> str:
    """A function's text with its decorators, moved to the left, under the imports that its annotations need.

    The decorator is written `fused.udf`, whatever the file calls it; with headers, without all arguments but `cache_max_age`.
    """
    spelling = Spelling(tree)
    edits: list[tuple[ast.expr, str]] = []
    for item in node.decorator_list:
        if spelling.is_udf(item):
            target = item.func if isinstance(item, ast.Call) else item
            if with_headers and isinstance(item, ast.Call):
                kept = [
                    f"cache_max_age={ast.unparse(keyword.value)}" for keyword in item.keywords if keyword.arg == "cache_max_age"
                ]
                edits.append((item, f"fused.udf({', '.join(kept)})"))
            elif ast.unparse(target) != "fused.udf":
                edits.append((target, "fused.udf"))
    lines = _lines(text)
    start, end = _first_line(node), node.end_lineno or node.lineno
    for item, new in sorted(edits, key=lambda edit: edit[0].lineno, reverse=True):
        last = item.end_lineno or item.lineno
        head = lines[item.lineno - 1].encode()[: item.col_offset].decode()
        tail = lines[last - 1].encode()[item.end_col_offset :].decode()
        lines[item.lineno - 1 : last] = [head + new + tail]
        end -= last - item.lineno
    own = _dedented("".join(lines[start - 1 : end])).rstrip("\r\n")
    if not _parses(own):
        # Texts over several lines that begin further left than the function.
        own = ast.unparse(node)
    imports = _annotation_imports(node, function)
    return "\n".join((*imports, "", own)) if imports else own


def annotation_names(node: Function, function: FunctionType) -> dict[str, Any]:
    """The names in the function's annotations that are carried over, with what they stand for."""
    found = {}
    for annotation in _annotations(node):
        for item in ast.walk(annotation):
            if isinstance(item, ast.Name) and item.id in function.__globals__ and item.id not in found:
                value = function.__globals__[item.id]
                home = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
                if str(home).partition(".")[0] in _ANNOTATION_MODULES:
                    found[item.id] = value
    return found


def renamed(text: str, entrypoint: str) -> tuple[str, str]:
    """The text with its entrypoint called `udf`, and the entrypoint's name in it.

    Where the text goes on to use the old name, that becomes another name of the function. The name stays where `udf` is taken.
    """
    tree = parse(text)
    functions = [item for item in top_level(tree.body) if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef))]
    node = next((item for item in reversed(functions) if item.name == entrypoint), None)
    taken = any(item.name == "udf" for item in functions) or any(
        isinstance(item, ast.Name) and item.id == "udf" for item in ast.walk(tree)
    )
    if entrypoint == "udf" or node is None or taken:
        return text, entrypoint
    lines = _lines(text)
    line = lines[node.lineno - 1].encode()
    head, rest = line[: node.col_offset].decode(), line[node.col_offset :].decode()
    lines[node.lineno - 1] = head + re.sub(rf"(def\s+){re.escape(entrypoint)}", r"\1udf", rest, count=1)
    if any(isinstance(item, ast.Name) and item.id == entrypoint for item in ast.walk(tree)):
        end = node.end_lineno or node.lineno
        last = lines[end - 1]
        lines[end - 1] = last + ("" if last.endswith(("\n", "\r")) else "\n") + f"{head}{entrypoint} = udf\n"
    return "".join(lines), "udf"


def with_import(text: str) -> str:
    """The text with `import fused` first, or behind what has to stand before it; as it is where that is so already."""
    tree = parse(text)
    body = list(tree.body)
    futures = [item for item in body if isinstance(item, ast.ImportFrom) and item.module == "__future__"]
    after = body[body.index(futures[-1]) + 1 :] if futures else body
    first = after[0] if after else None
    if isinstance(first, ast.Import) and any(name.name == "fused" and name.asname is None for name in first.names):
        return text
    if not futures:
        return f"import fused\n\n{text}"
    lines = _lines(text)
    lines.insert(futures[-1].end_lineno or futures[-1].lineno, "import fused\n")
    return "".join(lines)


def _lines(text: str) -> list[str]:
    """The lines as the parser counts them, with their ends: a form feed or a Unicode separator ends none."""
    return list(StringIO(text, newline=""))


def _first_line(node: Function) -> int:
    return min(part.lineno for part in (node, *node.decorator_list))


def _dedented(text: str) -> str:
    import textwrap

    return textwrap.dedent(text)


def _parses(text: str) -> bool:
    try:
        parse(text)
    except SyntaxError:
        return False
    return True


def _annotations(node: Function) -> list[ast.expr]:
    arguments = node.args
    declared = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
    found = [item.annotation for item in declared if item is not None and item.annotation is not None]
    return [*found, node.returns] if node.returns is not None else found


def _annotation_imports(node: Function, function: FunctionType) -> list[str]:
    lines = []
    for name, value in annotation_names(node, function).items():
        if isinstance(value, ModuleType):
            module = value.__name__
            if module != "fused":
                lines.append(f"import {module}" if module == name else f"import {module} as {name}")
        else:
            own_name = getattr(value, "__name__", None) or getattr(value, "_name", None) or name
            lines.append(f"from {value.__module__} import {own_name}" + ("" if own_name == name else f" as {name}"))
    return lines
