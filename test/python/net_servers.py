"""Servers for tests: HTTP and HTTPS on this machine, whose paths say what they answer."""

import base64
import gzip
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PATTERN = bytes(range(256))


def pattern(size: int) -> bytes:
    """So many bytes that show where each belongs."""
    return (PATTERN * (size // 256 + 1))[:size]


class Handler(BaseHTTPRequestHandler):
    """Answers by path: each method below that begins with `at_` is one."""

    protocol_version = "HTTP/1.1"

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (ConnectionError, ssl.SSLError):
            self.close_connection = True

    def _dispatch(self) -> None:
        url = urlsplit(self.path)
        self.query = {name: texts[0] for name, texts in parse_qs(url.query).items()}
        self.body = self._read_body()
        self.server.requests.append(f"{self.command} {self.path}")
        first = url.path.strip("/").partition("/")[0].replace(".", "_").replace("-", "_")
        getattr(self, f"at_{first}", self.at_echo)()

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_PROPFIND = _dispatch

    def _read_body(self) -> bytes:
        assert "transfer-encoding" not in self.headers
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def log_message(self, *args: Any) -> None:
        """Says nothing."""

    def reply(self, status: int, body: bytes, *headers: tuple[str, str], reason: str | None = None) -> None:
        """Answers with a body of known length."""
        self.send_response(status, reason)
        for name, text in headers:
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def reply_json(self, value: Any, *headers: tuple[str, str]) -> None:
        """Answers with JSON."""
        self.reply(200, json.dumps(value).encode(), ("Content-Type", "application/json"), *headers)

    def at_echo(self) -> None:
        """What was asked."""
        self.reply_json({"method": self.command, "path": self.path, "headers": [[name.lower(), text] for name, text in self.headers.items()],
                         "body": self.body.decode("latin-1"), "secure": isinstance(self.connection, ssl.SSLSocket)})  # fmt: skip

    def at_redirect(self) -> None:
        """To `to`, with `status`."""
        self.reply(int(self.query.get("status", 302)), b"", ("Location", self.query["to"]))

    def at_cookies(self) -> None:
        """Sets what the query says, and shows what came."""
        self.reply_json({"cookie": self.headers.get("cookie")}, *(("Set-Cookie", f"{name}={text}; Path=/") for name, text in self.query.items()))

    def at_bytes(self) -> None:
        """`n` bytes of the pattern."""
        self.reply(200, pattern(int(self.query["n"])), ("Content-Type", "application/octet-stream"))

    def at_chunked(self) -> None:
        """The same, of a length that nobody tells."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        data = pattern(int(self.query["n"]))
        for start in range(0, len(data), 10_000):
            part = data[start : start + 10_000]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def at_gzip(self) -> None:
        """Compressed JSON."""
        self.reply(200, gzip.compress(b'{"compressed": true}'), ("Content-Encoding", "gzip"), ("Content-Type", "application/json"))

    def at_slow(self) -> None:
        """After `s` seconds."""
        time.sleep(float(self.query["s"]))
        self.reply(200, b"late")

    def at_drip(self) -> None:
        """`n` parts of 100 kB with `s` seconds between them."""
        count, pause = int(self.query["n"]), float(self.query["s"])
        self.send_response(200)
        self.send_header("Content-Length", str(count * 100_000))
        self.end_headers()
        for index in range(count):
            if index:
                time.sleep(pause)
            self.wfile.write(b"x" * 100_000)

    def at_status(self) -> None:
        """The status that the path ends with."""
        status = int(self.path.rpartition("/")[2])
        self.reply(status, b"" if status in (204, 304) else b"a body", ("Content-Type", "text/plain"), ("Retry-After", "0"))

    def at_file(self) -> None:
        """1 MB, whole or a range of it."""
        data = pattern(1_000_000)
        asked = self.headers.get("range")
        if asked is None:
            self.reply(200, data, ("Accept-Ranges", "bytes"), ("ETag", '"one"'), ("Content-Type", "text/x-pattern; charset=utf-8"))
            return
        first, _, last = asked.removeprefix("bytes=").partition("-")
        end = min(int(last or len(data)), len(data) - 1)
        self.reply(206, data[int(first) : end + 1], ("Content-Range", f"bytes {first}-{end}/{len(data)}"))

    def at_norange(self) -> None:
        """The same, always whole."""
        self.reply(200, pattern(1_000_000))

    def at_nohead(self) -> None:
        """The same, and HEAD is not known."""
        if self.command == "HEAD":
            self.reply(405, b"")
        else:
            self.at_file()

    def at_listing(self) -> None:
        """A page with links."""
        links = ["a.csv", "b.csv", "sub/", "/elsewhere", "?sort=name", "https://other.example/c.csv"]
        self.reply(200, "".join(f'<a href="{link}">x</a>' for link in links).encode(), ("Content-Type", "text/html"))

    def at_basic(self) -> None:
        """For ada, whose password is s3cret."""
        expected = "Basic " + base64.b64encode(b"ada:s3cret").decode()
        if self.headers.get("authorization") == expected:
            self.reply(200, b"welcome")
        else:
            self.reply(401, b"", ("WWW-Authenticate", 'Basic realm="here"'))

    def at_data(self) -> None:
        """What the test put there, under the path."""
        self.reply(200, self.server.files[self.path], ("Content-Type", "application/octet-stream"))

    def at_break(self) -> None:
        """An answer that ends before its length."""
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.wfile.write(b"x" * 200_000)
        self.close_connection = True

    def at_garbage(self) -> None:
        """No HTTP."""
        self.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")
        self.close_connection = True


class Server(ThreadingHTTPServer):
    """A running server: `url`, `port`, and the requests so far."""

    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[str] = []
        self.files: dict[str, bytes] = {}
        self.port = self.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: clients may go."""


@contextmanager
def serve(tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Runs a server."""
    server = Server(tls)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
