"""Collections of UDFs, and the links to their UDFs."""

import datetime
from enum import Enum

from ..._validation import Model, field, flag, moment, optional, text


class AccessScope(str, Enum):
    """Who may use a collection."""

    public = "public"
    team = "team"


def _access_scope(value: object) -> AccessScope:
    try:
        return AccessScope(value)
    except ValueError:
        raise ValueError("must be 'public' or 'team'") from None


class Collection(Model):
    """UDFs that are shared together."""

    id: str = field(text)
    name: str = field(text)
    username: str | None = field(optional(text), default=None)
    access_scope: AccessScope = field(_access_scope, default=AccessScope.team)
    last_updated: datetime.datetime = field(moment)
    allow_public_read: bool = field(flag)
    dashboard_body: str | None = field(optional(text), default=None)
    share_token: str | None = field(optional(text), default=None)
    share_client_id: str | None = field(optional(text), default=None)
    passcode: str | None = field(optional(text), default=None)


class SessionToken(Model):
    """Lets its holder use a shared collection, until it expires."""

    session_token: str = field(text)
    expires_at: datetime.datetime = field(moment)


class SharedUdfUrl(Model):
    """The link that runs a shared UDF; `str()` of it is the link. `session_token_reused` says whether the token is the run's own."""

    url: str = field(text)
    share_token: str = field(text)
    udf_name: str = field(text)
    session_token: str | None = field(optional(text), default=None)
    session_token_expires_at: datetime.datetime | None = field(optional(moment), default=None)
    session_token_reused: bool = field(flag, default=False)

    def __str__(self) -> str:
        return self.url
