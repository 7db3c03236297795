"""A server to ask, and our package set up to ask it."""

import sys
from collections.abc import Iterator

import pytest
from wire_server import FakeServer

import fused
from fused import _global_api, context
from fused._server import server as calls


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    """A server with the fixed answers; `fused.options` name it, and the environment says who we are."""
    if sys.platform == "emscripten":
        pytest.skip("there are no servers")
    monkeypatch.setenv("FUSED_AUTH_TOKEN_TYPE", "Fused-Env-Bearer")
    monkeypatch.setenv("FUSED_AUTH_TOKEN", "secret-token")
    calls._clients.clear()
    context._users.clear()
    with FakeServer() as fake:
        fused.options.base_url = fake.base_url
        fused.options.shared_udf_base_url = fake.origin
        fused.options.request_max_retries = 0
        yield fake
    for name in ("base_url", "shared_udf_base_url", "request_max_retries"):
        delattr(fused.options, name)
    _global_api.reset_api()


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server and no isolate: a plain Python."""
    monkeypatch.delenv("FUSED_BASE_URL", raising=False)
    monkeypatch.setattr(type(fused.options), "_read_stored", lambda self: {})
    _global_api.reset_api()
