"""httpx's transports. In an isolate this file is `httpx._transports.default`, and in Pyodide's own httpx `httpx._transports.jsfetch`."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, NoReturn

from fused._host import HostError
from fused._net import Answer, fetch, fetch_async, network_error, warn_unverified

from .._exceptions import (
    ConnectError,
    InvalidURL,
    LocalProtocolError,
    PoolTimeout,
    ReadError,
    ReadTimeout,
    RemoteProtocolError,
    UnsupportedProtocol,
)
from .._models import Request, Response
from .._types import AsyncByteStream, SyncByteStream
from .base import AsyncBaseTransport, BaseTransport

__all__ = ["AsyncHTTPTransport", "HTTPTransport"]

_ERRORS = {
    "dns": ConnectError,
    "connect": ConnectError,
    "tls": ConnectError,
    "timeout": ReadTimeout,
    "protocol": RemoteProtocolError,
    "size": LocalProtocolError,
    "busy": PoolTimeout,
    "closed": ReadError,
}


def _raise(error: HostError, request: Request | None = None) -> NoReturn:
    if error.code == "url":
        raise InvalidURL(str(error)) from None
    if error.type_name != "NetError":
        raise error
    raise _ERRORS.get(error.code or "", ReadError)(str(error), request=request) from network_error(error)


class _Transport:
    def __init__(self, verify: Any = True, cert: Any = None, trust_env: bool = True, http1: bool = True, http2: bool = False,
                 limits: Any = None, proxy: Any = None, uds: str | None = None, local_address: str | None = None,
                 retries: int = 0, socket_options: Any = None) -> None:  # fmt: skip
        if cert is not None:
            raise ValueError("Cannot use cert: a UDF has no certificates of its own, TLS is the host's")
        if proxy is not None or uds is not None:
            raise ValueError("Cannot use proxy or uds: requests of a UDF go through the host, which has its own ways")
        if verify is False or getattr(verify, "verify_mode", 2) == 0:
            warn_unverified()


def _parts(request: Request, body: bytes) -> dict[str, Any]:
    url = request.url
    if url.scheme not in ("http", "https"):
        raise UnsupportedProtocol(f"Request URL has an unsupported protocol '{url.scheme}://'.", request=request)
    # The body is sent whole: its length takes the place of chunks.
    headers = [(name.decode("latin-1"), text.decode("latin-1")) for name, text in request.headers.raw]
    return {
        "url": f"{url.scheme}://{url.netloc.decode('ascii')}{url.raw_path.decode('ascii')}",
        "method": request.method,
        "headers": [(name, text) for name, text in headers if name.lower() != "transfer-encoding"],
        "body": body or None,
        "timeout": request.extensions.get("timeout", {}).get("read"),
    }


def _response(answer: Answer, stream: Any) -> Response:
    headers = [(name.encode("latin-1"), text.encode("latin-1")) for name, text in answer.headers]
    extensions = {"http_version": b"HTTP/1.1", "reason_phrase": answer.reason.encode("latin-1", "replace")}
    return Response(answer.status, headers=headers, stream=stream, extensions=extensions)


class _Stream(SyncByteStream):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from iter(self._answer.read, b"")
        except HostError as error:
            _raise(error)

    def close(self) -> None:
        self._answer.close()


class _AsyncStream(AsyncByteStream):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while part := await self._answer.read_async():
                yield part
        except HostError as error:
            _raise(error)

    async def aclose(self) -> None:
        await self._answer.close_async()


class HTTPTransport(_Transport, BaseTransport):
    """Sends requests through the host, which pools connections, checks certificates and knows proxies."""

    def handle_request(self, request: Request) -> Response:
        """Part of httpx's interface. Raises its errors, and PermissionDeniedError."""
        parts = _parts(request, b"".join(request.stream))
        try:
            answer = fetch(**parts)
        except HostError as error:
            _raise(error, request)
        return _response(answer, _Stream(answer))


class AsyncHTTPTransport(_Transport, AsyncBaseTransport):
    """The same for AsyncClient: many requests may be under way."""

    async def handle_async_request(self, request: Request) -> Response:
        """Part of httpx's interface. Raises its errors, and PermissionDeniedError."""
        parts = _parts(request, b"".join([part async for part in request.stream]))
        try:
            answer = await fetch_async(**parts)
        except HostError as error:
            _raise(error, request)
        return _response(answer, _AsyncStream(answer))


JavascriptFetchTransport, AsyncJavascriptFetchTransport = HTTPTransport, AsyncHTTPTransport
