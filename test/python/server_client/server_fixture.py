"""A fake server that the options name, for tests of ours in this process."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_server import Answer, FakeServer

import fused

START = "POST /server/v1/realtime/fast/api/v1/run/udf/start"
SEVEN = Answer(7)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeServer]:
    """A server that the options name."""
    made = FakeServer()
    options = fused.options
    before = dict(vars(options))
    vars(options).clear()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FUSED_AUTH_TOKEN", "secret")
    monkeypatch.delenv("FUSED_AUTH_TOKEN_TYPE", raising=False)
    options.base_url, options.request_retry_base_delay, options.request_max_retries = f"{made.origin}/server/v1", 0.01, 2
    yield made
    made.close()
    vars(options).clear()
    vars(options).update(before)


def paths(fake: FakeServer) -> list[str]:
    """What it was asked, but for who runs for us."""
    return [f"{asked.method} {asked.path}" for asked in fake.asked if not asked.path.endswith("/available")]
