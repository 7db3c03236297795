"""Plain classes with checked fields: what the published client has pydantic for.

    class Job(Model):
        job_id: str = field(text)

A check is a function of a value: it gives the value, converted where it says so, or raises ValueError with what the value must be.
"""

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta, timezone
from enum import Enum
from typing import Any, ClassVar, Self, dataclass_transform

from ._validation_error import ValidationError

Check = Callable[[Any], Any]

REQUIRED: Any = object()


class Field:
    """What is known of a field: how it is checked, its default, its name on the wire, whether it is shown."""

    __slots__ = ("alias", "check", "default", "factory", "shown")

    def __init__(self, check: Check, default: Any, factory: Callable[[], Any] | None, alias: str | None, shown: bool) -> None:
        self.check = check
        self.default = default
        self.factory = factory
        self.alias = alias
        self.shown = shown

    def is_required(self) -> bool:
        """Whether a value must be given."""
        return self.default is REQUIRED and self.factory is None


def field(check: Check, *, default: Any = REQUIRED, default_factory: Callable[[], Any] | None = None, alias: str | None = None,
          repr: bool = True) -> Any:  # fmt: skip
    """Declares a field of a Model. Without a default it must be given; `alias` is its other name, and the one on the wire."""
    return Field(check, default, default_factory, alias, repr)


@dataclass_transform(kw_only_default=True, field_specifiers=(field,))
class Model:
    """A class with declared fields, made by keyword. Unknown names are ignored, as by the models of the published client.

    Raises ValidationError for what is missing or wrong.
    """

    model_fields: dict[str, Field] = {}

    def __init_subclass__(cls) -> None:
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Field)}
        for name in own:
            delattr(cls, name)
        cls.model_fields = {**cls.model_fields, **own}

    def __init__(self, **values: Any) -> None:
        errors: list[dict[str, Any]] = []
        for name, known in self.model_fields.items():
            given = name if known.alias is None or known.alias not in values else known.alias
            if given not in values:
                if known.is_required():
                    errors.append({"type": "missing", "loc": (known.alias or name,), "msg": "Field required", "input": values})
                else:
                    vars(self)[name] = copy.copy(known.default) if known.factory is None else known.factory()
                continue
            try:
                vars(self)[name] = known.check(values[given])
            except ValueError as error:
                errors += _at(given, values[given], error)
        if errors:
            raise ValidationError(type(self).__name__, errors)

    @classmethod
    def model_validate(cls, value: Any) -> Self:
        """Makes one of a dict; an instance is given back as it is. Raises ValidationError."""
        if isinstance(value, cls):
            return value
        if not isinstance(value, Mapping):
            message = f"must be a dict or a {cls.__name__}"
            raise ValidationError(cls.__name__, [{"type": "model_type", "loc": (), "msg": message, "input": value}])
        return cls(**{str(name): item for name, item in value.items()})

    @classmethod
    def model_validate_json(cls, text: str | bytes) -> Self:
        """Makes one of JSON text. Raises ValidationError."""
        try:
            value = json.loads(text)
        except ValueError as error:
            problem = {"type": "json_invalid", "loc": (), "msg": f"is no JSON: {error}", "input": text}
            raise ValidationError(cls.__name__, [problem]) from None
        return cls.model_validate(value)

    def model_dump(self, *, mode: str = "python", by_alias: bool = False, exclude_none: bool = False) -> dict[str, Any]:
        """The fields as a dict, models in them too; with mode "json" only what JSON has."""
        dumped = {}
        for name, known in self.model_fields.items():
            value = getattr(self, name)
            if value is None and exclude_none:
                continue
            dumped[known.alias if by_alias and known.alias else name] = _dumped(value, mode)
        return dumped

    def model_dump_json(self, *, indent: int | None = None, by_alias: bool = False, exclude_none: bool = False) -> str:
        """The fields as JSON text."""
        dumped = self.model_dump(mode="json", by_alias=by_alias, exclude_none=exclude_none)
        return json.dumps(dumped, indent=indent, ensure_ascii=False, separators=(",", ":") if indent is None else None)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, with other values for some fields, which are not checked."""
        made = copy.deepcopy(self) if deep else copy.copy(self)
        vars(made).update(update or {})
        return made

    def __iter__(self) -> Iterator[Any]:
        """Pairs of name and value, so that `dict(model)` works."""
        return ((name, getattr(self, name)) for name in self.model_fields)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = (f"{name}={getattr(self, name)!r}" for name, known in self.model_fields.items() if known.shown)
        return f"{type(self).__name__}({', '.join(shown)})"


def _at(place: Any, value: Any, error: ValueError) -> list[dict[str, Any]]:
    """What is wrong inside of a field, or of an item."""
    if isinstance(error, ValidationError):
        return [{**inner, "loc": (place, *inner["loc"])} for inner in error.errors()]
    return [{"type": "value_error", "loc": (place,), "msg": str(error), "input": value}]


def _dumped(value: Any, mode: str) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode=mode)
    if isinstance(value, Mapping):
        return {name: _dumped(item, mode) for name, item in value.items()}
    if isinstance(value, list | tuple):
        items = [_dumped(item, mode) for item in value]
        return tuple(items) if isinstance(value, tuple) and mode == "python" else items
    if mode == "json":
        if isinstance(value, datetime | date):
            return value.isoformat().replace("+00:00", "Z")
        if isinstance(value, timedelta):
            return value.total_seconds()
        if isinstance(value, Enum):
            return value.value
    return value


def anything(value: Any) -> Any:
    """Any value."""
    return value


def text(value: Any) -> str:
    """A text, and nothing that could become one."""
    if isinstance(value, str):
        return value
    raise ValueError("must be a text")


def strict_integer(value: Any) -> int:
    """A whole number, and nothing that could become one."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError("must be a whole number")


def integer(value: Any) -> int:
    """A whole number, also as a float or a text."""
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            pass
    raise ValueError("must be a whole number")


def number(value: Any) -> float:
    """A number, also as a text; the result is a float."""
    if isinstance(value, int | float | str):
        try:
            return float(value)
        except ValueError:
            pass
    raise ValueError("must be a number")


def strict_number(value: Any) -> int | float:
    """A number, and nothing that could become one."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise ValueError("must be a number")


def strict_flag(value: Any) -> bool:
    """True or False, and nothing that could become one."""
    if isinstance(value, bool):
        return value
    raise ValueError("must be True or False")


_FLAGS = {"true": True, "t": True, "yes": True, "y": True, "on": True, "1": True,
          "false": False, "f": False, "no": False, "n": False, "off": False, "0": False}  # fmt: skip


def flag(value: Any) -> bool:
    """True or False, also as 0, 1 or a text like "yes"."""
    found = _FLAGS.get(str(value).lower()) if isinstance(value, bool | int | str) else None
    if found is None:
        raise ValueError("must be True or False")
    return found


def moment(value: Any) -> datetime:
    """A datetime, also as ISO text or as seconds since 1970 (milliseconds from 20000000000 on)."""
    if isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str):
            return datetime.fromisoformat(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if abs(value) > 2e10 else value, timezone.utc)
    except (ValueError, OverflowError, OSError):
        pass
    raise ValueError("must be a date and time")


def optional(check: Check) -> Check:
    """None, or what the check takes."""
    return lambda value: None if value is None else check(value)


def one_of(*allowed: Any) -> Check:
    """One of these values."""

    def checked(value: Any) -> Any:
        if any(type(value) is type(one) and value == one for one in allowed):
            return value
        raise ValueError(f"must be one of {', '.join(map(repr, allowed))}")

    return checked


def either(first: Check, second: Check, rule: str) -> Check:
    """What one of two checks takes; `rule` says what the value must be, for where none does."""

    def checked(value: Any) -> Any:
        for check in (first, second):
            try:
                return check(value)
            except ValueError:
                pass
        raise ValueError(rule)

    return checked


def list_of(check: Check) -> Check:
    """A list (a tuple becomes one) of what the check takes."""

    def checked(value: Any) -> list[Any]:
        if not isinstance(value, list | tuple):
            raise ValueError("must be a list")
        items, errors = [], []
        for position, item in enumerate(value):
            try:
                items.append(check(item))
            except ValueError as error:
                errors += _at(position, item, error)
        if errors:
            raise ValidationError("list", errors)
        return items

    return checked


def mapping(value: Any) -> dict[str, Any]:
    """A dict whose names are texts."""
    if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
        return dict(value)
    raise ValueError("must be a dict with texts as names")


def text_mapping(value: Any) -> dict[str, str]:
    """A dict of texts."""
    found = mapping(value)
    if all(isinstance(item, str) for item in found.values()):
        return found
    raise ValueError("must be a dict of texts")
