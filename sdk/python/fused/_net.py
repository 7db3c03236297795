"""Requests over the network, by the host's binding `net`: what Python's HTTP libraries are put on."""

import errno
from collections.abc import Iterable
from typing import Any

from ._host import HostError, call, call_async
from ._per_run import memory

_warned = False


class Answer:
    """What a server answered: its head, and a body that is read to its end or closed."""

    __slots__ = ("_handle", "_part", "headers", "reason", "redirected", "status", "url")

    def __init__(self, value: dict[str, Any]) -> None:
        self.url: str = value["url"]
        self.status: int = value["status"]
        self.reason: str = value["statusText"] or _phrase(self.status)
        # Names in lower case; repeated ones are repeated.
        self.headers: list[tuple[str, str]] = [(name, text) for name, text in value["headers"]]
        self.redirected: bool = value["redirected"]
        self._part: bytes = value["body"]
        self._handle: int | None = value["handle"]

    @property
    def whole(self) -> bytes | None:
        """The body, where all of it has come already and nothing has been read."""
        return self._part if self._handle is None else None

    def header(self, name: str) -> str | None:
        """The first header of that name (in lower case)."""
        return next((text for key, text in self.headers if key == name), None)

    def read(self) -> bytes:
        """The next bytes of the body; none at its end. Raises HostError."""
        if self._part or self._handle is None:
            return self._take()
        part = call("net.read", self._handle)
        return self._received(part)

    async def read_async(self) -> bytes:
        """The same, without blocking."""
        if self._part or self._handle is None:
            return self._take()
        part = await call_async("net.read", self._handle)
        return self._received(part)

    def read_all(self) -> bytes:
        """All that is left of the body. Raises HostError."""
        return b"".join(iter(self.read, b""))

    async def read_all_async(self) -> bytes:
        """The same, without blocking."""
        parts = []
        while part := await self.read_async():
            parts.append(part)
        return b"".join(parts)

    def close(self) -> None:
        """Gives up the rest of the body. Twice is no error."""
        handle, self._handle, self._part = self._handle, None, b""
        if handle is not None:
            call("net.close", handle)

    async def close_async(self) -> None:
        """The same, without blocking."""
        handle, self._handle, self._part = self._handle, None, b""
        if handle is not None:
            await call_async("net.close", handle)

    def _take(self) -> bytes:
        part, self._part = self._part, b""
        return part

    def _received(self, part: bytes | None) -> bytes:
        if part is None:
            self._handle = None
            return b""
        return part


def _request(url: str, method: str, headers: Iterable[tuple[str, str]], body: bytes | None, timeout: float | None,
             redirect: str) -> dict[str, Any]:  # fmt: skip
    return {
        "url": url,
        "method": method,
        "headers": [[name, text] for name, text in headers],
        "body": body,
        "redirect": redirect,
        "timeoutMs": None if timeout is None else max(timeout * 1000, 1),
        # Python's time-outs are for each wait, not for the whole answer.
        "timeoutFor": "step",
    }


def fetch(url: str, method: str = "GET", headers: Iterable[tuple[str, str]] = (), body: bytes | None = None, *,
          timeout: float | None = None, redirect: str = "manual") -> Answer:  # fmt: skip
    """Sends a request and waits for the beginning of its answer.

    timeout: seconds that each wait for something of the answer may take; None is as long as the host allows.
    redirect: "manual" gives the redirect as the answer, "follow" follows.

    Raises PermissionDeniedError, and HostError with the codes that `network_error` knows.
    """
    request = _request(url, method, headers, body, timeout, redirect)
    if kept := _kept(request):
        return kept
    try:
        return Answer(call("net.fetch", request))
    except HostError as error:
        if not _follows(request, error):
            raise
    return _as_redirect(request, Answer(call("net.fetch", request)))


async def fetch_async(url: str, method: str = "GET", headers: Iterable[tuple[str, str]] = (), body: bytes | None = None, *,
                      timeout: float | None = None, redirect: str = "manual") -> Answer:  # fmt: skip
    """The same, without blocking."""
    request = _request(url, method, headers, body, timeout, redirect)
    if kept := _kept(request):
        return kept
    try:
        return Answer(await call_async("net.fetch", request))
    except HostError as error:
        if not _follows(request, error):
            raise
    return _as_redirect(request, Answer(await call_async("net.fetch", request)))


def _follows(request: dict[str, Any], error: HostError) -> bool:
    """Whether the host cannot show a redirect (a page's cannot) and shall follow it, as it may where all hosts are granted."""
    if error.code != "redirect" or request["redirect"] != "manual" or request["method"] not in ("GET", "HEAD"):
        return False
    request["redirect"] = "follow"
    return True


def _as_redirect(request: dict[str, Any], answer: Answer) -> Answer:
    """A redirect to where the answer came from: libraries follow it themselves, and so know that place. The answer waits for them."""
    if not answer.redirected:
        return answer
    memory().setdefault("redirected answers", {})[request["method"], answer.url] = answer
    head = {"url": request["url"], "status": 302, "statusText": "Found", "headers": [("location", answer.url)]}
    return Answer({**head, "redirected": False, "body": b"", "handle": None})


def _kept(request: dict[str, Any]) -> Answer | None:
    return memory().get("redirected answers", {}).pop((request["method"], request["url"]), None)


def network_error(error: HostError) -> Exception:
    """What a failure of the network is in Python's own terms; the error itself where it is none of the network."""
    if error.type_name != "NetError":
        return error
    text = str(error)
    match error.code:
        case "dns":
            import socket

            return socket.gaierror(socket.EAI_NONAME, text)
        case "connect":
            return ConnectionRefusedError(errno.ECONNREFUSED, text)
        case "tls":
            import ssl

            return ssl.SSLCertVerificationError(1, text)
        case "timeout":
            return TimeoutError(text)
        case "closed":
            return ConnectionResetError(errno.ECONNRESET, text)
        case "protocol":
            from http.client import HTTPException

            return HTTPException(text)
        case "url":
            from http.client import InvalidURL

            return InvalidURL(text)
        case "size":
            return OSError(errno.EMSGSIZE, text)
        case "busy":
            return OSError(errno.EBUSY, text)
    return OSError(text)


def warn_unverified() -> None:
    """Says once that certificates are checked all the same."""
    global _warned
    if not _warned:
        import warnings

        _warned = True
        warnings.warn("Certificates are checked by the host: that cannot be switched off from a UDF", stacklevel=3)


def _phrase(status: int) -> str:
    from http import HTTPStatus

    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
