"""`fused.submit` with a batch instance type: jobs on a server, which is one of ours that keeps what it is asked."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

import fused

pytestmark = pytest.mark.skipif(sys.platform == "emscripten", reason="there are no servers")


@fused.udf
def product(x: int, k: int = 1):
    return x * k


class Server(ThreadingHTTPServer):
    """Its jobs have ended as soon as somebody asks; job 2 has failed."""

    def __init__(self):
        self.jobs = []
        super().__init__(("127.0.0.1", 0), Handler)

    def answer(self, method, path, body):
        host = f"http://127.0.0.1:{self.server_port}"
        parts = urlsplit(path)
        steps = parts.path.strip("/").split("/")
        if method == "POST" and steps == ["run"]:
            self.jobs.append((json.loads(body)["config"]["steps"][0], parse_qs(parts.query)))
            return self.state(len(self.jobs), "pending")
        if steps[0] == "file":
            value = self.jobs[int(steps[1]) - 1][0]["input"][int(steps[2])]
            return value["x"] * value["k"]
        job = int(steps[2])
        if steps[-1] == "results":
            count = len(self.jobs[job - 1][0]["input"])
            return [{"name": f"{at}.json", "url": f"{host}/file/{job}/{at}"} for at in range(count)]
        return self.state(job, "Failed" if job == 2 else "Done")

    def state(self, job, status):
        return {"job_id": str(job), "job_name": "job", "instance_id": None, "instance_type": "small", "status": "x",
                "terminal_status": status != "pending", "job_status": status, "finished_job_status": status != "pending",
                "job_status_date": None, "total_tasks": 0, "finished_tasks": 0, "last_heartbeat": None}  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    def _answer(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        text = json.dumps(self.server.answer(self.command, self.path, body)).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = _answer

    def log_message(self, *args):
        pass


@pytest.fixture
def jobs(monkeypatch):
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(fused.options, "base_url", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("FUSED_AUTH_TOKEN", "none")
        monkeypatch.setenv("FUSED_AUTH_TOKEN_TYPE", "Fused-Service-Token")
        yield server.jobs
        server.shutdown()


def test_the_arguments_are_cut_evenly_and_results_come_in_their_order(jobs):
    pool = fused.submit(product, [1, 2, 3, 4, 5], k=2, instance_type="small", max_workers=2, collect=False)
    assert [step["name"] for step, _ in jobs] == ["product__worker1", "product__worker2"]
    assert [[entry["x"] for entry in step["input"]] for step, _ in jobs] == [[1, 2, 3], [4, 5]]
    assert jobs[0][1]["instance_type"] == ["small"]
    assert [str(value) for value in pool.results(return_exceptions=True)] == ["2", "4", "6"] + [
        f'Run #{at}\n{{\n  "x": {at + 1}\n}}\nBatch job 2 has no result: its status is Failed' for at in (3, 4)]  # fmt: skip


def test_there_is_one_worker_by_default_and_collecting_is_refused_after_they_were_sent(jobs):
    with pytest.raises(NotImplementedError, match="collect=False"):
        fused.submit(product, [1, 2], k=2, engine="small")
    assert len(jobs) == 1
    with pytest.warns(UserWarning, match="at most 5 for batch"):
        fused.submit(product, range(7), k=2, engine="small", max_workers=9, collect=False)
    assert len(jobs) == 6
