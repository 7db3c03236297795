"""The published client and ours before the same server: what each asks of it, and what each makes of its answers."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
pytestmark = pytest.mark.skipif(sys.platform == "emscripten", reason="there are no processes")
pytest.importorskip("geopandas")

import published_client  # noqa: E402
from cases import CASES, SETUP  # noqa: E402
from fake_server import Asked, FakeServer  # noqa: E402

import fused  # noqa: E402

OPTIONS = [
    "default_dtype_out_vector",
    "default_run_headers",
    "fused_cache_disable_stream",
    "realtime_client_id",
    "verbose_udf_runs",
]
ENVIRONMENT = {"FUSED_AUTH_TOKEN": "secret", "FUSED_AUTH_TOKEN_TYPE": "Fused-Env-Bearer", "PYTHONDONTWRITEBYTECODE": "1"}
# Headers that say something to the server; the library of the client adds others.
TELLING = ("authorization", "content-type", "fused-recursion", "x-fused-cache-disable", "x-more")


def run_all(python: str, paths: list[Path], home: Path) -> dict[str, Any]:
    """What came out of each case, and what the server was asked meanwhile."""
    server = FakeServer()
    asked: dict[str, list[Asked]] = {}

    def begin(name: str) -> None:
        server.reset()
        server.routes.update({key: [*route] if isinstance(route, list) else route for key, route in CASES[name][1].items()})
        asked[name] = server.asked

    server.begin = begin
    given = {"origin": server.origin, "options": OPTIONS, "cases": {name: SETUP + code for name, (code, _) in CASES.items()}}
    environment = {**{name: value for name, value in os.environ.items() if not name.startswith("FUSED_")}, **ENVIRONMENT,
                   "HOME": str(home), "PYTHONPATH": os.pathsep.join(map(str, (HERE, *paths)))}  # fmt: skip
    done = subprocess.run(
        [python, str(HERE / "driver.py")], input=json.dumps(given), capture_output=True, text=True, env=environment, timeout=300
    )
    server.close()
    assert "OUTCOMES" in done.stdout, done.stderr
    outcomes = json.loads(done.stdout.rpartition("OUTCOMES")[2].replace(server.origin, "ORIGIN"))
    return {
        name: {"outcome": outcomes[name], "asked": [seen(one) for one in asked[name] if not is_about_us(one)]} for name in CASES
    }


def is_about_us(asked: Asked) -> bool:
    """Whether it asks who we are, or who runs for us: when that is asked is each client's own business."""
    return asked.path in ("/server/v1/user/self", "/server/v1/realtime-instance/available")


def seen(asked: Asked) -> dict[str, Any]:
    """A request, but for what may differ: the order of a query, the spelling of a flag, a flag that asks for nothing."""
    query = sorted([name, value.lower() if name == "profile" else value] for name, value in asked.query if name != "_stream_logs")
    body = asked.json if asked.body else None
    if body and "step_config" in body:
        body["step_config"] = json.loads(body["step_config"])
        # Where a UDF that was never saved belongs to, each says in its own way.
        body["step_config"]["udf"].pop("collection_name")
    # The published client says how a run may be cached in requests that run nothing, too.
    telling = TELLING if "/run/" in asked.path else ("authorization",)
    headers = {name: asked.headers[name] for name in telling if name in asked.headers and (name != "content-type" or asked.body)}
    return {"request": f"{asked.method} {asked.path}", "query": query, "headers": headers, "body": body}


@pytest.fixture(scope="module")
def theirs(tmp_path_factory) -> Iterator[dict[str, Any]]:
    return run_all(published_client.python(), [], tmp_path_factory.mktemp("theirs"))


@pytest.fixture(scope="module")
def ours(tmp_path_factory) -> Iterator[dict[str, Any]]:
    return run_all(sys.executable, [Path(fused.__file__).parent.parent], tmp_path_factory.mktemp("ours"))


@pytest.mark.parametrize("name", CASES)
def test_both_ask_the_same(theirs, ours, name):
    assert ours[name]["asked"] == theirs[name]["asked"]


@pytest.mark.parametrize("name", CASES)
def test_both_make_the_same_of_the_answer(theirs, ours, name):
    assert ours[name]["outcome"] == theirs[name]["outcome"]
