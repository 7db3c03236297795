"""Who we are to a server, and what it keeps for us: secrets, UDFs, logs, session tokens."""

import builtins
import datetime
import warnings
from typing import Any, Literal
from urllib.parse import quote

from .. import _host, context
from .._options import options
from .._server.server import ServerNotConfiguredError
from ..models._udf_registry import UdfRegistry
from ..models.api.collection import AccessScope, Collection, SessionToken, SharedUdfUrl
from ..warnings import FusedWarning
from ._connection import Connection, in_path

_UDFS_A_PAGE = 300


class AccountApi(Connection):
    """The part of FusedAPI for the user."""

    def _whoami(self) -> Any:
        """What the server knows of the user: `email`, `handle`, `execution_environment_id` …

        Inside a UDF it is who is signed in to the run, unless a server's address is set there: it takes no token, and the UDF has none.
        """
        if self._base_url is None and not options.base_url and _host.connected():
            found = context.user_of_run()
            if found is None:
                raise ServerNotConfiguredError(
                    "Cannot say who you are: nobody is signed in to this run, which was asked for by a link or runs on no server"
                )
            return found
        return self._call("GET", "user/self")

    def _team_info(self) -> Any:
        return self._call("GET", "execution-env/self")

    def auth_token(self) -> str:
        """The token of the user's team."""
        return self._call("GET", "execution-env/token")

    def get_secret_value(self, key: str, client_id: str | None = None) -> str:
        """The value of a secret. Raises HTTPError (404) where there is none of that name."""
        return self._call("GET", self._secret_path(key, client_id))

    def set_secret_value(self, key: str, value: str, client_id: str | None = None) -> str:
        """Keeps a secret."""
        return self._call("PUT", self._secret_path(key, client_id), json={"value": value})

    def delete_secret_value(self, key: str, client_id: str | None = None) -> str:
        """Deletes a secret."""
        return self._call("DELETE", self._secret_path(key, client_id))

    def list_secrets(self, client_id: str | None = None) -> builtins.list[str]:
        """The names of the secrets."""
        return [*self._call("GET", f"realtime/{in_path(client_id or self._client_id())}/api/v1/secrets")]

    def _secret_path(self, key: str, client_id: str | None) -> str:
        return f"realtime/{in_path(client_id or self._client_id())}/api/v1/secrets/{in_path(key)}"

    def get_user_custom_secret(self, key: str) -> str:
        """The value of a secret that is the user's own, whatever the team."""
        return self._call("GET", f"secrets/self/user/{in_path(key)}")["value"]

    def list_user_custom_secrets(self) -> builtins.list[str]:
        """The names of the user's own secrets."""
        return self._call("GET", "secrets/self/user")["secrets"]

    def get_udfs(self, *, n: int | None = None, skip: int = 0, by: Literal["name", "id", "slug"] = "name",
                 whose: Literal["self", "public", "community", "team"] = "self",
                 collection_name: str | None = None) -> UdfRegistry:  # fmt: skip
        """Saved UDFs. The arguments are those of `fused.api.get_udfs`."""
        return self._saved("udf", n, skip, by, whose, collection_name)

    def get_apps(self, *, n: int | None = None, skip: int = 0, by: Literal["name", "id", "slug"] = "name",
                 whose: Literal["self", "public", "community", "team"] = "self") -> UdfRegistry:  # fmt: skip
        """Saved apps. The arguments are those of `fused.api.get_apps`."""
        return self._saved("app", n, skip, by, whose, None)

    def _saved(self, kind: str, n: int | None, skip: int, by: str, whose: str, collection_name: str | None) -> UdfRegistry:
        from .._load_files import load_body

        paths = {"self": "udf/self", "public": "udf/public", "community": "udf/public", "team": "udf/exec-env/self"}
        if whose not in paths:
            raise ValueError('Invalid value for `whose`, should be one of: "self", "public", "community", "team"')
        if by not in ("name", "id", "slug"):
            raise ValueError(f"`by` must be 'name', 'id' or 'slug': received {by!r}")
        found = UdfRegistry()
        left = n if n is not None and n > 0 else None
        while left is None or left > 0:
            limit = _UDFS_A_PAGE if left is None else min(left, _UDFS_A_PAGE)
            page = self._call("GET", paths[whose], params={"skip": skip, "limit": limit, "udf_type": kind})
            if not page:
                break
            for saved in page:
                if not saved.get("udf_body"):
                    continue
                try:
                    udf = load_body(saved)
                except Exception as error:  # one that cannot be read is no reason to give none
                    message = f"UDF {saved.get('slug')} ({saved.get('id')}) could not be read: {error}"
                    warnings.warn(FusedWarning(message), stacklevel=4)
                    continue
                is_community = (udf.metadata or {}).get("fused:explorerTab") == "community"
                if whose in ("public", "community") and is_community != (whose == "community"):
                    continue
                if collection_name is not None and udf.collection_name != collection_name:
                    continue
                found[f"{udf.collection_name or 'default'}/{udf.name if by == 'name' else saved[by]}"] = udf
            skip += len(page)
            left = None if left is None else left - len(page)
        return found

    def _log(self, path: str, **params: Any) -> dict[str, Any]:
        given = {name: value for name, value in params.items() if value not in (None, "")}
        # The route takes Python's spelling of flags.
        return self._call(
            "GET", f"log/{path}", params={name: str(value) if value in (True, False) else value for name, value in given.items()}
        )

    def _session_token(self, collection: Collection | str, session_max_age: str | int = "1h") -> SessionToken:
        from .._age import parse_age

        token = collection.share_token if isinstance(collection, Collection) else collection
        if not token:
            raise ValueError("The collection has no share_token. Share the collection first.")
        if not token.startswith("fc_"):
            raise ValueError("Session tokens are only supported for collection share tokens (fc_…).")
        path = f"session-token/by-access-token/{in_path(token)}"
        return SessionToken.model_validate(self._call("POST", path, json={"ttl": parse_age(session_max_age)}))

    def session_token(self, session_max_age: str | int = "1h") -> SessionToken:
        """A token that lets its holder use the collection of the UDF that is running: the run's own, else a new one.

        Args:
            session_max_age: how long a new one lasts, like `1h`, or in seconds.

        Raises ValueError outside of a UDF.
        """
        inherited = _inherited()
        if inherited is not None:
            return inherited
        udf = context.this_udf()
        if udf is None:
            raise ValueError("No UDF is currently being run.")
        return self._session_token(self._share_token(udf), session_max_age)

    def shared_udf_url(self, udf_name: str | None = None, *, session_max_age: str | int = "1h") -> SharedUdfUrl:
        """The link that runs a UDF of the collection of the UDF that is running.

        Args:
            udf_name: the UDF. None is the one that is running.
            session_max_age: how long a new session token lasts, like `1h`, or in seconds.

        Raises RuntimeError outside of a UDF.
        """
        udf = context.this_udf()
        if udf is None:
            raise RuntimeError("shared_udf_url() must be called from within a UDF running in Fused.")
        name = udf_name or udf.name
        if not name:
            raise ValueError("Could not determine the UDF name; pass udf_name.")
        share_token = self._share_token(udf)
        session = _inherited()
        reused = session is not None
        if session is None and self._needs_session(share_token, udf):
            session = self._session_token(share_token, session_max_age)
        url = f"{self.shared_udf_base_url}/{share_token}/{quote(name, safe='')}/run"
        if session is not None:
            url += f"?fused_session_token={quote(session.session_token, safe='')}"
        return SharedUdfUrl(
            url=url,
            share_token=share_token,
            udf_name=name,
            session_token=None if session is None else session.session_token,
            session_token_expires_at=None if session is None else session.expires_at,
            session_token_reused=reused,
        )

    def _collection(self, udf: Any) -> Collection | None:
        """The collection that a UDF is in, where it is known."""
        collection_id = getattr(udf, "collection_id", None)
        if collection_id is None:
            return None
        return Collection.model_validate(self._call("GET", f"collection/by-id/{in_path(collection_id)}"))

    def _share_token(self, udf: Any) -> str:
        """The share token of the collection of the UDF that is running."""
        token = context.get_share_token()
        if token and token.startswith("fc_"):
            # Of a link to one UDF: `fc_…` and the UDF's name, a slash or a dash between them.
            return token.rsplit("/", 1)[0] if "/" in token else token.rsplit("-", 1)[0]
        collection = self._collection(udf)
        if collection is None or not collection.share_token:
            raise ValueError(f"UDF {udf.name} is in no shared collection: share its collection, or run it by its link")
        return collection.share_token

    def _needs_session(self, share_token: str, udf: Any) -> bool:
        """Whether only the team may use the collection; True where it is not known."""
        collection = self._collection(udf)
        return collection is None or collection.share_token != share_token or collection.access_scope == AccessScope.team


def _inherited() -> SessionToken | None:
    """The session token with which the run was asked for: `version:seconds since 1970:signature`."""
    token = context.get_session_token()
    if not token:
        return None
    parts = token.split(":", 2)
    now = datetime.datetime.now(datetime.UTC)
    expires = datetime.datetime.fromtimestamp(int(parts[1]), datetime.UTC) if len(parts) == 3 and parts[1].isdecimal() else now
    return SessionToken(session_token=token, expires_at=expires)
