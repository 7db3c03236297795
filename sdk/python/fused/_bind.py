"""From the parameters of a request to the arguments of a call."""

from functools import partial
from types import FunctionType
from typing import Any

from ._coerce import annotation_of, coercer_of, keep, to_list, to_text
from ._exceptions import ParameterProblem
from ._geo import tile_value, to_bounds
from ._json import shorten

OPTION = "verbose"
"""An option of `fused.run` that clients send along: no parameter, unless the UDF declares it."""

_VAR_POSITIONAL = 0x04
_VAR_KEYWORD = 0x08
_FUTURE_ANNOTATIONS = 0x1000000


def bind(name: str, function: FunctionType, given: dict[str, Any], tile: dict | None) -> tuple[list, dict]:
    """Coerces what was given by the annotations of the function. Raises ParameterProblem."""
    code = function.__code__
    count = code.co_argcount
    positional = code.co_varnames[:count]
    names = code.co_varnames[: count + code.co_kwonlyargcount]
    if tile is not None and names:
        target = "bounds" if "bounds" in names else "bbox" if "bbox" in names else names[0]
        given = {**given, target: _TileFrame(tile)}
    if not names and not given:
        return [], {}
    annotations = _annotations(function) if given else {}
    keyword: dict[str, Any] = {}
    for key, value in given.items():
        if key in names:
            keyword[key] = None if value is None else _coerce(key, value, annotations.get(key))
        elif code.co_flags & _VAR_KEYWORD:
            keyword[key] = extra_text(value)
        elif key != OPTION:
            raise unknown_parameter(name, function.__name__, key, names)
    defaults = function.__defaults__ or ()
    keyword_defaults = function.__kwdefaults__ or {}
    required = (*positional[: count - len(defaults)], *(key for key in names[count:] if key not in keyword_defaults))
    absent = [key for key in required if key not in keyword]
    if absent:
        problem = ParameterProblem(f'Cannot run {name}: the parameter "{absent[0]}" is missing', subject=absent[0])
        from ._refused import missing

        kinds = [[key for key in absent if (key in positional) is is_positional] for is_positional in (True, False)]
        problem.raised = missing(function.__name__, *kinds)
        raise problem
    if not code.co_posonlyargcount:
        return [], keyword
    args = []
    for index in range(code.co_posonlyargcount):
        key = positional[index]
        args.append(keyword.pop(key) if key in keyword else defaults[index - count + len(defaults)])
    return args, keyword


def extra_text(value: Any) -> Any:
    """What `**kwargs` get: text of everything that has a plain one."""
    value = to_text(value)
    return str(value) if type(value) in (int, float) else value


def unknown_parameter(name: str, entrypoint: str, key: str, declared: tuple[str, ...]) -> ParameterProblem:
    """The problem of a parameter that the UDF does not declare, with those that it does."""
    import difflib

    close = difflib.get_close_matches(key, declared, n=1)
    hint = f' Did you mean "{close[0]}"?' if close else ""
    names = ", ".join(declared) if declared else "no parameters"
    problem = ParameterProblem(f'Cannot run {name}: it has no parameter "{shorten(key)}". It declares {names}.{hint}', subject=key)
    problem.raised = f"TypeError: {entrypoint}() got unexpected keyword argument '{shorten(key)}'"
    return problem


class _TileFrame:
    """A tile that becomes what the annotation of its parameter asks for."""

    __slots__ = ("tile",)

    def __init__(self, tile: dict) -> None:
        self.tile = tile


def _coerce(key: str, value: Any, annotation: Any) -> Any:
    try:
        coercer = coercer_of(annotation)
        if type(value) is _TileFrame:
            return tile_value(value.tile, to_bounds if coercer is to_list else coercer)
        return (coercer or keep)(value)
    except ImportError as error:
        raise ParameterProblem(f'Cannot read the parameter "{key}" ({_label(annotation)}): it needs the package {error.name}. '
                               f"Add {error.name} to the UDF's dependencies.", subject=key) from error  # fmt: skip
    except Exception as error:
        shown = "a tile" if type(value) is _TileFrame else shorten(repr(value))
        problem = ParameterProblem(f'Cannot read the parameter "{key}": it must be {_label(annotation)}: received {shown}'
                                   f" ({shorten(str(error), 200)})", subject=key)  # fmt: skip
        from ._refused import raised

        problem.raised = raised(value, annotation, error)
        raise problem from error


def _label(annotation: Any) -> str:
    if annotation is None:
        return "a frame"
    if isinstance(annotation, type) and not hasattr(annotation, "__origin__"):
        return annotation.__name__
    return shorten(repr(annotation).replace("typing.", "").lstrip("~"))


def _annotations(function: FunctionType) -> dict[str, Any]:
    try:
        annotations = function.__annotations__
    except NameError:
        # Python 3.14 reads annotations late; a name that exists for type checkers only makes that fail.
        import annotationlib

        annotations = annotationlib.get_annotations(function, format=annotationlib.Format.FORWARDREF)
    # Without that import an annotation that is a text is one: of what it says, little is read.
    read = annotation_of if not function.__code__.co_flags & _FUTURE_ANNOTATIONS else partial(_evaluate, function=function)
    return {key: read(text) if type(text) is str else text for key, text in annotations.items()}


def _evaluate(text: str, function: FunctionType) -> Any:
    try:
        return eval(text, function.__globals__)
    except Exception:
        # A name that exists for type checkers only.
        return annotation_of(text)
