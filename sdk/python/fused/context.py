"""What a run is told about itself: who asked for it, and how. The host is asked when something is first wanted, and for that alone: a
kept result of the run counts for others that are told the same in all that was asked for.

Where there is no host, as in a plain Python, it is a local run that nobody asked for; who the user is, is asked of the server that
`fused.options.base_url` names, if any.
"""

import sys
from types import FrameType
from typing import Any

from . import _host, _run_local
from ._execution_context import ExecutionContext
from ._per_run import memory
from ._source import MODULE_NAME
from ._udf import Udf

__all__ = [
    "ExecutionContext",
    "get_execution_environment_id",
    "get_global_context",
    "get_header",
    "get_headers",
    "get_realtime_client_id",
    "get_recursion_factor",
    "get_session_token",
    "get_share_token",
    "get_user_email",
    "in_batch",
    "in_realtime",
    "this_udf",
]

_LOCAL = {"headers": {}, "recursionFactor": 0, "clientId": None, "userEmail": None, "user": None, "kind": "local", "shareToken": None,
          "sessionToken": None, "executionEnvironmentId": None, "udf": None}  # fmt: skip


def get_global_context() -> ExecutionContext:
    """All of it. Raises RuntimeError where the host cannot be asked without `await` (a page that is not cross-origin isolated)."""
    kept = memory()
    if "context" not in kept:
        answer = _ask("get", default=_LOCAL)
        kept["context"] = ExecutionContext(answer)
        _known().update(answer)
    return kept["context"]


def _known() -> dict[str, Any]:
    """What the host has said in this run, by the names of its fields; single headers by `headers.NAME`."""
    return memory().setdefault("context fields", {})


def _field(name: str) -> Any:
    known = _known()
    if name not in known:
        known[name] = _ask("field", name, default=_LOCAL[name])
    return known[name]


def _ask(method: str, *args: str, default: Any) -> Any:
    if not _host.connected():
        return default
    try:
        return _host.call(f"context.{method}", *args)
    except _host.HostError as error:
        if error.type_name == "UsageError":  # a host without this binding
            return default
        raise


def get_headers() -> dict[str, str]:
    """The headers of the request that the run answers, names in lower case; a copy. Empty for a local run."""
    return {name.lower(): value for name, value in _field("headers").items()}


def get_header(name: str) -> str | None:
    """A header of the request, whatever the case of its name; None where it has none of that name."""
    known, name = _known(), name.lower()
    if "headers" in known:
        return get_headers().get(name)
    if f"headers.{name}" not in known:
        known[f"headers.{name}"] = _ask("header", name, default=None)
    return known[f"headers.{name}"]


def get_recursion_factor() -> int | None:
    """How deep the run is nested in others: 0 is none."""
    return _field("recursionFactor")


def get_realtime_client_id() -> str | None:
    """The realtime client that asked for the run, or None. Outside of an isolate the server's one for you, where one is configured."""
    if not _asks_server():
        return _field("clientId")
    from ._server.server import client_id

    return client_id()


def get_user_email() -> str | None:
    """The e-mail address of the user on whose behalf the UDF runs, or None where it is not known.

    Outside of an isolate that is you, as the server knows you, where one is configured; then it raises HTTPError where it refuses.
    """
    return _whoami().get("email") if _asks_server() else _field("userEmail")


def _asks_server() -> bool:
    if _host.connected():
        return False
    from ._options import options

    return bool(options.base_url)


_users: dict[tuple[str, ...], dict[str, Any]] = {}


def _whoami() -> dict[str, Any]:
    """What the server knows of the user; asked once for each server and token."""
    from ._server.credentials import auth_header
    from ._server.server import base_url, call

    key = (base_url(), *auth_header().values())
    if key not in _users:
        _users[key] = call("GET", "user/self")
    return _users[key]


def user_of_run() -> dict[str, Any] | None:
    """Who is signed in to the run, as a server says it; None where nobody is, and outside of an isolate."""
    user = _field("user")
    if user is None:
        return None
    return {name: user[name] for name in ("id", "email", "handle", "name")} | {
        "execution_environment_id": user["executionEnvironmentId"],
        "is_admin": user["isAdmin"],
    }


def in_realtime() -> bool:
    """Whether the run answers a request."""
    return _field("kind") == "realtime"


def in_batch() -> bool:
    """Whether the run is part of a job."""
    return _field("kind") == "batch"


def get_share_token() -> str | None:
    """The shared token that the run was asked for with, or None."""
    return _field("shareToken")


def get_session_token() -> str | None:
    """The session of the visitor of a shared link for whom the UDF runs, or None."""
    return _field("sessionToken")


def get_execution_environment_id() -> str | None:
    """The team of the user on whose behalf the UDF runs, or None. Outside of an isolate yours on the server, where one is configured."""
    return _whoami().get("execution_environment_id") if _asks_server() else _field("executionEnvironmentId")


def this_udf() -> Udf | None:
    """The UDF that is running, the innermost one where runs are nested; None outside of a run."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code in (_run_local.evaluate.__code__, _run_local.evaluate_async.__code__):
            return frame.f_locals["udf"]
        frame = frame.f_back
    guest, module = sys.modules.get("fused._guest"), sys.modules.get(MODULE_NAME)
    source = guest and guest._prepared
    entry = source and vars(module).get(source.entrypoint) if module else None
    return entry if type(entry) is Udf else None
