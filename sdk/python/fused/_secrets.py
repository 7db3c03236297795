"""`fused.secrets`: secrets that the host keeps, by name."""

import sys
from collections.abc import Iterator
from typing import Any, NoReturn

from ._host import HostError, call


class SecretNotFoundError(OSError):
    """There is no secret of that name. Where `requests` is loaded it is a `requests.HTTPError` too, as in the published client."""


class SecretsManager:
    """Secrets by attribute (`secrets.API_KEY`) or item (`secrets["API_KEY"]`).

    What is read is the value where the grant says `reveal`; else a text that stands for it. In a header's value, or in the value of
    a query's parameter, of a request to a host that was granted for the secret, the host puts the value in its place.

    Reading raises PermissionDeniedError for a secret that was not granted, SecretNotFoundError where there is none of that name.
    """

    __slots__ = ()

    def __getitem__(self, name: str) -> str:
        try:
            return call("secrets.get", name)
        except HostError as error:
            if error.code == "missing":
                raise _not_found(str(error)) from None
            raise

    def __getattr__(self, name: str) -> str:
        # What copies, prints and inspects objects asks for such names.
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return self[name]

    def __iter__(self) -> Iterator[str]:
        """The names of the secrets that this run may use."""
        return iter(call("secrets.list"))

    def __len__(self) -> int:
        return len(call("secrets.list"))

    def __contains__(self, name: object) -> bool:
        return name in call("secrets.list")

    def __dir__(self) -> list[str]:
        return call("secrets.list")

    def __setitem__(self, name: str, value: Any) -> NoReturn:
        _refuse("set", name)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        _refuse("set", name)

    def __delitem__(self, name: str) -> NoReturn:
        _refuse("delete", name)

    def __delattr__(self, name: str) -> NoReturn:
        _refuse("delete", name)

    def __repr__(self) -> str:
        return "fused.secrets"


def _refuse(verb: str, name: str) -> NoReturn:
    raise TypeError(f"A UDF cannot {verb} secrets: use `fuselet secrets {verb} {name}` on the command line")


def _not_found(message: str) -> SecretNotFoundError:
    requests = sys.modules.get("requests")
    if requests is None:
        return SecretNotFoundError(message)
    return type("SecretNotFoundError", (SecretNotFoundError, requests.HTTPError), {})(message)


secrets = SecretsManager()
