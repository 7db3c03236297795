"""One exchange with a server: by `requests` in a plain Python, by the host's guarded fetch in an isolate, and by what the page
has in another Pyodide.

No status is an error here: `server` reads them.
"""

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from .. import _host

Timeout = float | tuple[float, float] | None


class Headers(Mapping[str, str]):
    """Headers by name, whatever its case; of those that are repeated, all values with commas between."""

    __slots__ = ("_values",)

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, str] = {}
        for name, value in pairs:
            known = self._values.get(name.lower())
            self._values[name.lower()] = value if known is None else f"{known}, {value}"

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Any:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(self._values)


class Response:
    """What a server answered. `status_code`, `content` and `ok` are the names that `requests` has for it."""

    __slots__ = ("body", "headers", "status", "url")

    def __init__(self, status: int, headers: Iterable[tuple[str, str]], body: bytes, url: str) -> None:
        self.status = status
        self.headers = Headers(headers)
        self.body = body
        self.url = url

    @property
    def status_code(self) -> int:
        """The status."""
        return self.status

    @property
    def content(self) -> bytes:
        """The body."""
        return self.body

    @property
    def ok(self) -> bool:
        """Whether the status is none of an error."""
        return self.status < 400

    @property
    def text(self) -> str:
        """The body as UTF-8; what is none is replaced."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body's JSON. Raises ValueError where it is none."""
        import json

        from .._json import parse

        return parse(self.body.decode("utf-8-sig"), json.loads)

    def __repr__(self) -> str:
        return f"<Response [{self.status}]>"


class _Request:
    __slots__ = ("body", "headers", "method", "timeout", "url")

    def __init__(self, method: str, url: str, params: Any, json: Any, body: bytes | str | None, headers: Any,
                 timeout: Timeout) -> None:  # fmt: skip
        if json is not None and body is not None:
            raise ValueError("Cannot send json together with body")
        self.method = method.upper()
        self.url = with_params(url, params)
        self.headers = {name: str(value) for name, value in (headers or {}).items() if value is not None}
        if json is not None:
            from json import dumps

            body = dumps(json, separators=(",", ":"), ensure_ascii=False)
            if not any(name.lower() == "content-type" for name in self.headers):
                self.headers["Content-Type"] = "application/json"
        self.body = body.encode() if isinstance(body, str) else body
        self.timeout = timeout


def with_params(url: str, params: Mapping[str, Any] | None) -> str:
    """The address with query parameters: None is left out, a list is repeated, flags are true and false."""
    pairs = []
    for name, value in (params or {}).items():
        for item in value if isinstance(value, list | tuple) else (value,):
            if item is not None:
                pairs.append((name, str(item).lower() if isinstance(item, bool) else item))
    if not pairs:
        return url
    from urllib.parse import urlencode

    return f"{url}{'&' if '?' in url else '?'}{urlencode(pairs)}"


def request(method: str, url: str, *, params: Mapping[str, Any] | None = None, json: Any = None, body: bytes | str | None = None,
            headers: Mapping[str, Any] | None = None, timeout: Timeout = None) -> Response:  # fmt: skip
    """Sends a request and waits for all of its answer; redirects are followed.

    params: of the query; those that are None are left out. json: the body as JSON text. timeout: seconds for each wait (two
    numbers: to connect, and to read); None is no limit of ours.

    Raises, where there is no answer: in a plain Python what `requests` raises (requests.ConnectionError, requests.Timeout),
    elsewhere an OSError such as ConnectionRefusedError or TimeoutError; PermissionDeniedError for a server that was not granted.
    """
    asked = _Request(method, url, params, json, body, headers, timeout)
    if _host.connected():
        return _from_host(asked)
    if sys.platform == "emscripten":
        from .http_pyodide import send

        return send(asked)
    return _by_requests(asked)


async def request_async(method: str, url: str, *, params: Mapping[str, Any] | None = None, json: Any = None,
                        body: bytes | str | None = None, headers: Mapping[str, Any] | None = None,
                        timeout: Timeout = None) -> Response:  # fmt: skip
    """The same, while other things go on."""
    asked = _Request(method, url, params, json, body, headers, timeout)
    if _host.connected():
        return await _from_host_async(asked)
    if sys.platform == "emscripten":
        from .http_pyodide import send_async

        return await send_async(asked)
    from asyncio import to_thread

    return await to_thread(_by_requests, asked)


def _by_requests(asked: _Request) -> Response:
    try:
        import requests
    except ImportError:
        raise ImportError("Talking to a server needs the package requests: install it with `pip install requests`") from None
    # No session is kept: one is not safe across threads, and its cookies would be one more thing that is sent.
    answer = requests.request(asked.method, asked.url, data=asked.body, headers=asked.headers, timeout=asked.timeout)
    return Response(answer.status_code, answer.headers.items(), answer.content, answer.url)


def _longest_wait(timeout: Timeout) -> float | None:
    return max(timeout) if isinstance(timeout, tuple) else timeout


def _from_host(asked: _Request) -> Response:
    from .._net import fetch, network_error

    try:
        answer = fetch(asked.url, asked.method, asked.headers.items(), asked.body,
                       timeout=_longest_wait(asked.timeout), redirect="follow")  # fmt: skip
        return Response(answer.status, answer.headers, answer.read_all(), answer.url)
    except _host.HostError as error:
        raise network_error(error) from None


async def _from_host_async(asked: _Request) -> Response:
    from .._net import fetch_async, network_error

    try:
        answer = await fetch_async(asked.url, asked.method, asked.headers.items(), asked.body,
                                   timeout=_longest_wait(asked.timeout), redirect="follow")  # fmt: skip
        return Response(answer.status, answer.headers, await answer.read_all_async(), answer.url)
    except _host.HostError as error:
        raise network_error(error) from None
