"""A server of the wire protocol that answers what a test says, and remembers what it was asked."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Asked:
    """A request that came."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answer:
    """What to answer. A value that is no bytes goes as JSON."""

    body: Any = b""
    status: int = 200
    type: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


CLIENTS = [{"client_id": "slow", "preference_rank": 1}, {"client_id": "fast", "preference_rank": 5}]


class FakeServer:
    """Answers by route, a method and a path below the server's address; a route is an Answer, a list of them (one a request, the
    last stays), or a function of the request. What asks for `/begin/NAME` has `begin(NAME)` called."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.begin: Callable[[str], None] | None = None
        self.routes: dict[str, Answer | list[Answer] | Callable[[Asked], Answer]] = {}
        self.reset()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, parts.path, parse_qsl(parts.query, keep_blank_values=True), headers, body)
                if asked.path.startswith("/begin/") and server.begin is not None:
                    server.begin(asked.path.removeprefix("/begin/"))
                    self.reply(Answer(b""))
                    return
                server.asked.append(asked)
                self.reply(server.answer(asked))

            do_GET = do_POST = do_PUT = do_DELETE = handle_any

            def reply(self, answer: Answer) -> None:
                body, kind = answer.body, answer.type
                if not isinstance(body, bytes):
                    body, kind = json.dumps(body).encode(), kind or "application/json"
                self.send_response(answer.status)
                if kind:
                    self.send_header("content-type", kind)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def reset(self) -> None:
        """Forgets what was asked and the routes of a test."""
        self.asked = []
        self.routes = {
            "GET /server/v1/realtime-instance/available": Answer(CLIENTS),
            # The published client asks who it is before each run.
            "GET /server/v1/user/self": Answer({"id": "1", "email": "ada@example.com", "handle": "ada"}),
        }

    def answer(self, asked: Asked) -> Answer:
        route = self.routes.get(f"{asked.method} {asked.path}")
        if route is None:
            return Answer({"detail": "Not Found"}, 404)
        if callable(route):
            return route(asked)
        if isinstance(route, list):
            return route.pop(0) if len(route) > 1 else route[0]
        return route

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
