"""The source that a run of a UDF object executes."""

import ast
import linecache
from types import FunctionType
from typing import TYPE_CHECKING, Any

from ._exceptions import LoadProblem
from ._source import Source, Spelling, declared_parameters, find_entrypoint, known

if TYPE_CHECKING:
    from ._udf_fields import UdfFields

# The global under which a run's module holds the source that it was made of.
_SOURCE = "__udf_source__"


def unwrap(function: Any) -> FunctionType | None:
    """The plain function under decorators that keep to `functools.wraps`, or None."""
    for _ in range(100):
        if type(function) is FunctionType and not hasattr(function, "__wrapped__"):
            return function
        if not hasattr(function, "__wrapped__"):
            return None
        function = getattr(function, "__wrapped__", None)
    return None


def whole_source(function: FunctionType) -> Source | None:
    """The source that was loaded here and that holds the function, or None for one of an ordinary module."""
    filename = function.__code__.co_filename
    source = function.__globals__.get(_SOURCE)
    return source if type(source) is Source and source.filename == filename else known.get(filename)


def is_whole_module(function: FunctionType) -> bool:
    """Whether the function stands at the top of a source that was loaded here, so that its run executes all of it."""
    return _module_of(function) is not None


def _module_of(function: FunctionType) -> Source | None:
    return whole_source(function) if "<locals>" not in function.__qualname__ else None


def source_of(udf: "UdfFields") -> Source:
    """What a run of the UDF executes: the whole file for a UDF at the top of a loaded one, else its own text.

    Raises ValueError for code that is no usable UDF, OSError where the text of a decorated function is not there any more.
    """
    # Kept, because a pool runs one UDF many times; an assignment to its code forgets it.
    kept = vars(udf).get("_source")
    if kept is None:
        kept = vars(udf)["_source"] = _make_source(udf)
    else:
        # Another UDF may have had the same file name meanwhile.
        kept.show_lines()
    return kept


def _make_source(udf: "UdfFields") -> Source:
    decorated = vars(udf).get("_function")
    if decorated is None:
        return _text_source(udf)
    function = unwrap(decorated)
    if function is None:
        raise TypeError(f"Cannot run {udf.name}: it must be a plain function or one wrapped by functools.wraps")
    name = udf.name or udf.entrypoint
    if (whole := _module_of(function)) is not None:
        source = Source(name=name, file=whole.file, filename=whole.filename, text=whole.text)
        source.entrypoint = function.__name__
        source.code = whole.code
        source.names = {_SOURCE: whole}
        return source
    from ._udf_code import annotation_names

    whole, tree, node = _surroundings(name, function)
    # The whole file's name, lines and line numbers, for tracebacks; but only the function's own code.
    source = Source(name=name, file=whole.file, filename=whole.filename, text=whole.text)
    source.entrypoint = node.name
    spelling = Spelling(tree)
    # Its name is a UDF inside of it, too, so that it can run itself; the decorator's arguments are those of the object that is run.
    node.decorator_list = [_bare(item) if spelling.is_udf(item) else item for item in node.decorator_list]
    source.compile(ast.Module([node], []))
    source.names = annotation_names(node, function)
    return source


def _bare(decorator: Any) -> Any:
    bare = ast.Attribute(ast.Name("fused", ast.Load()), "udf", ast.Load())
    return ast.fix_missing_locations(ast.copy_location(bare, decorator))


def code_of(function: Any, name: str, with_headers: bool) -> str:
    """The text of a decorated function: its own, or that of the whole file for one at the top of a loaded one.

    Raises OSError where its text is not there any more, TypeError for what is no function.
    """
    plain = unwrap(function)
    if plain is None:
        raise TypeError(f"Cannot read {name}: it must be a plain function or one wrapped by functools.wraps")
    if (whole := _module_of(plain)) is not None:
        return whole.text
    from ._udf_code import own_text

    whole, tree, node = _surroundings(name, plain)
    return own_text(whole.text, tree, node, plain, with_headers)


def positional_parameters(udf: "UdfFields") -> list[str]:
    """The names of the parameters that may be given by their place. Raises ValueError for code that is no usable UDF, or may not be read."""
    if (host_name := udf._host_name()) is not None:
        from ._udf_globals import of_host

        udf = of_host(host_name)
    function = unwrap(vars(udf).get("_function"))
    if function is not None:
        return list(function.__code__.co_varnames[: function.__code__.co_argcount])
    try:
        source = Source(name=udf.name or udf.entrypoint, file="udf.py", filename="<udf>", text=udf.code)
        arguments = find_entrypoint(source, source.parse(), udf.entrypoint).args
    except LoadProblem as problem:
        raise ValueError(problem.message) from None
    return [item.arg for item in (*arguments.posonlyargs, *arguments.args)]


def _surroundings(name: str, function: FunctionType) -> tuple[Source, ast.Module, Any]:
    from ._udf_code import find_function

    filename = function.__code__.co_filename
    whole = whole_source(function)
    if whole is None and (text := "".join(linecache.getlines(filename, function.__globals__))):
        whole = Source(name=name, file=filename, filename=filename, text=text)
    tree = whole.parse() if whole else ast.Module([], [])
    node = find_function(tree, function)
    if whole is None or node is None:
        raise OSError(f"Cannot run {name}: its source text is not there, or it is a lambda")
    return whole, tree, node


def _text_source(udf: "UdfFields") -> Source:
    name = udf.name or udf.entrypoint
    # What tracebacks show. The file that this isolate runs keeps its name to itself.
    filename = f"<udf {udf.entrypoint}>"
    if filename in known:
        filename = f"<loaded udf {udf.entrypoint}>"
    try:
        source = Source(name=name, file=f"{name}.py", filename=filename, text=udf.code)
        tree = source.parse()
        node = find_entrypoint(source, tree, udf.entrypoint)
        source.entrypoint = node.name
        source.declared = declared_parameters(node, Spelling(tree))
        source.compile(tree)
    except LoadProblem as problem:
        raise ValueError(problem.message) from None
    # Its siblings run with the whole of it, too.
    source.names = {_SOURCE: source}
    return source
