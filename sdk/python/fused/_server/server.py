"""Calls of the server that `fused.options.base_url` names."""

import sys
from collections.abc import Mapping
from typing import Any

from .. import _host
from .._options import options, origin_of
from .credentials import auth_header
from .http import Response, Timeout, request, request_async

_NO_SERVER = ("there is no server: set fused.options.base_url, or the environment variable FUSED_BASE_URL, to a server's address "
              '("http://127.0.0.1:8000/server/v1"); `fuselet serve` starts one')  # fmt: skip
_NO_TOKEN = ("a UDF gets no token of its user. fused.load and fused.run by name, fused.submit, fused.secrets, fused.api.whoami() and the "
             "files of fused.api need none; for all else set fused.options.base_url and the environment variable FUSED_AUTH_TOKEN in "
             "the UDF, and let it reach that server")  # fmt: skip
_AGAIN = (502, 503)
_DEFAULT: Any = object()


class ServerNotConfiguredError(RuntimeError):
    """What was asked for needs a server, and no option names one."""


class HTTPError(OSError):
    """A server refused. `response` is its answer. Where `requests` is loaded it is a `requests.HTTPError` too."""

    def __init__(self, message: str, response: Response) -> None:
        super().__init__(message)
        self.response = response
        self.request = None


def base_url() -> str:
    """The server's address, without a slash at its end. Raises ServerNotConfiguredError."""
    url = options.base_url.rstrip("/")
    if not url:
        raise ServerNotConfiguredError(f"Cannot ask the server: {_NO_TOKEN if _host.connected() else _NO_SERVER}")
    return url


def shared_base_url() -> str:
    """Where UDFs run by their tokens. Raises ServerNotConfiguredError."""
    return options.shared_udf_base_url.rstrip("/") or origin_of(base_url())


def address(path: str, client: str | None = None, base: str | None = None) -> str:
    """The address of a path of the server; of the part of one of its realtime clients."""
    if client is None:
        return f"{base or base_url()}/{path.lstrip('/')}"
    from urllib.parse import quote

    return f"{base or base_url()}/realtime/{quote(client, safe='')}/api/v1/{path.lstrip('/')}"


def call(method: str, path: str, *, params: Mapping[str, Any] | None = None, json: Any = None, body: bytes | str | None = None,
         headers: Mapping[str, Any] | None = None, is_realtime: bool = False, raw: bool = False,
         timeout: Timeout = _DEFAULT, base: str | None = None) -> Any:  # fmt: skip
    """Sends a request to the server and gives its answer: decoded JSON (None for an empty body), or the Response with raw.

    path: below base_url; with is_realtime below the realtime client's part of it. timeout: seconds; options.request_timeout by
    default. base: another server's address, instead of base_url.

    Raises ServerNotConfiguredError, HTTPError (requests.HTTPError) for a status of 400 and above, and what `http.request` raises.
    """
    url = address(path, client_id(base) if is_realtime else None, base)
    given = {**auth_header(), **(headers or {})}
    return _read(exchange(method, url, params=params, json=json, body=body, headers=given, timeout=timeout), raw)


async def call_async(method: str, path: str, *, params: Mapping[str, Any] | None = None, json: Any = None,
                     body: bytes | str | None = None, headers: Mapping[str, Any] | None = None, is_realtime: bool = False,
                     raw: bool = False, timeout: Timeout = _DEFAULT, base: str | None = None) -> Any:  # fmt: skip
    """The same, while other things go on."""
    url = address(path, await client_id_async(base) if is_realtime else None, base)
    given = {**auth_header(), **(headers or {})}
    return _read(await exchange_async(method, url, params=params, json=json, body=body, headers=given, timeout=timeout), raw)


def exchange(method: str, url: str, *, timeout: Timeout = _DEFAULT, **given: Any) -> Response:
    """A request to any address, sent again where the answer is one of those that stand for "later"; no status is an error."""
    timeout = options.request_timeout if timeout is _DEFAULT else timeout
    for wait in _waits():
        answer = request(method, url, timeout=timeout, **given)
        if answer.status not in _AGAIN:
            return answer
        _sleep(wait)
    return request(method, url, timeout=timeout, **given)


async def exchange_async(method: str, url: str, *, timeout: Timeout = _DEFAULT, **given: Any) -> Response:
    """The same, while other things go on."""
    from asyncio import sleep

    timeout = options.request_timeout if timeout is _DEFAULT else timeout
    for wait in _waits():
        answer = await request_async(method, url, timeout=timeout, **given)
        if answer.status not in _AGAIN:
            return answer
        await sleep(wait)
    return await request_async(method, url, timeout=timeout, **given)


def _waits() -> list[float]:
    """Seconds to wait after each try but the last."""
    return [options.request_retry_base_delay * 2**tried for tried in range(options.request_max_retries)]


def _sleep(seconds: float) -> None:
    from time import sleep

    sleep(seconds)


def _read(answer: Response, raw: bool) -> Any:
    if answer.status >= 400:
        raise http_error(answer)
    if raw:
        return answer
    if not answer.body:
        return None
    try:
        return answer.json()
    except ValueError:
        raise RuntimeError(f"Cannot read the server's answer: {answer.url} gave no JSON (status {answer.status}); "
                           "is options.base_url the address of a server?") from None  # fmt: skip


def http_error(answer: Response) -> HTTPError:
    """The error for an answer of a status of 400 and above. Its text is the server's own, where it says anything."""
    message = answer.headers.get("x-fused-error") or _detail(answer) or _standard_message(answer)
    requests = sys.modules.get("requests")
    kind = HTTPError if requests is None else _also(requests.HTTPError)
    return kind(message, response=answer)


def _also(theirs: type[Exception]) -> Any:
    """A class that is both ours and that of `requests`."""
    return type("HTTPError", (HTTPError, theirs), {"__module__": HTTPError.__module__})


def _detail(answer: Response) -> str | None:
    if answer.headers.get("content-type") != "application/json":
        return None
    try:
        value = answer.json()
    except ValueError:
        return None
    if isinstance(value, dict) and answer.status != 422:
        for name in ("message", "detail"):
            if isinstance(value.get(name), str):
                return value[name]
    return str(value)


def _standard_message(answer: Response) -> str:
    from http import HTTPStatus

    try:
        reason = HTTPStatus(answer.status).phrase
    except ValueError:
        reason = ""
    return f"{answer.status} {'Client' if answer.status < 500 else 'Server'} Error: {reason} for url: {answer.url}"


_clients: dict[tuple[str, ...], str] = {}


def client_id(base: str | None = None) -> str:
    """The realtime client that runs UDFs for us: options.realtime_client_id, else the first in rank of those that the server has.

    The answer is kept as long as server and credentials are the same. Raises RuntimeError where the server has none.
    """
    if options.realtime_client_id is not None:
        return options.realtime_client_id
    key = _key(base)
    if key not in _clients:
        _clients[key] = _first(call("GET", "realtime-instance/available", base=base))
    return _clients[key]


async def client_id_async(base: str | None = None) -> str:
    """The same, while other things go on."""
    if options.realtime_client_id is not None:
        return options.realtime_client_id
    key = _key(base)
    if key not in _clients:
        _clients[key] = _first(await call_async("GET", "realtime-instance/available", base=base))
    return _clients[key]


def _key(base: str | None = None) -> tuple[str, ...]:
    return base or base_url(), *auth_header().values()


def _first(answer: Any) -> str:
    clients = [item for item in answer if isinstance(item, dict)] if isinstance(answer, list) else []
    ranks = {
        item["client_id"]: _number(item.get("preference_rank")) for item in clients if isinstance(item.get("client_id"), str)
    }
    if not ranks:
        raise RuntimeError("Cannot run on the server: it has no realtime client for these credentials; "
                           "set fused.options.realtime_client_id, or log in")  # fmt: skip
    return max(ranks, key=ranks.__getitem__)


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) else 0
