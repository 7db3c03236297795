"""`fused.context.get_global_context()`: all that a run is told about itself, and what it may ask for by the way."""

from typing import TYPE_CHECKING, Any

from . import _host

if TYPE_CHECKING:
    from ._udf import Udf


class ExecutionContext:
    """All that a run is told about itself. Read-only; the functions of `fused.context` give its parts.

    `headers` are those of the request, names in lower case; `kind` is realtime, batch or local; `recursion_factor` is how deep the run
    is nested; `share_token` is the shared token that it was asked for with; `udf_name` is what the UDF is called.
    """

    __slots__ = ("_client_id", "_email", "headers", "kind", "recursion_factor", "share_token", "udf_name")

    _client_id: str | None
    _email: str | None
    headers: dict[str, str]
    kind: str
    recursion_factor: int
    share_token: str | None
    udf_name: str | None

    def __init__(self, answer: dict[str, Any]) -> None:
        put = object.__setattr__
        put(self, "headers", {name.lower(): value for name, value in answer["headers"].items()})
        put(self, "kind", answer["kind"])
        put(self, "recursion_factor", answer["recursionFactor"])
        put(self, "share_token", answer["shareToken"])
        put(self, "udf_name", answer["udf"] and answer["udf"]["name"])
        put(self, "_client_id", answer["clientId"])
        put(self, "_email", answer["userEmail"])

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"Cannot set {name}: a run does not change what it was told")

    @property
    def in_realtime(self) -> bool:
        """Whether the run answers a request."""
        return self.kind == "realtime"

    @property
    def in_batch(self) -> bool:
        """Whether the run is part of a job."""
        return self.kind == "batch"

    @property
    def user_email(self) -> str | None:
        """As `fused.context.get_user_email`."""
        from . import context

        return self._email if _host.connected() else context.get_user_email()

    async def user_email_async(self) -> str | None:
        """The same, for an `await`."""
        return self.user_email

    @property
    def realtime_client_id(self) -> str | None:
        """As `fused.context.get_realtime_client_id`."""
        from . import context

        return self._client_id if _host.connected() else context.get_realtime_client_id()

    @property
    def execution_environment_id(self) -> str | None:
        """As `fused.context.get_execution_environment_id`."""
        from . import context

        return context.get_execution_environment_id()

    @property
    def this_udf(self) -> "Udf | None":
        """As `fused.context.this_udf`."""
        from . import context

        return context.this_udf()

    def get_nested_udf(self) -> "Udf | None":
        """The same: the innermost UDF that is running."""
        return self.this_udf

    @property
    def auth_scheme(self) -> str | None:
        """The word before the token in the header `Authorization`; None inside an isolate, and where there is no token."""
        found = _credentials()
        return found and found[0]

    @property
    def auth_token(self) -> str | None:
        """The token that requests to the server carry; None inside an isolate, and where there is none."""
        found = _credentials()
        return found and found[1]

    def auth_header(self, *, missing_ok: bool = False) -> dict[str, str]:
        """The header that says who we are. Where there is no token it is empty with `missing_ok`, else RuntimeError is raised."""
        found = _credentials()
        if found is not None:
            return {"Authorization": f"{found[0]} {found[1]}"}
        if missing_ok:
            return {}
        raise RuntimeError("There is no access token: set the environment variables FUSED_AUTH_TOKEN and FUSED_AUTH_TOKEN_TYPE")

    def get_secret(self, key: str, client_id: str | None = None) -> str:
        """As `fused.secrets[key]`; on a server for another realtime client, where one is named."""
        from ._secrets import _api, secrets

        return secrets[key] if client_id is None else _api().get_secret_value(key, client_id)

    def set_secret(self, key: str, value: str, client_id: str | None = None) -> None:
        """As `fused.secrets[key] = value`."""
        from ._secrets import _api, secrets

        if client_id is None:
            secrets[key] = value
        else:
            _api().set_secret_value(key, value, client_id)

    def delete_secret(self, key: str, client_id: str | None = None) -> None:
        """As `del fused.secrets[key]`."""
        from ._secrets import _api, secrets

        if client_id is None:
            del secrets[key]
        else:
            _api().delete_secret_value(key, client_id)

    def list_secrets(self, client_id: str | None = None) -> list[str]:
        """The names of the secrets, as `dir(fused.secrets)`."""
        from ._secrets import _api, secrets

        return list(secrets) if client_id is None else _api().list_secrets(client_id)

    def get_user_secret(self, key: str) -> str:
        """As `fused.user_secrets[key]`."""
        from ._secrets import user_secrets

        return user_secrets[key]

    def list_user_secrets(self) -> list[str]:
        """The names of the user's own secrets, as `dir(fused.user_secrets)`."""
        from ._secrets import user_secrets

        return list(user_secrets)

    def __repr__(self) -> str:
        return f"ExecutionContext(kind={self.kind!r}, udf_name={self.udf_name!r}, recursion_factor={self.recursion_factor})"


def _credentials() -> tuple[str, str] | None:
    if _host.connected():
        return None
    from ._server.credentials import credentials

    return credentials()
