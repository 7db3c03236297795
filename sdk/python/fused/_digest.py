"""Tokens of values: bytes that are equal where type and content are, in every run. The keys of `@fused.cache` are made of them.

Identity does not count, nor does order where there is none: dicts and sets are sorted by the tokens of their items. A token ends where
it says, so tokens may stand behind each other. What no rule is for goes by what pickle would write of it.
"""

import copyreg
from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import partial
from hashlib import sha256
from json.encoder import JSONEncoder
from struct import pack
from types import BuiltinFunctionType, CodeType, FunctionType, MappingProxyType, MethodType, ModuleType
from typing import Any

from . import _digest_code, _digest_data
from ._json import with_deep_stack
from ._plain import LEAVES, plain_text, type_module, type_mro, type_name

Method = Callable[["Digester", Any], bytes]

# A level takes up to five frames of Python, and there are 3,000 of them (_json.py).
MAX_DEPTH = 250

_LONG = 256
_sorted_json = JSONEncoder(check_circular=False, sort_keys=True, separators=(",", ":")).encode


class NoTokenError(TypeError):
    """Nothing tells a value from others of its class: an open file, a lock, a generator. `class_name` is that class."""

    def __init__(self, kind: type, why: str) -> None:
        super().__init__(why)
        self.class_name = f"{type_module(kind)}.{type_name(kind)}".removeprefix("builtins.")


class Digester:
    """Makes tokens that belong together: each object is looked at once.

    `references` fills with what the functions and classes on the way refer to, by an identity and a name; those in `frozen` have the
    tokens that stand there.
    """

    __slots__ = ("_finished", "_lowest", "_open", "frozen", "references")

    def __init__(self, frozen: dict[tuple[int, str], bytes] | None = None) -> None:
        self.frozen = frozen or {}
        self.references: dict[tuple[int, str], bytes] = {}
        # By id: the level at which an object stands open around the present one.
        self._open: dict[int, int] = {}
        # By id, with the object: an id is used again once its object is gone.
        self._finished: dict[int, tuple[Any, bytes]] = {}
        # The outermost level that something in the present object refers back to.
        self._lowest = MAX_DEPTH

    def of(self, value: Any) -> bytes:
        """The token of a value. Raises NoTokenError."""
        return with_deep_stack(self.token, value)

    def token(self, value: Any) -> bytes:
        """The same, for the methods that are called on the way."""
        kind = type(value)
        leaf = _LEAVES.get(kind)
        if leaf is not None:
            return leaf(value)
        finished = self._finished.get(id(value))
        if finished is not None:
            return finished[1]
        key, level = id(value), len(self._open)
        if key in self._open:
            self._lowest = min(self._lowest, self._open[key])
            return b"^%d;" % (level - self._open[key])
        if level >= MAX_DEPTH:
            raise NoTokenError(kind, f"nested more than {MAX_DEPTH} levels deep")
        around, self._lowest = self._lowest, level
        self._open[key] = level
        try:
            token = b"#" + sha256((_METHODS.get(kind) or _find_method(kind))(self, value)).digest()
        except (NoTokenError, MemoryError):
            raise
        except Exception as error:  # of the value's own classes
            raise NoTokenError(kind, f"{type(error).__name__}: {error}") from None
        finally:
            del self._open[key]
            closed = self._lowest == level
            self._lowest = min(around, self._lowest)
        # What refers back to something around it is not walked again, or a dense graph would take forever; but it does not look the same.
        self._finished[key] = (value, token if closed else b"@" + token)
        return token

    def sequence(self, values: Iterable[Any]) -> bytes:
        """The tokens of several values."""
        return b"".join([self.token(value) for value in values])

    def reference(self, holder: Any, name: str, value: Any) -> bytes:
        """The token of what code refers to; of its class alone where the value has none. Never raises NoTokenError."""
        key = (id(holder), name)
        token = self.frozen.get(key)
        if token is None:
            try:
                token = self.token(value)
            except NoTokenError as error:
                token = b"?" + text(error.class_name)
        self.references[key] = token
        return text(name) + token


def text(value: str) -> bytes:
    """The token of a text."""
    data = value.encode("utf-8", "surrogatepass")
    return b"s%d;" % len(data) + data if len(data) < _LONG else b"S" + sha256(data).digest()


def _float(value: float) -> bytes:
    # There are many NaNs in memory, and one in Python.
    return b"d" + (b"nan....." if value != value else pack(">d", value))


def _bytes(tag: bytes, value: Any) -> bytes:
    data = bytes(value)
    return tag + (b"%d;" % len(data) + data if len(data) < _LONG else b"#" + sha256(data).digest())


_LEAVES: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda value: b"n",
    bool: lambda value: b"t" if value else b"f",
    int: lambda value: b"i%x;" % value,
    float: _float,
    complex: lambda value: b"c" + _float(value.real) + _float(value.imag),
    str: text,
    bytes: partial(_bytes, b"b"),
    bytearray: partial(_bytes, b"a"),
    type(...): lambda value: b".",
    type(NotImplemented): lambda value: b"!",
}


def _plain(digester: Digester, value: list | dict) -> bytes:
    # Whole trees in C where they are plain JSON.
    try:
        found = plain_text(value, 0)
    except RecursionError:
        found = None
    if found is not None:
        return b"j" + (_sorted_json(value) if "{" in found else found).encode()
    return _dict(digester, value) if type(value) is dict else _list(digester, value)


def _list(digester: Digester, value: list | tuple) -> bytes:
    tag = b"l" if type(value) is list else b"u"
    if set(map(type, value)) <= LEAVES:
        try:
            return tag + b"r" + repr(value).encode("utf-8", "surrogatepass")
        except ValueError:  # Python does not print integers of more than 4,300 digits
            pass
    return tag + b"%d;" % len(value) + digester.sequence(value)


def _dict(digester: Digester, value: dict) -> bytes:
    return b"m" + b"".join(sorted([digester.token(key) + digester.token(item) for key, item in value.items()]))


def _set(digester: Digester, value: Any) -> bytes:
    # Union with a built-in set reads the table itself, whatever a subclass makes of __iter__.
    items = b"".join(sorted([digester.token(item) for item in set().union(value)]))
    return b"e" + digester.token(type(value)) + items + (b"o" + digester.token(vars(value)) if hasattr(value, "__dict__") else b"")


def _memoryview(digester: Digester, value: memoryview) -> bytes:
    return b"v" + digester.token((value.format, value.shape)) + _bytes(b"b", value.tobytes())


def _by_reduction(digester: Digester, value: Any) -> bytes:
    """An object as pickle takes it to pieces: https://docs.python.org/3/library/pickle.html#object.__reduce__"""
    kind = type(value)
    reducer = copyreg.dispatch_table.get(kind)
    reduced = value.__reduce_ex__(4) if reducer is None else reducer(value)
    if type(reduced) is str:
        return b"g" + digester.sequence((kind, str(getattr(value, "__module__", None)), reduced))
    make, arguments, state, items, pairs = (*reduced, None, None, None)[:5]
    tokens = b"o" + digester.sequence((kind, make, arguments, state))
    if items is not None:
        tokens += b"l" + digester.sequence(items)
    if pairs is not None:
        found = [digester.token(key) + digester.token(item) for key, item in pairs]
        tokens += b"m" + b"".join(found if issubclass(kind, OrderedDict) else sorted(found))
    return tokens


_METHODS: dict[type, Method] = {
    list: _plain,
    tuple: _list,
    dict: _plain,
    set: _set,
    frozenset: _set,
    memoryview: _memoryview,
    MappingProxyType: lambda digester, value: b"p" + _dict(digester, dict(value)),
    type({}.keys()): lambda digester, value: b"k" + _set(digester, set(value)),
    type({}.items()): lambda digester, value: b"k" + _dict(digester, dict(value)),
    type({}.values()): lambda digester, value: b"k" + _list(digester, list(value)),
    type: _digest_code.klass,
    CodeType: _digest_code.code,
    FunctionType: _digest_code.function,
    MethodType: lambda digester, value: b"w" + digester.sequence((value.__func__, value.__self__)),
    BuiltinFunctionType: _digest_code.builtin,
    ModuleType: _digest_code.module,
    staticmethod: lambda digester, value: b"w2" + digester.token(value.__func__),
    classmethod: lambda digester, value: b"w1" + digester.token(value.__func__),
    property: lambda digester, value: b"y" + digester.sequence((value.fget, value.fset, value.fdel)),
}

# By the root of the module and the name of a class or one of its bases.
_BY_NAME: dict[tuple[str, str], Method] = {
    ("functools", "_lru_cache_wrapper"): lambda digester, value: b"w3" + digester.token(value.__wrapped__),
    ("functools", "cached_property"): lambda digester, value: b"w4" + digester.token(value.func),
    # Its parts differ by how it was put together.
    ("pathlib", "PurePath"): lambda digester, value: b"h" + digester.sequence((type(value), str(value))),
    ("numpy", "MaskedArray"): _digest_data.masked_array,
    ("numpy", "ndarray"): _digest_data.array,
    ("numpy", "generic"): _digest_data.scalar,
    ("pandas", "DataFrame"): _digest_data.frame,
    ("pandas", "Series"): _digest_data.series,
    ("pandas", "Index"): _digest_data.index,
    ("pandas", "ExtensionArray"): _digest_data.extension_array,
    ("pyarrow", "Table"): _digest_data.arrow_table,
    ("pyarrow", "RecordBatch"): _digest_data.arrow_table,
    ("pyarrow", "Array"): _digest_data.arrow_column,
    ("pyarrow", "ChunkedArray"): _digest_data.arrow_column,
    ("PIL", "Image"): _digest_data.image,
}


def _find_method(kind: type) -> Method:
    """The method for a class that is none of the built-in ones. Only the class itself counts, not what `__class__` says."""
    for base in type_mro(kind):
        if base is type:
            return _digest_code.klass
        if base is set or base is frozenset:
            return _set
        if base is ModuleType:
            return _digest_code.module
        module = type_module(base)
        method = _BY_NAME.get((module.partition(".")[0], type_name(base))) if type(module) is str else None
        if method is not None:
            return method
    return _by_reduction
