"""The same calls of `fused.submit` by the published client and by ours, with the local engine: the same outcome."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import published_client
import pytest

if sys.platform == "emscripten":
    pytest.skip("there are no processes", allow_module_level=True)

sys.path.insert(0, str(Path(__file__).parent))

from submit_calls import CALLS  # noqa: E402

HERE = Path(__file__).parent
SDK = HERE.parents[2] / "sdk" / "python"

DIFFERENT = {
    "tail's timeout": "ours is the class JobPoolTailTimeoutError, which is a TimeoutError and says what is left",
}
"""Where we differ, and why."""

# Our messages are our own; what a run raised is not.
OWN_WORDS = {"no arguments", "a set", "values for no parameter", "values for a name", "a lambda", "an execution type", "no workers",
             "workers as a text", "an age", "an age without a cache", "an unknown parameter", "itself", "cancelled results"}  # fmt: skip


def outcomes(python: str, home: Path, **environment: str) -> dict[str, Any]:
    done = subprocess.run([python, str(HERE / "submit_calls.py")], capture_output=True, text=True, timeout=300, cwd=home,
                          env={**os.environ, "HOME": str(home), "PYTHONPATH": "", "PYTHONWARNINGS": "ignore",
                               "FUSED_AUTH_TOKEN_TYPE": "Fused-Service-Token", "FUSED_AUTH_TOKEN": "none", **environment})  # fmt: skip
    found = [json.loads(line.removeprefix("CALL")) for line in done.stdout.splitlines() if line.startswith("CALL")]
    assert len(found) == len(CALLS), done.stderr
    return {report.pop("name"): report for report in found}


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> tuple[dict[str, Any], dict[str, Any]]:
    theirs = outcomes(published_client.python(), tmp_path_factory.mktemp("theirs"))
    ours = outcomes(sys.executable, tmp_path_factory.mktemp("ours"), PYTHONPATH=str(SDK))
    return theirs, ours


def told(report: dict[str, Any], name: str) -> dict[str, Any]:
    """What of an outcome is to be the same."""
    found = {key: value for key, value in report.items() if key != "printed"}
    if name in OWN_WORDS:
        found.pop("message", None)
    return found


@pytest.mark.parametrize("name", CALLS)
def test_the_outcome_is_the_same(both, name):
    theirs, ours = (told(side[name], name) for side in both)
    if name in DIFFERENT:
        assert ours != theirs, f"no longer different: {DIFFERENT[name]}"
    else:
        assert ours == theirs
