"""UDFs by name."""

from typing import Any


class UdfRegistry(dict[str, Any]):
    """A dict of UDFs by name; a name that is an identifier works as an attribute, too."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"There is no UDF {name!r}: there are {', '.join(self) or 'none'}") from None

    def __dir__(self) -> list[str]:
        return sorted(map(str, self))
