"""The key of a result that `@fused.cache` keeps: what the function does and what it was given."""

from collections.abc import Callable
from hashlib import sha256
from types import FunctionType
from typing import Any

from ._digest import Digester, NoTokenError, text
from ._digest_code import without_defaults
from ._json import with_deep_stack

# Changes whenever keys are made in another way.
_VERSION = b"fused.cache 1\n"
_VAR_POSITIONAL = 0x04
_VAR_KEYWORD = 0x08

References = dict[tuple[int, str], bytes]
"""What code refers to, by an identity and a name, with the tokens of the values."""


class KeyMaker:
    """Makes the keys of one function. `plain` is the function under its decorators, whose parameters the arguments are bound to."""

    def __init__(self, function: Callable[..., Any], plain: FunctionType | None, name: str) -> None:
        self._function = function
        self._plain = plain
        self._name = name
        # What the function itself changes while it runs, a counter or a memo: it counts as it was at first.
        self._frozen: References = {}
        # By lease: what the code referred to when the function was called.
        self._running: dict[int, References] = {}

    def key(self, args: tuple, kwargs: dict[str, Any], exclude: frozenset[str]) -> tuple[str, References]:
        """The key of a call (64 hexadecimal digits), and what the code refers to. Raises TypeError that names the parameter."""
        for before in self._running.values():  # it calls itself
            self._notice(before)
        digester = Digester(self._frozen)
        parts = [_VERSION, self._code_token(digester)]
        references = dict(digester.references)
        labelled = (_bind(self._plain, args, kwargs) if self._plain else None) or _label(args, kwargs)
        for label in sorted(labelled):
            if exclude.isdisjoint(label):
                parts += [*map(text, label), self._argument_token(digester, label, labelled[label])]
        return sha256(b"".join(parts)).hexdigest(), references

    def begin(self, lease: int, references: References) -> None:
        """Takes down that the function is about to run for a key."""
        self._running[lease] = references

    def end(self, lease: int) -> None:
        """Takes down that it has ended, and what it has changed."""
        self._notice(self._running.pop(lease))

    def _notice(self, before: References) -> None:
        digester = Digester(self._frozen)
        self._code_token(digester)
        self._frozen.update({key: token for key, token in before.items() if digester.references.get(key) != token})

    def _code_token(self, digester: Digester) -> bytes:
        if type(self._function) is FunctionType:
            token = with_deep_stack(without_defaults, digester, self._function)
        else:
            token = with_deep_stack(digester.reference, self, "function", self._function)
        return sha256(token).digest()

    def _argument_token(self, digester: Digester, label: tuple[str, str], value: Any) -> bytes:
        try:
            return digester.of(value)
        except NoTokenError as error:
            name = f"{label[0]}[{label[1]}]" if label[1] else label[0]
            raise TypeError(
                f"Cannot make a cache key for {self._name}: the parameter {name} holds an object of class {error.class_name}, which has "
                f"no content to tell it by ({error}). Leave the parameter out of the key with cache_key_exclude"
                + (", or give its class a __getstate__" if name == "self" else "")
            ) from None


def _bind(function: FunctionType, args: tuple, kwargs: dict[str, Any]) -> dict[tuple[str, str], Any] | None:
    """The arguments by their parameters, defaults included, however they were given: `(name, "")`, and for what `*args` and `**kwargs`
    take `(name, index or key)`. None for a call that does not fit: it goes on to raise, or a decorator has changed the signature."""
    code = function.__code__
    names = code.co_varnames
    count = code.co_argcount
    end = count + code.co_kwonlyargcount
    has_rest, has_extra = bool(code.co_flags & _VAR_POSITIONAL), bool(code.co_flags & _VAR_KEYWORD)
    declared = names[code.co_posonlyargcount : end]
    given = {name: value for name, value in kwargs.items() if name in declared}
    extra = {name: value for name, value in kwargs.items() if name not in declared}
    bound = dict(zip(names[:count], args, strict=False))
    if (len(args) > count and not has_rest) or (extra and not has_extra) or not bound.keys().isdisjoint(given):
        return None
    defaults = function.__defaults__ or ()
    bound = dict(zip(names[count - len(defaults) : count], defaults, strict=True)) | (function.__kwdefaults__ or {}) | bound | given
    if len(bound) < end:
        return None
    labelled = {(name, ""): value for name, value in bound.items()}
    if has_rest:
        labelled |= {(names[end], str(index)): value for index, value in enumerate(args[count:])}
    return labelled | {(names[end + has_rest], name): value for name, value in extra.items()}


def _label(args: tuple, kwargs: dict[str, Any]) -> dict[tuple[str, str], Any]:
    """The arguments as they were given."""
    return {("args", str(index)): value for index, value in enumerate(args)} | {("kwargs", name): value for name, value in kwargs.items()}
