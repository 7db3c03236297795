"""Calls of a server: which one runs for us, what goes into a request, errors, and who we are."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
pytestmark = pytest.mark.skipif(sys.platform == "emscripten", reason="there are no sockets to listen on")
pytest.importorskip("requests")

from fake_server import Answer  # noqa: E402
from server_fixture import SEVEN, START, fake, paths  # noqa: E402, F401

import fused  # noqa: E402
from fused._server import credentials, http, server  # noqa: E402


@fused.udf
def u(a: int = 1, b: str = "x"):
    return a


def test_the_server_client_is_asked_for_once_and_may_be_none(fake):
    fake.routes[START] = SEVEN
    assert [fused.run(u), fused.run(u)] == [7, 7]
    assert sum(asked.path.endswith("/available") for asked in fake.asked) == 1
    fake.routes["GET /server/v1/realtime-instance/available"] = Answer([])
    fused.options.base_url += "/"
    server._clients.clear()
    with pytest.raises(RuntimeError, match="it has no realtime client"):
        fused.run(u)


def test_what_a_server_calls_its_client_stays_one_part_of_the_path(fake):
    fake.routes["GET /server/v1/realtime-instance/available"] = Answer([{"client_id": "../x?y", "preference_rank": "z"}, 3])
    with pytest.raises(server.HTTPError):
        fused.run(u)
    assert paths(fake) == ["POST /server/v1/realtime/..%2Fx%3Fy/api/v1/run/udf/start"]


def test_calls_leave_none_out_and_give_json(fake):
    fake.routes.update(
        {
            "GET /server/v1/a": Answer({"b": 1}),
            "POST /server/v1/a": Answer(b""),
            "GET /server/v1/page": Answer(b"<p>", type="text/html"),
        }
    )
    assert server.call("GET", "/a", params={"n": None, "l": [1, 2], "t": True}) == {"b": 1}
    assert fake.asked[-1].query == [("l", "1"), ("l", "2"), ("t", "true")]
    assert asyncio.run(server.call_async("POST", "a", json={"x": "\u00fc"}, headers={"X-None": None})) is None
    assert (fake.asked[-1].json, "x-none" in fake.asked[-1].headers) == ({"x": "\u00fc"}, False)
    assert server.call("GET", "a", raw=True).headers["CONTENT-TYPE"] == "application/json"
    with pytest.raises(RuntimeError, match="gave no JSON"):
        server.call("GET", "page")
    with pytest.raises(ValueError, match="json together with body"):
        http.request("POST", f"{fake.origin}/x", json={}, body=b"")


def test_an_error_is_one_of_requests_too(fake):
    import requests

    with pytest.raises(requests.HTTPError) as caught:
        server.call("GET", "nothing")
    assert isinstance(caught.value, server.HTTPError)
    assert (caught.value.response.status_code, caught.value.response.json()) == (404, {"detail": "Not Found"})
    with pytest.raises(requests.ConnectionError):
        http.request("GET", "http://127.0.0.1:9/")


def test_the_environment_says_who_we_are(fake, monkeypatch):
    assert credentials.credentials() == ("Bearer", "secret")
    for scheme in ("Fused-Env-Bearer", "Fused-Rtenv-Bearer", "Fused-Service-Token"):
        monkeypatch.setenv("FUSED_AUTH_TOKEN_TYPE", scheme)
        assert credentials.credentials() == (scheme, "secret")
    monkeypatch.setenv("FUSED_AUTH_TOKEN_TYPE", "Basic")
    with pytest.raises(ValueError, match="must be one of .*: received 'Basic'"):
        credentials.credentials()
    fused.options.no_login = True
    assert credentials.auth_header() == {}


def test_a_login_that_was_kept_is_taken_renewed_and_forgotten(fake, monkeypatch, tmp_path):
    monkeypatch.delenv("FUSED_AUTH_TOKEN")
    assert credentials.credentials() is None
    file = tmp_path / ".fused" / "credentials"
    file.parent.mkdir()
    kept = {
        "access_token": "old",
        "refresh_token": "again",
        "expires_in": 10,
        "expires_at": "2020-01-01T00:00:00Z",
        "token_type": "Bearer",
    }
    file.write_text(json.dumps(kept))
    assert credentials.credentials() == ("Bearer", "old")
    fused.options.auth.oauth_token_url, fused.options.auth.client_id = f"{fake.origin}/oauth", "me"
    fake.routes["POST /oauth"] = [Answer({"access_token": "new", "expires_in": 100}), Answer({"error": "invalid_grant"}, 403)]
    assert credentials.credentials() == ("Bearer", "new")
    assert fake.asked[-1].json == {"grant_type": "refresh_token", "client_id": "me", "refresh_token": "again"}
    written = json.loads(file.read_text())
    assert (written["access_token"], written["refresh_token"], file.stat().st_mode & 0o777) == ("new", "again", 0o600)
    assert credentials.credentials() == ("Bearer", "new")
    assert len(fake.asked) == 1
    file.write_text(json.dumps(kept))
    with pytest.raises(RuntimeError, match=r"refuses \(status 403\); log in again"):
        credentials.credentials()
    credentials.forget()
    credentials.forget()
    assert credentials.credentials() is None
