"""Tokens of code: what a function does, with the helpers, constants and headers that it refers to.

Code is what was compiled of it: comments and layout do not count. What is installed counts by its name, as the version of every package
is fixed elsewhere; what is the user's own is followed.
"""

import builtins
import sys
from functools import partial
from opcode import opmap
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING

from ._headers import HeaderFinder
from ._plain import type_module, type_mro

if TYPE_CHECKING:
    from ._digest import Digester

# What the code objects of this package are called: a prefix of all file names of ours.
_OURS = (lambda: None).__code__.co_filename.removesuffix("_digest_code.py")

_EXTENDED_ARG = opmap["EXTENDED_ARG"]
_IMPORT_NAME = opmap["IMPORT_NAME"]
# The argument's lowest bit says something else than the name. Source: https://docs.python.org/3/library/dis.html#opcode-LOAD_GLOBAL
_LOAD_GLOBAL = opmap["LOAD_GLOBAL"]
# In the body of a class.
_LOADS = {opmap[name] for name in ("LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS") if name in opmap}

_BUILTINS = frozenset(vars(builtins))
_type_qualname = type.__dict__["__qualname__"].__get__
_type_dict = type.__dict__["__dict__"].__get__

# By id, with the object, as code does not change: its token, and the names that it reads.
_tokens: dict[int, tuple[CodeType, bytes]] = {}
_names: dict[int, tuple[CodeType, tuple[str, ...], bool]] = {}


def _is_installed(filename: str) -> bool:
    return "site-packages" in filename or "/lib/python" in filename or filename.startswith((_OURS, "<frozen "))


def code(digester: "Digester", value: CodeType) -> bytes:
    """A code object, whatever its file and lines."""
    known = _tokens.get(id(value))
    if known is None:
        parts = (value.co_name, value.co_argcount, value.co_posonlyargcount, value.co_kwonlyargcount, value.co_flags, value.co_code,
                 value.co_exceptiontable, value.co_names, value.co_varnames, value.co_freevars, value.co_cellvars)  # fmt: skip
        known = _tokens[id(value)] = (value, b"x" + digester.sequence(parts) + digester.sequence(value.co_consts))
    return known[1]


def function(digester: "Digester", value: FunctionType, with_defaults: bool = True) -> bytes:
    """A function of the user's with what it refers to; another one by its name and what it wraps."""
    if _is_installed(value.__code__.co_filename):
        token = b"F" + digester.sequence((value.__module__, value.__qualname__))
        wrapped = value.__dict__.get("__wrapped__")
        return token + (_cells(digester, value) if wrapped is None else digester.token(wrapped))
    token = b"f" + digester.token(value.__code__)
    if with_defaults:
        token += digester.reference(value, "__defaults__", value.__defaults__)
        token += digester.reference(value, "__kwdefaults__", value.__kwdefaults__)
    names, imports = _names_read(value.__code__)
    scope = value.__globals__
    for name in names:
        if name in scope:
            token += digester.reference(scope, name, scope[name])
        elif name not in _BUILTINS:
            token += b"-"
    return token + _cells(digester, value) + (_headers(digester) if imports else b"")


# The root of a key: its defaults are among its arguments.
without_defaults = partial(function, with_defaults=False)


def _cells(digester: "Digester", value: FunctionType) -> bytes:
    token = b"z"
    for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
        try:
            held = cell.cell_contents
        except ValueError:  # not assigned yet
            token += b"-"
            continue
        token += digester.reference(cell, name, held)
    return token


def _names_read(value: CodeType) -> tuple[tuple[str, ...], bool]:
    """The global names that code reads, functions inside it included, and whether it imports."""
    known = _names.get(id(value))
    if known is None:
        names, imports = set(), False
        argument = 0
        steps = iter(value.co_code)
        for operation, low in zip(steps, steps, strict=True):
            argument = argument << 8 | low
            if operation == _EXTENDED_ARG:
                continue
            if operation == _LOAD_GLOBAL:
                names.add(value.co_names[argument >> 1])
            elif operation in _LOADS:
                names.add(value.co_names[argument])
            elif operation == _IMPORT_NAME:
                imports = True
            argument = 0
        for inner in value.co_consts:
            if type(inner) is CodeType:
                inner_names, inner_imports = _names_read(inner)
                names.update(inner_names)
                imports = imports or inner_imports
        found = tuple(sorted(name for name in names if not name.startswith("__")))
        known = _names[id(value)] = (value, found, imports)
    return known[1], known[2]


def _headers(digester: "Digester") -> bytes:
    """The sources of all headers: an import inside a function has not happened yet when the key is made."""
    sources = {name: finder.get_source(name) for finder in sys.meta_path if type(finder) is HeaderFinder for name in finder.names()}
    return digester.token(sources)


def klass(digester: "Digester", value: type) -> bytes:
    """A class of the user's with its bases and attributes; another one by its name."""
    name = type_module(value)
    name = name if type(name) is str else ""
    token = digester.sequence((name, _type_qualname(value)))
    file = getattr(sys.modules.get(name), "__file__", None)
    if type(file) is not str or _is_installed(file):
        return b"C" + token
    token = b"k" + token + digester.sequence((type(value), *type_mro(value)[1:]))
    for key, held in sorted(_type_dict(value).items()):
        if not key.startswith("__") or type(held) in (FunctionType, staticmethod, classmethod, property):
            token += digester.reference(value, key, held)
    return token


def builtin(digester: "Digester", value: BuiltinFunctionType) -> bytes:
    """A function in C by its name, and by what it is bound to where that is no module."""
    token = b"B" + digester.sequence((value.__module__, value.__qualname__))
    return token if type(value.__self__) is ModuleType else token + digester.token(value.__self__)


def module(digester: "Digester", value: ModuleType) -> bytes:
    """A header with all that stands in it; another module by its name."""
    scope = ModuleType.__dict__["__dict__"].__get__(value)
    file = scope.get("__file__")
    token = b"M" + digester.token(str(scope.get("__name__")))
    if type(file) is not str or _is_installed(file):
        return token
    for name in sorted(scope):
        if not name.startswith("__"):
            token += digester.reference(scope, name, scope[name])
    return token
