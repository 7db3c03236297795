"""A small server on loopback that keeps UDFs, tokens and schedules: the routes of the wire that a UDF object asks, and a log of what was asked."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


class UdfServer:
    """What it keeps and what it was asked: `asked` has "METHOD /path?query" of each request, `bodies` their JSON."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.bodies: list[Any] = []
        self.udfs: dict[str, dict[str, Any]] = {}
        self.tokens: list[dict[str, Any]] = []
        self.crons: dict[str, dict[str, Any]] = {}
        self.github: dict[str, dict[str, Any]] = {}
        self.collections: dict[str, str] = {}
        self.gists: dict[str, dict[str, Any]] = {}
        self.url = ""

    def saved(self, id: str, body: dict[str, Any]) -> dict[str, Any]:
        """The record of a UDF, as the server hands it out."""
        record = {"id": id, "slug": body["slug"], "udf_body": body["udf_body"], "udf_type": "auto", "collection_id": body.get("collection_id") or "c0",
                  "collection_name": "default", "last_updated": "2026-01-01T00:00:00"}  # fmt: skip
        self.udfs[id] = record
        return record

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        """Status and JSON of an answer."""
        parts = [unquote(part) for part in path.strip("/").split("/")]
        match method, parts:
            case "GET", ["user", "self"]:
                return 200, {"id": "u", "email": "me@x.org", "handle": "me", "execution_environment_id": "e", "name": "Me"}
            case "GET", ["realtime-instance", "available"]:
                return 200, [{"client_id": "cid", "preference_rank": 1}]
            case "POST", ["udf", "new"]:
                return 200, self.saved(f"00000000-0000-0000-0000-{len(self.udfs):012}", body)
            case "POST", ["udf", "by-id", id] if id in self.udfs:
                return 200, self.saved(id, body)
            case "GET", ["udf", "by-id", id] if id in self.udfs:
                return 200, self.udfs[id]
            case "DELETE", ["udf", "by-id", id] if id in self.udfs:
                return 200, self.udfs.pop(id)
            case "GET", ["udf", *_, "by-slug", slug] if found := [record for record in self.udfs.values() if record["slug"] == slug]:
                return 200, found[-1]
            case "GET", ["udf", "shared", "by-token", token] if found := [one for one in self.tokens if one["token"] == token]:
                return 200, self.udfs[found[0]["udf_id"]]
            case "GET", ["code-proxy", "by-url"] if query["url"][0] in self.github:
                return 200, self.github[query["url"][0]]
            case "GET", ["collection", "by-name", name] if name in self.collections:
                return 200, {"id": self.collections[name], "name": name}
            case "POST", ["collection", "new"]:
                self.collections[body["name"]] = f"c{len(self.collections) + 1}"
                return 200, {"id": self.collections[body["name"]], "name": body["name"]}
            case "POST", ["udf-access-token", "new"]:
                token = {**body, "token": f"fsh_{len(self.tokens)}", "owning_user_id": "u", "owning_execution_environment_id": "e",
                         "last_updated": "2026-01-01T00:00:00"}  # fmt: skip
                self.tokens.append(token)
                return 200, token
            case "GET", ["udf-access-token", "self"]:
                start = int(query["skip"][0])
                return 200, self.tokens[start : start + int(query["limit"][0])]
            case "GET", ["cronjob", "by-udf-id", id]:
                return 200, [cron for cron in self.crons.values() if cron["udf"] == id]
            case "POST", ["cronjob", "create"]:
                self.crons["cron"] = {**body, "id": "cron"}
                return 200, self.crons["cron"]
            case "POST", ["cronjob", "by-id", id]:
                self.crons[id] = {**body, "id": id}
                return 200, self.crons[id]
            case "DELETE", ["realtime-shared", "cid", "udf-cache", *_]:
                return 200, {}
            case "GET", ["gists", id] if id in self.gists:
                return 200, {"files": self.gists[id]}
        return 404, {"detail": f"there is no {path}"}


@contextmanager
def serving() -> Iterator[UdfServer]:
    """The server while it runs; `url` is what `fused.options.base_url` takes."""
    state = UdfServer()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length") or 0))
            target = urlsplit(self.path)
            body = json.loads(content) if content else None
            path = target.path.removeprefix("/server/v1")
            state.asked.append(f"{self.command} {path}{'?' + target.query if target.query else ''}")
            state.bodies.append(body)
            status, answer = state.answer(self.command, path, parse_qs(target.query), body)
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_DELETE = answer

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/server/v1"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
