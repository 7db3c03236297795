"""One HTTP/1.1 request as the bytes that a library writes, and its answer as the bytes that it reads. Source: RFC 9112.

The request is taken apart here and sent on as data, so what is no single, plain request goes nowhere: not a second one behind
the first, not one whose length can be read in two ways.
"""

import errno
import ipaddress
import re

from ._net import Answer

_MOST_HEAD_BYTES = 256 * 1024

# A token and a request line of RFC 9110, 5.6.2, and RFC 9112, 3.
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]"
_REQUEST_LINE = re.compile(rb"(%s{1,32}) ([\x21-\x7e]+) HTTP/1\.[01]" % _TOKEN)
_BEGINNING = re.compile(rb"%s{1,32}( |$)" % _TOKEN)
_FIELD = re.compile(rb"(%s+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)" % _TOKEN)
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}")
_LENGTH = re.compile(r"[0-9]{1,15}")
_HOST = re.compile(r"[^\x00-\x20\x7f/\\?#@\[\]<>^|%]{1,255}")

# Those of one connection: the answer comes over another one.
_OF_CONNECTION = frozenset(("connection", "keep-alive", "transfer-encoding"))
_SPELLINGS = {"etag": "ETag", "www-authenticate": "WWW-Authenticate"}


class Exchange:
    """Takes a request in pieces until it is complete, and writes the head of its answer."""

    def __init__(self, host: str, port: int) -> None:
        """Raises OSError for a host that is no name and no address."""
        if not _HOST.fullmatch(host) or (":" in host and not _is_ipv6(host)):
            raise OSError(errno.EINVAL, f"Cannot connect to {host!r}: it is no host name")
        self.authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.is_secure = False
        self.is_complete = False
        self.method = ""
        self._target = ""
        self._headers: list[tuple[str, str]] = []
        self._buffer = bytearray()
        self._body = bytearray()
        # Bytes of the body, or of its chunk, that are still to come; None while the head is read.
        self._missing: int | None = None
        self._is_chunked = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been written yet."""
        return not self._buffer and not self.method

    def feed(self, data: bytes) -> None:
        """Takes bytes. Raises OSError where they are no HTTP/1.1, or more than one request."""
        if not data:
            return
        if self.is_complete:
            raise self._problem("something was sent after the end of a request")
        self._buffer += data
        if self._missing is None:
            self._read_head()
        if self._missing is not None and self._is_chunked:
            self._read_chunks()
        elif self._missing is not None:
            self._read_body()
        if self.is_complete and self._buffer:
            self.is_complete = False
            raise self._problem("something was sent after the end of a request")

    def request(self) -> tuple[str, str, list[tuple[str, str]], bytes | None]:
        """The complete request: URL, method, headers and body."""
        url = f"{'https' if self.is_secure else 'http'}://{self.authority}{self._target}"
        return url, self.method, self._headers, bytes(self._body) or None

    def head(self, answer: Answer) -> bytes:
        """The head of an answer. Its body has the length that the head names, or goes on to the end of the connection."""
        fields = [(name, text) for name, text in answer.headers if name not in _OF_CONNECTION]
        whole = answer.whole
        if whole and all(name != "content-length" for name, _ in fields):
            fields.append(("content-length", str(len(whole))))
        lines = [f"{_SPELLINGS.get(name) or name.title()}: {text}" for name, text in fields]
        text = "\r\n".join([f"HTTP/1.1 {answer.status} {answer.reason}", *lines, "Connection: close", "", ""])
        return text.encode("latin-1", "replace")

    def _read_head(self) -> None:
        buffer = self._buffer
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            line_end = buffer.find(b"\n")
            line = buffer[: line_end + 1].removesuffix(b"\r\n")
            if not (_BEGINNING.match(buffer) if line_end < 0 else _REQUEST_LINE.fullmatch(line)):
                raise self._problem("what was sent is no HTTP/1.1")
            if len(buffer) > _MOST_HEAD_BYTES:
                raise self._problem(f"a request's head has more than {_MOST_HEAD_BYTES} bytes")
            return
        first, *lines = bytes(buffer[:end]).split(b"\r\n")
        del buffer[: end + 4]
        line = _REQUEST_LINE.fullmatch(first)
        if not line:
            raise self._problem("what was sent is no HTTP/1.1")
        self.method, self._target = line[1].decode(), line[2].decode()
        if self.method == "CONNECT" or not self._target.startswith("/"):
            raise self._problem(f"{self.method} {self._target[:100]} is a request to a proxy, and the host has its own")
        for text in lines:
            field = _FIELD.fullmatch(text)
            if not field:
                raise self._problem(f"{text[:100]!r} is no header")
            self._headers.append((field[1].decode(), field[2].rstrip(b" \t").decode("latin-1")))
        self._read_framing()

    def _read_framing(self) -> None:
        lengths = [text for name, text in self._headers if name.lower() == "content-length"]
        codings = [text.lower() for name, text in self._headers if name.lower() == "transfer-encoding"]
        if len(lengths) + len(codings) > 1:
            raise self._problem("the length of a request's body is given twice")
        if codings:
            if codings != ["chunked"]:
                raise self._problem(f"the transfer coding {codings[0][:100]!r} is not supported")
            self._is_chunked = True
            self._headers = [(name, text) for name, text in self._headers if name.lower() != "transfer-encoding"]
        elif lengths and not _LENGTH.fullmatch(lengths[0]):
            raise self._problem(f"the length {lengths[0][:100]!r} is no number")
        self._missing = int(lengths[0]) if lengths else 0

    def _read_body(self) -> None:
        part = self._buffer[: self._missing]
        del self._buffer[: len(part)]
        self._body += part
        self._missing -= len(part)
        self.is_complete = self._missing == 0

    def _read_chunks(self) -> None:
        buffer = self._buffer
        while not self.is_complete:
            if self._missing:
                # The line break behind the data belongs to the chunk.
                if len(buffer) < self._missing + 2:
                    return
                if buffer[self._missing : self._missing + 2] != b"\r\n":
                    raise self._problem("a chunk is longer than it says")
                self._body += buffer[: self._missing]
                del buffer[: self._missing + 2]
                self._missing = 0
            end = buffer.find(b"\r\n")
            if end < 0:
                if len(buffer) > 16:
                    raise self._problem("a chunk has no length")
                return
            if not _CHUNK_SIZE.fullmatch(buffer[:end]):
                raise self._problem("a chunk has no length")
            size = int(buffer[:end], 16)
            if size == 0:
                if len(buffer) < end + 4:
                    return
                if buffer[end + 2 : end + 4] != b"\r\n":
                    raise self._problem("there are headers behind a request's body")
                del buffer[: end + 4]
                self.is_complete = True
            else:
                del buffer[: end + 2]
                self._missing = size

    def _problem(self, what: str) -> OSError:
        return unsupported(self.authority, what)


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def unsupported(authority: str, what: str) -> OSError:
    """The error for all that is no HTTP request."""
    text = f"Cannot talk to {authority}: {what}. From a UDF, HTTP and HTTPS requests reach the network, and nothing else does"
    return OSError(errno.EPROTONOSUPPORT, text)
