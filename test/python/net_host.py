"""The host's binding `net` in Python, by the same contract, with real connections."""

import base64
import gzip
import http.client
import json
import re
import socket
import ssl
from typing import Any
from urllib.parse import urljoin, urlsplit

from fused._decode import decode
from fused._encode import encode

FIRST_BYTES = 64 * 1024
READ_BYTES = 256 * 1024

FIELDS = {"url", "method", "headers", "body", "redirect", "timeoutMs", "timeoutFor"}
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
THE_HOSTS = {"expect", "te", "trailer", "transfer-encoding", "upgrade"}


class NetError(Exception):
    """A failure with the code that the guest learns."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Denied(Exception):
    """A host that is not granted."""


class Host:
    """Grants hosts, answers calls, and notes what it was asked."""

    def __init__(self, authority: str | None = None) -> None:
        self.granted: set[str] | None = None
        self.names = {"named.example": "127.0.0.1"}
        self.requests: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.shows_redirects = True
        self.open: dict[int, Any] = {}
        self._last = 0
        self._tls = ssl.create_default_context(cadata=authority)
        # Python 3.13 asks for extensions that the certificates of the host's tests do not have, nor many of the world's.
        self._tls.verify_flags &= ~ssl.VERIFY_X509_STRICT

    def answer(self, name: str, text: str, buffers: list[bytes]) -> dict[str, Any]:
        """The answer to a call, as the guest's door gives it."""
        self.calls.append(name)
        try:
            value, parts = encode(getattr(self, name.replace("net.", "net_"))(*decode(text, buffers)))
            reply = f'{{"ok":true,"value":{value}}}'
        except Denied as error:
            message = f'Requires net access to "{error}": run again with --allow-net={error}'
            failure = {"type": "PermissionDeniedError", "message": message, "subject": "net", "value": str(error)}
            reply, parts = json.dumps({"ok": False, "error": failure}), []
        except NetError as error:
            reply = json.dumps({"ok": False, "error": {"type": "NetError", "message": str(error), "subject": error.code}})
            parts = []
        return {"text": reply, "buffers": [base64.b64encode(part).decode() for part in parts]}

    def net_fetch(self, request: dict[str, Any]) -> dict[str, Any]:
        """Sends a request."""
        assert set(request) == FIELDS
        assert request["body"] is None or type(request["body"]) is bytes
        assert all(type(pair) is list and [type(text) for text in pair] == [str, str] for pair in request["headers"])
        self.requests.append(request)
        url, redirected = request["url"], False
        while True:
            answer, response = self._send(url, request)
            location = response.getheader("location") if answer["status"] in (301, 302, 303, 307, 308) else None
            if location is None or (request["redirect"] == "manual" and self.shows_redirects):
                break
            if request["redirect"] != "follow":
                raise NetError("redirect", f"{url} redirects, and nobody sees where to")
            url, redirected = urljoin(url, location), True
        if response.getheader("content-encoding") == "gzip":
            first, rest = gzip.decompress(response.read()), None
        else:
            first, rest = self._read(response, FIRST_BYTES), response
        handle = None
        if rest is not None and len(first) == FIRST_BYTES:
            self._last = handle = self._last + 1
            self.open[handle] = rest
        return {**answer, "url": url, "redirected": redirected, "body": first, "handle": handle}

    def net_read(self, handle: int) -> bytes | None:
        """Reads on."""
        if handle not in self.open:
            raise NetError("closed", f"The answer {handle} is closed")
        part = self._read(self.open[handle], READ_BYTES)
        if not part:
            self.net_close(handle)
        return part or None

    def net_close(self, handle: int) -> None:
        """Gives up the rest."""
        self.open.pop(handle, None)

    def _read(self, response: http.client.HTTPResponse, size: int) -> bytes:
        try:
            part = response.read(size)
            if len(part) < size and response.length:
                raise NetError("protocol", f"The answer broke off: {response.length} bytes are missing")
            return part
        except TimeoutError:
            raise NetError("timeout", "The answer did not go on") from None

    def _send(self, url: str, request: dict[str, Any]) -> tuple[dict[str, Any], http.client.HTTPResponse]:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or parts.username is not None:
            raise NetError("url", f"Cannot request {url!r}")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        asked = f"{parts.hostname}:{port}"
        if self.granted is not None and asked not in self.granted:
            raise Denied(asked)
        address = self.names.get(parts.hostname, parts.hostname)
        if address.endswith(".example"):
            raise NetError("dns", f"Cannot find an address of {address}")
        timeout = None if request["timeoutMs"] is None else request["timeoutMs"] / 1000
        if parts.scheme == "https":
            connection = http.client.HTTPSConnection(address, port, timeout=timeout, context=self._tls)
        else:
            connection = http.client.HTTPConnection(address, port, timeout=timeout)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.putrequest(request["method"], target, skip_host=True, skip_accept_encoding=True)
            for name, text in self._headers(request, asked, parts.netloc):
                connection.putheader(name, text)
            connection.endheaders(request["body"])
            response = connection.getresponse()
        except ssl.SSLError as error:
            raise NetError("tls", f"Cannot connect to {asked} securely ({error.reason})") from None
        except socket.gaierror:
            raise NetError("dns", f"Cannot find an address of {address}") from None
        except ConnectionRefusedError:
            raise NetError("connect", f"Cannot connect to {asked} (ECONNREFUSED)") from None
        except TimeoutError:
            raise NetError("timeout", f"{asked} did not begin to answer") from None
        except (http.client.HTTPException, OSError) as error:
            raise NetError("protocol", f"The answer of {asked} broke off, or is not HTTP ({type(error).__name__})") from None
        decoded = response.getheader("content-encoding") == "gzip"
        left_out = {"content-encoding", "content-length"} if decoded else set()
        headers = [[name.lower(), text] for name, text in response.getheaders() if name.lower() not in left_out]
        return {"status": response.status, "statusText": response.reason, "headers": headers}, response

    def _headers(self, request: dict[str, Any], asked: str, netloc: str) -> list[tuple[str, str]]:
        """Refuses what the host refuses, and adds what it adds."""
        body = request["body"] or b""
        headers = [("host", netloc), ("content-length", str(len(body)))] if body or request["method"] not in ("GET", "HEAD") else [("host", netloc)]
        for name, text in request["headers"]:
            key = name.lower()
            if not TOKEN.fullmatch(name) or not VALUE.fullmatch(text) or key in THE_HOSTS:
                raise NetError("protocol", f"Cannot send the header {name!r}")
            if key == "content-length" and text != str(len(body)):
                raise NetError("protocol", f"Cannot send the header {name}: the body has {len(body)} bytes")
            if key == "host" and text not in (netloc, asked):
                raise NetError("protocol", f"Cannot send the header {name}: it must be {netloc}")
            if key not in ("content-length", "host", "connection", "keep-alive"):
                headers.append((key, text))
        return headers
