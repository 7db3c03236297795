"""A group of options: named values that are checked, and where each comes from."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from ._validation import Check, ValidationError, either, flag, integer, number, one_of, optional, strict_flag, text


def settings_path() -> Path:
    """The file of the saved options."""
    return Path("~/.fused/settings.toml").expanduser()


class Option(NamedTuple):
    """What is known of one option."""

    check: Check
    default: Any
    doc: str


def option(check: Check, default: Any, doc: str) -> Any:
    """Declares an option of a Group. A default that is a function is called for the value."""
    return Option(check, default, doc)


class Group:
    """Named values that are checked when they are assigned."""

    _options: dict[str, Option] = {}
    _variables = "FUSED_"
    _stored: dict[str, Any] | None = None

    def __init_subclass__(cls) -> None:
        cls._options = {name: value for name, value in vars(cls).items() if isinstance(value, Option)}
        for name in cls._options:
            delattr(cls, name)

    def __init__(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, name, value)

    def __getattr__(self, name: str) -> Any:
        """An option that nobody has assigned or asked for yet."""
        option = self._options.get(name)
        if option is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return vars(self).setdefault(name, self._found(name, option))

    def _found(self, name: str, option: Option) -> Any:
        variable = f"{self._variables}{name.upper()}"
        if variable in os.environ:
            return self._checked(name, _parsed(option.check, os.environ[variable]), f" (the environment variable {variable})")
        stored = self._read_stored()
        if name in stored:
            try:
                return self._checked(name, stored[name], "")
            except ValidationError as error:
                from warnings import warn

                warn(f"{settings_path()} is wrong, and its {name} is not used: {error}", stacklevel=4)
        return option.default() if callable(option.default) else option.default

    def _read_stored(self) -> dict[str, Any]:
        return self._stored or {}

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._options:
            problem = {"type": "no_such_attribute", "loc": (name,), "msg": f"Object has no attribute {name!r}", "input": value}
            raise ValidationError(type(self).__name__, [problem])
        vars(self)[name] = self._checked(name, value, "")

    def _checked(self, name: str, value: Any, source: str) -> Any:
        try:
            return self._options[name].check(value)
        except ValidationError as error:
            problems = [{**problem, "loc": (name, *problem["loc"])} for problem in error.errors()]
            raise ValidationError(type(self).__name__, problems) from None
        except ValueError as error:
            problem = {"type": "value_error", "loc": (name,), "msg": f"{error}{source}", "input": value}
            raise ValidationError(type(self).__name__, [problem]) from None

    def __delattr__(self, name: str) -> None:
        """Forgets what was assigned."""
        if name not in self._options:
            raise AttributeError(name)
        vars(self).pop(name, None)

    def __dir__(self) -> list[str]:
        return sorted((*self._options, *(name for name in type(self).__dict__ if not name.startswith("_"))))

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Pairs of name and value."""
        return ((name, getattr(self, name)) for name in self._options)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and list(self) == list(other)

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self)})"

    def _changed(self) -> dict[str, Any]:
        """What differs from the defaults and is not None, as TOML has it."""
        changed = {}
        for name, option in self._options.items():
            value, default = getattr(self, name), option.default() if callable(option.default) else option.default
            if isinstance(value, Group):
                value, default = value._changed(), {}
            if value is not None and value != default:
                changed[name] = str(value) if isinstance(value, Path) else value
        return changed


def _parsed(check: Check, given: str) -> Any:
    """The text of an environment variable as what its option takes."""
    if check in (text, path, folder):
        return given
    if check is strict_flag or check is optional_flag:
        try:
            return flag(given)
        except ValueError:
            return given
    if given[:1] in ("[", "{"):
        from ._json import loads

        try:
            return loads(given)
        except ValueError:
            return given
    return None if given in ("", "None") and check is not storage else given


def path(value: Any) -> Path:
    """A path, also as a text."""
    if isinstance(value, str | Path):
        return Path(value)
    raise ValueError("must be a path")


def folder(value: Any) -> Path:
    """A folder that can be written to: the temporary one in place of one that cannot."""
    found = path(value)
    return found if os.path.isdir(found) and os.access(found, os.W_OK) else temporary()


def temporary() -> Path:
    """The system's folder of temporary files."""
    from tempfile import gettempdir

    return Path(gettempdir())


def natural(value: Any) -> int:
    """A whole number that is not below 0."""
    found = integer(value)
    if found < 0:
        raise ValueError("must be 0 or greater")
    return found


def _pair(value: Any) -> tuple[float, float]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError("must be two numbers")
    return number(value[0]), number(value[1])


duration = either(number, _pair, "must be seconds: one number, or two to connect and to read")
"""Seconds."""


def group(kind: type[Group]) -> Check:
    """A group of that kind, also as a dict."""

    def checked(value: Any) -> Group:
        if isinstance(value, kind):
            return value
        if isinstance(value, dict):
            return kind(**value)
        raise ValueError(f"must be a dict or an object of {kind.__name__}")

    return checked


storage = one_of("auto", "mount", "local", "object")
"""Where kept results lie."""

optional_flag = optional(strict_flag)
"""True, False or None."""

optional_text = optional(text)
"""A text or None."""
