"""`fused.secrets`: secrets that the host keeps, by name; outside of an isolate those that the server keeps."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from . import _host
from ._host import HostError, call

if TYPE_CHECKING:
    from .api.api import FusedAPI


class SecretNotFoundError(OSError):
    """There is no secret of that name. Where `requests` is loaded it is a `requests.HTTPError` too, as in the published client."""


class SecretsManager:
    """Secrets by attribute (`secrets.API_KEY`) or item (`secrets["API_KEY"]`).

    Inside an isolate, what is read is the value where the grant says `reveal`; else a text that stands for it. In a header's value, or
    in the value of a query's parameter, of a request to a host that was granted for the secret, the host puts the value in its place.

    Reading raises PermissionDeniedError for a secret that was not granted, SecretNotFoundError where there is none of that name.

    Elsewhere they are those of the server that `fused.options.base_url` names: items can be set and deleted there, too. All raise
    HTTPError where the server refuses or has no secret of that name, and RuntimeError without a server.
    """

    __slots__ = ()

    def __getitem__(self, key: str) -> str:
        if not _host.connected():
            return _api().get_secret_value(key)
        try:
            return call("secrets.get", key)
        except HostError as error:
            if error.code == "missing":
                raise _not_found(str(error)) from None
            raise

    def __getattribute__(self, key: str) -> Any:
        try:
            return object.__getattribute__(self, key)
        except AttributeError:
            # What copies, prints and inspects objects asks for such names.
            if key.startswith("__") and key.endswith("__"):
                raise
            return self[key]

    def __iter__(self) -> Iterator[str]:
        """The names of the secrets that may be used."""
        return iter(_names())

    def __len__(self) -> int:
        return len(_names())

    def __contains__(self, name: object) -> bool:
        return name in _names()

    def __dir__(self) -> list[str]:
        return _names()

    def __setitem__(self, key: str, value: str) -> None:
        if _host.connected():
            _refuse("set", key)
        _api().set_secret_value(key, value)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        if _host.connected():
            _refuse("set", name)
        raise TypeError(f"A secret is not set by attribute: use secrets[{name!r}] = …")

    def __delitem__(self, key: str) -> None:
        if _host.connected():
            _refuse("delete", key)
        _api().delete_secret_value(key)

    def __delattr__(self, name: str) -> NoReturn:
        if _host.connected():
            _refuse("delete", name)
        raise TypeError(f"A secret is not deleted by attribute: use del secrets[{name!r}]")

    def __repr__(self) -> str:
        return "fused.secrets"


class UserSecretsManager:
    """Secrets that are the user's own, whatever the team, by attribute or item; they are read on a server only.

    Reading raises HTTPError where the server refuses or has none of that name, and RuntimeError without a server.
    """

    __slots__ = ()

    def __getitem__(self, name: str) -> str:
        return _api().get_user_custom_secret(name)

    def __getattr__(self, name: str) -> str:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return self[name]

    def __iter__(self) -> Iterator[str]:
        """The names of the secrets."""
        return iter(_api().list_user_custom_secrets())

    def __len__(self) -> int:
        return len(_api().list_user_custom_secrets())

    def __dir__(self) -> list[str]:
        return _api().list_user_custom_secrets()

    def __repr__(self) -> str:
        return "fused.user_secrets"


def sign_with_secret(
    name: str,
    data: str | bytes,
    *,
    algorithm: Literal["HMAC-SHA-1", "HMAC-SHA-256", "HMAC-SHA-384", "HMAC-SHA-512", "AWS4-HMAC-SHA256"] = "HMAC-SHA-256",
    scope: str | None = None,
    key: Literal["text", "base64"] = "text",
) -> bytes:
    """Signs with a secret that the UDF does not see, such as the key of an API that wants an HMAC. For UDFs only.

    data: text (as UTF-8) or bytes, at most 1 MiB. algorithm: of HMAC, or `AWS4-HMAC-SHA256` for the signature of a "string to sign"
    with its scope (`20260131/us-east-1/s3/aws4_request`). key: whether the secret is text or bytes in base64.

    Returns the signature's bytes. Raises PermissionDeniedError for a secret that was not granted, SecretNotFoundError where there is
    none of that name, HostError for other arguments, RuntimeError outside of a UDF.
    """
    if not _host.connected():
        raise RuntimeError("Cannot sign with a secret: only a UDF that runs in an isolate can; here use `hmac` and the secret's value")
    try:
        return call("secrets.sign", name, data, {"algorithm": algorithm, "scope": scope, "key": key})
    except HostError as error:
        if error.code == "missing":
            raise _not_found(str(error)) from None
        raise


def _api() -> "FusedAPI":
    from ._global_api import get_api

    return get_api()


def _names() -> list[str]:
    return call("secrets.list") if _host.connected() else _api().list_secrets()


def _refuse(verb: str, name: str) -> NoReturn:
    raise TypeError(f"A UDF cannot {verb} secrets: use `fuselet secrets {verb} {name}` on the command line")


def _not_found(message: str) -> SecretNotFoundError:
    requests = sys.modules.get("requests")
    if requests is None:
        return SecretNotFoundError(message)
    return type("SecretNotFoundError", (SecretNotFoundError, requests.HTTPError), {})(message)


secrets: SecretsManager = SecretsManager()
user_secrets: UserSecretsManager = UserSecretsManager()
