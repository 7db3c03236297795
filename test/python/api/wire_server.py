"""A server that answers the routes of the wire with fixed values, and remembers what it was asked."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

JOB = {
    "job_id": "job-1", "job_name": "a_job", "instance_id": "i-1", "instance_type": "m5.large", "status": "terminated",
    "terminal_status": True, "job_status": "Done", "job_status_date": "2026-01-02T03:04:05Z", "finished_job_status": True,
    "total_tasks": 2, "finished_tasks": 2, "last_heartbeat": None,
}  # fmt: skip
LOGS = [
    {"message": "begin \n", "timestamp": 1000},
    {"message": "  work", "timestamp": 2500},
    {"message": "end\n", "timestamp": 61000},
]
TOKEN = {
    "token": "fsh_abc", "udf_email": "ann@example.com", "udf_slug": "hello", "udf_id": None, "enabled": True, "client_id": "client-2",
    "cache": True, "metadata_json": {}, "last_updated": "2026-01-02T03:04:05", "owning_user_id": "u-1", "unknown": 1,
}  # fmt: skip
CRON_JOB = {
    "id": "cron-1", "name": "hello", "enabled": True, "minute": [0], "hour": [3], "day_of_month": list(range(1, 32)),
    "month": list(range(1, 13)), "day_of_week": list(range(7)), "udf": "11111111-1111-4111-8111-111111111111", "udf_args": {"a": 1},
    "last_run": None,
}  # fmt: skip
LISTED_JOB = {
    "id": "job-1", "user_id": "u-1", "creation_date": "2026-01-02T03:04:05Z", "job_status": "Done", "execution_environment_id": "e-1",
}  # fmt: skip
CODE = "@fused.udf\ndef hello(a: int = 1):\n    return a\n"
UDF_BODY = {"type": "geopandas_v2", "name": "hello", "code": CODE, "headers": [], "entrypoint": "hello", "parameters": {}, "metadata": {}}
SAVED_UDF = {"id": "11111111-1111-4111-8111-111111111111", "slug": "hello", "udf_body": json.dumps(UDF_BODY), "udf_type": "auto"}
DETAILS = {
    "url": "s3://bucket/a/b.txt", "file_name": "b.txt", "is_directory": False, "size": 3, "last_modified": "2026-01-02T03:04:05Z",
    "unknown": 1,
}  # fmt: skip
SECRETS = {"KEY": "value of KEY", "OTHER": "value of OTHER"}


class FakeServer(ThreadingHTTPServer):
    """Serves on 127.0.0.1 at a free port, from `with` on. `requests` holds what was asked, in order."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[dict[str, Any]] = []
        self.routes: dict[tuple[str, str], Callable[[dict[str, Any]], tuple[int, Any]]] = {}
        self.origin = f"http://127.0.0.1:{self.server_port}"
        self.base_url = f"{self.origin}/server/v1"

    def __enter__(self) -> "FakeServer":
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def route(self, method: str, path: str, answer: Any, status: int = 200) -> None:
        """Puts an answer in place of the fixed one; a function is given the request and returns (status, answer)."""
        self.routes[method, path] = answer if callable(answer) else lambda _: (status, answer)

    def answer(self, request: dict[str, Any]) -> tuple[int, Any]:
        method, path = request["method"], request["path"].removeprefix("/server/v1")
        own = self.routes.get((method, path))
        if own is not None:
            return own(request)
        return _fixed(self.origin, method, path, request)


def _fixed(origin: str, method: str, path: str, request: dict[str, Any]) -> tuple[int, Any]:
    parts = path.strip("/").split("/")
    match [method, *parts]:
        case [_, "realtime-instance", "available"]:
            return 200, [{"client_id": "client-1", "preference_rank": 0}, {"client_id": "client-2", "preference_rank": 5}]
        case ["GET", "user", "self"]:
            return 200, {"email": "ann@example.com", "handle": "ann", "execution_environment_id": "e-1"}
        case ["GET", "execution-env", "self"]:
            return 200, {"id": "e-1", "name": "team"}
        case ["GET", "execution-env", "token"]:
            return 200, "team-token"
        case ["GET", "files", "list"]:
            return 200, ["s3://bucket/a/b.txt", "s3://bucket/a/c/"]
        case ["GET", "files", "list-details"]:
            return 200, [DETAILS]
        case ["GET", "files", "get"]:
            return 200, b"\x00content"
        case ["GET", "files", "sign"]:
            return 200, f"{origin}/signed?x=1"
        case ["GET", "files", "sign_prefix"]:
            return 200, {"a/b.txt": f"{origin}/signed?x=1"}
        case ["DELETE", "files", "delete"]:
            return 200, True
        case ["POST", "files", "resolve"]:
            return 200, "s3://bucket/team/a.txt"
        case ["GET", "files", "sign-upload"]:
            return 200, {"url": f"{origin}/upload-here", "fields": {"key": "a", "policy": "p"}}
        case ["GET", "files", "sign-upload-temp"]:
            post = {"url": f"{origin}/upload-here", "fields": {"key": "t"}}
            return 200, {"signed_post": post, "storage_url": "fused_intermediary://tmp/1"}
        case ["POST", "upload-here"]:
            return 204, b""
        case [_, "efs", _, "list"]:
            return 200, {"items": [{"url": "a/b.txt", "file_name": "b.txt", "is_directory": False, "size": 3}]}
        case [_, "efs", _, "download"]:
            return 200, b"mounted"
        case [_, "efs", _, "upload" | "delete-file" | "delete-dir"]:
            return 200, True
        case ["POST", "run"] | ["GET", "run", "by-id", _] | ["POST", "run", "by-id", _, "cancel"]:
            return 200, JOB
        case ["GET", "run", "by-id", _, "results"]:
            return 200, [{"name": f"{n}.{end}", "url": f"{origin}/results/{n}.{end}"} for n, end in ((10, "json"), (2, "json"))]
        case ["GET", "results", name]:
            return 200, {"from": name}
        case ["GET", "logs", _]:
            return 200, LOGS
        case ["GET", "job", "self"]:
            return 200, [{**LISTED_JOB, "id": f"job-{n}"} for n in range(1, 4)] if request["query"].get("skip") in (None, "0") else []
        case ["GET", "job", "by-id", _, "config"]:
            return 307, f"{origin}/job-config"
        case ["GET", "job-config"]:
            return 200, {
                "name": "a_job",
                "steps": [{"type": "partition_nongeospatial", "input": "s3://bucket/in.parquet"}],
                "metadata": None,
            }
        case ["GET", "udf", "self" | "public"] | ["GET", "udf", "exec-env", "self"]:
            return 200, [SAVED_UDF] if request["query"].get("skip") == "0" else []
        case ["POST", "udf", "new"] | [_, "udf", "by-id", _]:
            return 200, SAVED_UDF
        case ["POST", "udf-access-token", "new"] | [_, "udf-access-token", "by-token", _]:
            return 200, TOKEN
        case ["GET", "udf-access-token", "self"]:
            return 200, [TOKEN] if request["query"].get("skip") == "0" else []
        case ["GET", "cronjob", "get-self"] | ["GET", "cronjob", "by-udf-id", _]:
            return 200, [CRON_JOB]
        case ["POST", "cronjob", "user-run", "by-id", _]:
            return 200, {"run": JOB, "cronjob": {**CRON_JOB, "last_run": "2026-01-02T03:04:05Z"}}
        case [_, "cronjob", *_]:
            return 200, CRON_JOB
        case ["GET", "realtime", _, "api", "v1", "secrets"]:
            return 200, SECRETS
        case ["GET", "realtime", _, "api", "v1", "secrets", key]:
            return (200, SECRETS[key]) if key in SECRETS else (404, {"detail": f"Secret {key} not found"})
        case [_, "realtime", _, "api", "v1", "secrets", _]:
            return 200, "done"
        case ["GET", "secrets", "self", "user"]:
            return 200, {"secrets": ["MINE"]}
        case ["GET", "secrets", "self", "user", _]:
            return 200, {"value": "my value"}
        case ["GET", "log", *_]:
            return 200, {"logs": []}
        case ["GET", "datasets", "find-by-location"] | ["POST", "datasets", "register-from-url"]:
            return 200, {"id": "d-1", "location": "s3://bucket/data"}
        case ["POST", "session-token", "by-access-token", _]:
            return 200, {"session_token": "v1:1767323045:sig", "expires_at": "2026-01-02T03:04:05Z"}
    return 404, {"detail": f"no such route: {method} {path}"}


class _Handler(BaseHTTPRequestHandler):
    server: FakeServer
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.headers.get("transfer-encoding") == "chunked":
            body = self._chunks()
        kind = self.headers.get("content-type", "")
        request = {
            "method": self.command,
            "path": unquote(url.path),
            "query": dict(parse_qsl(url.query, keep_blank_values=True)),
            "authorization": self.headers.get("authorization"),
            "recursion": self.headers.get("fused-recursion"),
            "json": json.loads(body) if kind == "application/json" and body else None,
            "form": _form(kind, body) if kind.startswith("multipart/") else None,
            "body": body,
        }
        if url.path != "/mark":
            self.server.requests.append(request)
        else:
            self.server.requests.append({"mark": request["query"]["name"]})
        status, answer = (200, None) if url.path == "/mark" else self.server.answer(request)
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("location", answer)
        self.send_header("content-type", "application/octet-stream" if isinstance(answer, bytes) else "application/json")
        if status != 204:
            self.send_header("content-length", str(len(data)))
        self.end_headers()
        if status != 204:
            self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _answer  # noqa: N815

    def _chunks(self) -> bytes:
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def _form(kind: str, body: bytes) -> dict[str, Any]:
    """The fields of a multipart body: name -> text, and for a file [its bytes as text, whether it has a file name]."""
    from email.parser import BytesParser

    message = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    fields: dict[str, Any] = {}
    for part in message.get_payload():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True).decode("latin-1")
        fields[name] = content if part.get_filename() is None else [content, True]
    return fields
