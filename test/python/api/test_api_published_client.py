"""The same calls by the published client and by ours, against the same server: the same requests, and the same outcome."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import published_client
import pytest
from calls import CALLS
from wire_server import FakeServer

pytestmark = pytest.mark.skipif(sys.platform == "emscripten", reason="there are no processes")

HERE = Path(__file__).parent
SDK = HERE.parents[2] / "sdk" / "python"

DIFFERENT = {
    "delete": "the client sends a body, the JSON text {} as a JSON string, with DELETE; nothing reads it",
    "delete unlimited": "as delete",
    "delete of the mount": "the client sends paths with one slash too many at their beginning",
    "delete of a folder of the mount": "as delete of the mount",
    "find_dataset": "the client sends the scheme Bearer there, whatever the scheme of the token is",
    "repr of jobs": "the client asks the server again for a repr: a debugger must not; refresh() does",
    "secret attribute set": "the client sets a Python attribute and keeps no secret: ours says that it keeps none",
    "ingest.execute with output_table": "the reference has these arguments, the client has not: they are taken, with a warning",
    "job with a UDF": "the client drops the parameters that the run is given: it sends the job as it was",
    "schedule_udf": "to save the UDF, the client asks for the collection default, and writes `a: int=1` for `a: int = 1`",
    "token update": "the client warns of its own models",
    "token refresh": "the client warns of its own models",
}
"""Where we differ, and why."""


def outcomes(python: str, home: Path, **environment: str) -> dict[str, Any]:
    with FakeServer() as fake:
        done = subprocess.run([python, str(HERE / "calls.py"), fake.origin], capture_output=True, text=True, timeout=300,
                              env={**os.environ, "HOME": str(home), "PYTHONPATH": "", "FUSED_AUTH_TOKEN_TYPE": "Fused-Env-Bearer",
                                   "FUSED_AUTH_TOKEN": "secret-token", **environment})  # fmt: skip
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = {}
        for line in done.stdout.replace(fake.origin, "ORIGIN").splitlines():
            report = json.loads(line)
            found[report.pop("name")] = {**report, "requests": []}
        name = ""
        for request in fake.requests:
            if "mark" in request:
                name = request["mark"]
            else:
                found[name]["requests"].append(comparable(request))
    return found


def comparable(request: dict[str, Any]) -> dict[str, Any]:
    """What of a request counts: not when the realtime client is asked for, and not how pyarrow of another version writes a table."""
    body = request.pop("body")
    form = request["form"]
    if form and "file" in form and form["file"][0].startswith("PAR1"):
        form["file"][0] = "Parquet"
    elif request["json"] is None and form is None:
        request["body"] = body.decode("latin-1")
    if "sign-upload" in request["path"]:
        request["query"].pop("content_length")
    return request


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    homes = [tmp_path_factory.mktemp("home") for _ in range(2)]
    return outcomes(published_client.python(), homes[0]), outcomes(sys.executable, homes[1], PYTHONPATH=str(SDK))


def simple(outcome: dict[str, Any]) -> dict[str, Any]:
    """An outcome without what is only a matter of libraries: the class of a time zone, the words of a validation, a temporary folder."""
    text = json.dumps(outcome).replace("TzInfo(0)", "datetime.timezone.utc")
    found = json.loads(text)
    error = found.get("error")
    if error is not None:
        error["kinds"] = error["kinds"][0]
        if error["kinds"] in ("ValidationError", "FileNotFoundError"):
            # The words are ours; the class and the field are not.
            error["text"] = error["text"].split("\n")[1:2] if error["kinds"] == "ValidationError" else None
        elif "is invalid. It must start with one of" in error["text"]:
            error["text"] = sorted(error["text"].replace(",", "").split())  # the client's order is that of a set
    found["requests"] = [request for request in found["requests"] if not request["path"].endswith("/realtime-instance/available")]
    return found


@pytest.mark.parametrize("name", [name for name in CALLS if name not in DIFFERENT])
def test_a_call_is_that_of_the_published_client(both: tuple[dict[str, Any], dict[str, Any]], name: str) -> None:
    theirs, ours = both
    assert simple(ours[name]) == simple(theirs[name])


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_difference_is_still_one(both: tuple[dict[str, Any], dict[str, Any]], name: str) -> None:
    theirs, ours = both
    assert simple(ours[name]) != simple(theirs[name])
