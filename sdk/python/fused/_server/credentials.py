"""Who we are to a server: a token from the environment, or from the file that a login left."""

import os
from pathlib import Path
from typing import Any

from .. import _host
from .._options import options

_SCHEMES = ("Fused-Env-Bearer", "Fused-Rtenv-Bearer", "Fused-Service-Token", "Bearer")


def credentials() -> tuple[str, str] | None:
    """Scheme and token, or None where there are none.

    The environment comes first: FUSED_AUTH_TOKEN, with FUSED_AUTH_TOKEN_TYPE (Bearer where it is missing). Then the file
    `options.auth.credentials_path`; what has expired in it is renewed where options.auth.oauth_token_url says by whom.
    Raises ValueError for another scheme, RuntimeError where a login cannot be renewed.
    """
    if options.no_login:
        return None
    if token := os.environ.get("FUSED_AUTH_TOKEN"):
        scheme = os.environ.get("FUSED_AUTH_TOKEN_TYPE") or "Bearer"
        if scheme not in _SCHEMES:
            raise ValueError(f"FUSED_AUTH_TOKEN_TYPE must be one of {', '.join(_SCHEMES)}: received {scheme!r}")
        return scheme, token
    stored = _stored()
    if _has_expired(stored) and stored.get("refresh_token") and options.auth.oauth_token_url:
        stored = _renewed(stored)
    token = stored.get("access_token")
    return ("Bearer", token) if isinstance(token, str) and token else None


def auth_header() -> dict[str, str]:
    """The header that says who we are; empty where we are nobody."""
    found = credentials()
    return {} if found is None else {"Authorization": f"{found[0]} {found[1]}"}


def credentials_path() -> Path:
    """The file that keeps a login."""
    return Path(options.auth.credentials_path).expanduser()


def forget() -> None:
    """Deletes the file that keeps a login."""
    credentials_path().unlink(missing_ok=True)


def _stored() -> dict[str, Any]:
    if _host.connected():
        return {}
    try:
        data = credentials_path().read_bytes()
    except OSError:
        return {}
    import json

    try:
        value = json.loads(data)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _has_expired(stored: dict[str, Any]) -> bool:
    from datetime import datetime, timezone

    try:
        end = datetime.fromisoformat(stored["expires_at"])
    except (KeyError, TypeError, ValueError):
        return False
    return (end if end.tzinfo else end.replace(tzinfo=timezone.utc)) < datetime.now(timezone.utc)


def _renewed(stored: dict[str, Any]) -> dict[str, Any]:
    from datetime import datetime, timedelta, timezone

    from .http import request

    asked = {"grant_type": "refresh_token", "client_id": options.auth.client_id, "refresh_token": stored["refresh_token"]}
    answer = request("POST", options.auth.oauth_token_url, json=asked, timeout=options.request_timeout)
    value = answer.json() if answer.status < 400 else None
    if not isinstance(value, dict) or not isinstance(value.get("access_token"), str):
        raise RuntimeError(f"Cannot renew the login in {credentials_path()}: {options.auth.oauth_token_url} refuses "
                           f"(status {answer.status}); log in again, or set FUSED_AUTH_TOKEN")  # fmt: skip
    seconds = value.get("expires_in")
    end = datetime.now(timezone.utc) + timedelta(seconds=seconds - 1 if isinstance(seconds, int | float) else 0)
    made = {**stored, **value, "expires_at": end.isoformat()}
    if options.save_user_settings:
        _store(made)
    return made


def _store(value: dict[str, Any]) -> None:
    import json

    path = credentials_path()
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    # For the user alone: whoever reads it is that user to the server.
    with open(part, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        json.dump(value, file)
    os.replace(part, path)
