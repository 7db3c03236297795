"""A UDF's source: parsed, checked and compiled, never run here."""

import ast
import linecache
import sys
import warnings
from _thread import allocate_lock
from collections.abc import Iterator
from typing import Any

from ._exceptions import LoadProblem
from ._json import shorten

Function = ast.FunctionDef | ast.AsyncFunctionDef

# Before Python 3.13 syntax trees that two threads make disturb each other ("AST constructor recursion depth mismatch").
_one_at_a_time = allocate_lock()


def parse(text: str, filename: str = "<unknown>") -> ast.Module:
    """`ast.parse`, also in threads, without warnings: a stray backslash is no reason to write to anybody's stderr."""
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        warnings.simplefilter("ignore", DeprecationWarning)  # what it is in Python 3.11
        return ast.parse(text, filename)


class Source:
    """A compiled source file. `filename` is what tracebacks show, `file` what the user called it."""

    __slots__ = ("code", "declared", "entrypoint", "file", "filename", "headers", "name", "names", "text")

    def __init__(self, *, name: str, file: str, filename: str, text: str) -> None:
        self.name = name
        self.file = file
        self.filename = filename
        self.text = text.removeprefix("\ufeff")
        self.entrypoint = ""
        # The entrypoint's parameters where they can be read off (no foreign decorator, no **kwargs); else None.
        self.declared: tuple[str, ...] | None = None
        # The paths that the entrypoint's decorator names as headers.
        self.headers: tuple[str, ...] = ()
        # What is put into the namespace before the code runs.
        self.names: dict[str, Any] = {}
        self.show_lines()

    def show_lines(self) -> None:
        """Gives the lines to linecache, so that every traceback shows them. No time stamp: such entries are never checked."""
        linecache.cache[self.filename] = (len(self.text), None, self.text.splitlines(keepends=True), self.filename)

    def parse(self) -> ast.Module:
        """Parses the text. Raises LoadProblem with file and line."""
        try:
            return parse(self.text, self.filename)
        except SyntaxError as error:
            raise self._syntax_problem(error) from None
        except UnicodeEncodeError as error:
            line = self.text.count("\n", 0, error.start) + 1
            raise self.problem("the text holds half a surrogate pair, which is no character", line) from None
        except ValueError as error:
            line = self.text.count("\n", 0, max(self.text.find("\0"), 0)) + 1
            raise self.problem(str(error), line) from None
        except (RecursionError, MemoryError):
            raise self.problem("the source is nested too deep to be parsed") from None

    def compile(self, tree: ast.Module) -> None:
        """Compiles the parsed text into `code`. Raises LoadProblem with file and line."""
        try:
            with _one_at_a_time, warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)
                warnings.simplefilter("ignore", DeprecationWarning)
                self.code = compile(tree, self.filename, "exec", dont_inherit=True)
        except SyntaxError as error:
            raise self._syntax_problem(error) from None
        except ValueError as error:
            raise self.problem(str(error)) from None
        except RecursionError:
            raise self.problem("the source is nested too deep to be compiled") from None

    def problem(self, message: str, line: int | None = None) -> LoadProblem:
        """Makes a LoadProblem that names the file, and the line and its text where there is one."""
        where = self.file if line is None else f"{self.file}, line {line}"
        lines = self.text.splitlines()
        if line is not None and 0 < line <= len(lines) and (shown := lines[line - 1].strip()):
            message = f"{message}\n    {shorten(shown, 200)}"
        return LoadProblem(f"{where}: {message}", file=self.file, line=line)

    def _syntax_problem(self, error: SyntaxError) -> LoadProblem:
        line = error.lineno
        if "null bytes" in error.msg:
            line = self.text.count("\n", 0, max(self.text.find("\0"), 0)) + 1
        problem = self.problem(error.msg, line if line and line > 0 else None)
        problem.raised = f"{type(error).__name__}: {error}"
        return problem


def top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when the module does, those under `if`, `try` and `with` included."""
    for statement in body:
        yield statement
        if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for field in ("body", "orelse", "finalbody"):
                yield from top_level(getattr(statement, field, []))
            for handler in getattr(statement, "handlers", []):
                yield from top_level(handler.body)


class Spelling:
    """Under which names a source knows `fused` and `fused.udf`."""

    def __init__(self, tree: ast.Module) -> None:
        # The driver puts `fused` into the namespace, so the import may be left out.
        self.modules = {"fused"}
        self.names: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                self.modules.update(name.asname or "fused" for name in node.names if name.name == "fused")
            elif isinstance(node, ast.ImportFrom) and node.module == "fused" and node.level == 0:
                for name in node.names:
                    if name.name in ("udf", "*"):
                        self.names.add(name.asname or "udf")

    def is_udf(self, decorator: ast.expr) -> bool:
        """Whether a decorator is `fused.udf`, bare or called."""
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(target, ast.Attribute):
            return target.attr == "udf" and isinstance(target.value, ast.Name) and target.value.id in self.modules
        return isinstance(target, ast.Name) and target.id in self.names


def decorated_functions(tree: ast.Module) -> list[tuple[Function, ast.expr]]:
    """The module's functions under `@fused.udf`, each with that decorator."""
    spelling = Spelling(tree)
    found = []
    for node in top_level(tree.body):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            decorator = next((item for item in node.decorator_list if spelling.is_udf(item)), None)
            if decorator is not None:
                found.append((node, decorator))
    return found


def find_entrypoint(source: Source, tree: ast.Module, wanted: str | None) -> Function:
    """The function to run: the wanted one, else the only decorated one, else the one called `udf`. Raises LoadProblem."""
    functions = [node for node in top_level(tree.body) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    if wanted is not None:
        named = [node for node in functions if node.name == wanted]
        if named:
            return named[-1]
        names = ", ".join(dict.fromkeys(node.name for node in functions)) or "none"
        raise source.problem(f"there is no function {wanted} at module level (functions: {names})")
    udfs = [node for node, _ in decorated_functions(tree)]
    if len(udfs) == 1:
        return udfs[0]
    if udfs:
        if main := [node for node in udfs if node.name == "udf"]:
            return main[-1]
        names = ", ".join(f"{node.name} (line {node.lineno})" for node in udfs)
        raise source.problem(f"several functions have @fused.udf, and none of them is called udf: {names}. "
                             "Name the entrypoint, or call the main one udf.")  # fmt: skip
    if functions:
        plain = next((node for node in functions if node.name == "udf"), functions[-1])
        raise source.problem(f"no function has @fused.udf. Write it in the line before def {plain.name}.", plain.lineno)
    raise source.problem("there is no UDF. Write a function with @fused.udf in the line before it:\n"
                         "    @fused.udf\n    def udf(): ...")  # fmt: skip


def declared_parameters(node: Function, spelling: Spelling) -> tuple[str, ...] | None:
    """The names that may be passed, or None where only a run can tell."""
    if node.args.kwarg is not None or not all(spelling.is_udf(item) for item in node.decorator_list):
        return None
    arguments = node.args
    return tuple(item.arg for item in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs))


def literal_argument(decorator: ast.expr, name: str) -> Any:
    """An argument of a decorator where it is a literal, else None."""
    for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
        if keyword.arg == name:
            try:
                return ast.literal_eval(keyword.value)
            except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                return None
    return None


def load_source(name: str, file: str, text: str, entrypoint: str | None) -> Source:
    """Parses, checks and compiles a UDF. Raises LoadProblem."""
    source = Source(name=name, file=file, filename=f"<udf {name}>", text=text)
    tree = source.parse()
    node = find_entrypoint(source, tree, entrypoint)
    source.entrypoint = node.name
    source.declared = declared_parameters(node, Spelling(tree))
    decorator = next((item for found, item in decorated_functions(tree) if found is node), None)
    headers = None if decorator is None else literal_argument(decorator, "headers")
    source.headers = tuple(path for path in headers if isinstance(path, str)) if isinstance(headers, (list, tuple)) else ()
    source.compile(tree)
    known[source.filename] = source
    return source


# What this interpreter has loaded, by the file name in code objects: a nested run looks its source up here.
known: dict[str, Source] = {}


def forget_sources() -> None:
    """Drops everything that an earlier `load_source` left."""
    for filename in known:
        linecache.cache.pop(filename, None)
    known.clear()
    sys.modules.pop(MODULE_NAME, None)


MODULE_NAME = "__udf__"
"""The name of a UDF's module while it runs: no header module and no package is called so."""
