"""What is wrong with the values that a class was given."""

from typing import Any


class ValidationError(ValueError):
    """Values that a class does not take. `errors()` lists what is wrong with which field."""

    def __init__(self, title: str, errors: list[dict[str, Any]]) -> None:
        self.title = title
        self._errors = errors
        lines = [f"{len(errors)} validation error{'s' * (len(errors) > 1)} for {title}"]
        for error in errors:
            lines.append(".".join(map(str, error["loc"])) or title)
            given = "" if error["type"] == "missing" else f": received {_shown(error['input'])}"
            lines.append(f"  {error['msg']}{given}")
        super().__init__("\n".join(lines))

    def errors(self) -> list[dict[str, Any]]:
        """One dict an error: `loc` (a tuple of names and positions), `msg`, `input` and `type`."""
        return [dict(error) for error in self._errors]

    def error_count(self) -> int:
        """How many there are."""
        return len(self._errors)


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 100 else f"{shown[:60]}…{shown[-30:]}"
