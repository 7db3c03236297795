"""Who the user is, and secrets, on a server: outside of an isolate."""

import sys

import pytest
from wire_fixtures import wire  # noqa: F401

import fused
from fused import api, context
from fused.models.api import SharedUdfUrl

requests = pytest.importorskip("requests")

SHARE = "fc_abc"


def test_user_email_and_client_id_are_asked_of_the_server_when_local(wire):  # noqa: F811
    """get_user_email and get_realtime_client_id ask the server when local. get_header ignores case."""
    assert [context.get_user_email(), context.get_user_email(), context.get_execution_environment_id()] == ["ann@example.com"] * 2 + ["e-1"]
    assert context.get_realtime_client_id() == context.get_realtime_client_id() == "client-2"
    # Each is asked for once.
    assert [request["path"].removeprefix("/server/v1") for request in wire.requests] == ["/user/self", "/realtime-instance/available"]
    fused.options.realtime_client_id = "mine"
    try:
        assert context.get_realtime_client_id() == "mine"
    finally:
        del fused.options.realtime_client_id
    wire.route("GET", "/user/self", {"detail": "who are you?"}, 401)
    context._users.clear()
    with pytest.raises(requests.HTTPError, match="who are you"):
        context.get_user_email()


def test_the_global_context_has_all_that_the_clients_has(wire):  # noqa: F811
    whole = context.get_global_context()
    assert (whole.user_email, whole.realtime_client_id, whole.execution_environment_id) == ("ann@example.com", "client-2", "e-1")
    assert (whole.auth_scheme, whole.auth_token) == ("Fused-Env-Bearer", "secret-token")
    assert whole.auth_header() == {"Authorization": "Fused-Env-Bearer secret-token"}
    assert (whole.get_secret("KEY"), whole.list_secrets(), whole.get_user_secret("MINE"), whole.list_user_secrets()) == (
        "value of KEY", ["KEY", "OTHER"], "my value", ["MINE"])  # fmt: skip
    whole.set_secret("A", "v", client_id="other")
    whole.delete_secret("KEY")
    assert [request["path"] for request in wire.requests[-2:]] == [
        "/server/v1/realtime/other/api/v1/secrets/A", "/server/v1/realtime/client-2/api/v1/secrets/KEY"]  # fmt: skip
    assert whole.this_udf is whole.get_nested_udf() is None
    with pytest.raises(AttributeError, match="does not change"):
        whole.kind = "batch"


def test_secrets_are_read_set_deleted_and_listed(wire):  # noqa: F811
    """secrets: attribute and item read, item set and delete, dir, iter, len, `in`. The list endpoint must answer a JSON object; names are
    its keys."""
    secrets = fused.secrets
    assert secrets.KEY == secrets["KEY"] == "value of KEY"
    secrets["NEW"] = "v"
    assert (wire.requests[-1]["method"], wire.requests[-1]["path"][-8:], wire.requests[-1]["json"]) == ("PUT", "rets/NEW", {"value": "v"})
    del secrets["b c"]
    assert (wire.requests[-1]["method"], wire.requests[-1]["path"][-12:]) == ("DELETE", "/secrets/b c")
    assert dir(secrets) == list(secrets) == ["KEY", "OTHER"]
    assert (len(secrets), "KEY" in secrets, "GONE" in secrets) == (2, True, False)
    assert {request["path"].split("/")[4] for request in wire.requests if "secrets" in request["path"]} == {"client-2"}


def test_a_missing_secret_raises_http_error_for_item_and_attribute_and_hasattr(wire):  # noqa: F811
    """A missing secret (404) raises requests.HTTPError for item and attribute; so hasattr fails too."""
    for read in (lambda: fused.secrets["GONE"], lambda: fused.secrets.GONE, lambda: hasattr(fused.secrets, "GONE")):
        with pytest.raises(requests.HTTPError, match="Secret GONE not found") as caught:
            read()
        assert caught.value.response.status_code == 404


def test_secrets_get_asks_for_a_secret_called_get(wire):  # noqa: F811
    """secrets.get('x') asks for a secret called "get"."""
    with pytest.raises(requests.HTTPError, match="Secret get not found"):
        fused.secrets.get("x")


def test_a_secret_is_not_set_by_attribute(wire):  # noqa: F811
    """secrets.x = v sets a Python attribute and saves nothing in the client. That is a trap: ours says how it is done."""
    with pytest.raises(TypeError, match=r"use secrets\['x'\] = …"):
        fused.secrets.x = "v"
    with pytest.raises(TypeError, match=r"del secrets\['x'\]"):
        del fused.secrets.x
    assert wire.requests == []


def test_the_gcs_secret_goes_to_a_file_of_its_owner(wire, monkeypatch, tmp_path):  # noqa: F811
    target = tmp_path / "key.json"
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
    fused.options.gcs_secret, fused.options.gcs_filename = "KEY", str(target)
    try:
        api.enable_gcs()
    finally:
        del fused.options.gcs_secret, fused.options.gcs_filename
    assert target.read_text() == "value of KEY"
    if sys.platform != "win32":
        assert target.stat().st_mode & 0o777 == 0o600
    import os

    assert os.environ["GOOGLE_APPLICATION_CREDENTIALS"] == str(target)


def test_a_global_api_is_used_by_the_functions_until_logout(wire, tmp_path, monkeypatch):  # noqa: F811
    from wire_server import FakeServer

    monkeypatch.setattr("fused._server.credentials.credentials_path", lambda: tmp_path / "credentials")
    (tmp_path / "credentials").write_text("{}")
    with FakeServer() as other:
        api.FusedAPI(base_url=other.base_url, set_global_api=False)
        api.whoami()
        assert (len(other.requests), len(wire.requests)) == (0, 1)
        made = api.FusedAPI(base_url=other.base_url + "/", shared_udf_base_url=other.origin)
        api.whoami()
        assert api.list("s3://bucket/a") == ["s3://bucket/a/b.txt", "s3://bucket/a/c/"]
        assert made.create_udf_access_token("ann", "hello", client_id=None).get_file_url() == f"{other.origin}/fsh_abc/run"
        assert len(wire.requests) == 1
        api.logout()
        assert not (tmp_path / "credentials").exists()
        api.whoami()
        assert len(wire.requests) == 2


def test_datasets_are_looked_for_on_the_server_that_is_named(wire):  # noqa: F811
    from wire_server import FakeServer

    with FakeServer() as other:
        assert fused.find_dataset("s3://b/c", base_url=other.base_url)["id"] == "d-1"
        assert fused.register_dataset("s3://b/c", base_url=other.base_url)["id"] == "d-1"
        assert len(other.requests) == 2
    wire.route("GET", "/datasets/find-by-location", {"detail": "no dataset"}, 404)
    with pytest.raises(requests.HTTPError, match="no dataset"):
        fused.find_dataset("s3://b/c")


def test_udfs_that_cannot_be_read_are_left_out(wire):  # noqa: F811
    from wire_server import SAVED_UDF, UDF_BODY

    import json

    page = [SAVED_UDF, {"id": "2", "slug": "bad", "udf_body": "{"}, {"id": "3", "slug": "empty", "udf_body": None},
            {"id": "4", "slug": "c", "udf_body": json.dumps({**UDF_BODY, "name": "c", "metadata": {"fused:explorerTab": "community"}}),
             "collection_name": "mine"}]  # fmt: skip
    wire.route("GET", "/udf/public", lambda request: (200, page if request["query"]["skip"] == "0" else []))
    with pytest.warns(fused.warnings.FusedWarning, match=r"bad \(2\) could not be read"):
        found = api.get_udfs(whose="public")
    assert list(found) == ["default/hello"]
    with pytest.warns(fused.warnings.FusedWarning):
        assert list(api.get_udfs(whose="community", by="slug")) == ["mine/c"]


@pytest.fixture
def running(monkeypatch):
    """A UDF that is running, by a link of a shared collection."""

    @fused.udf
    def hello():
        pass

    monkeypatch.setattr(context, "this_udf", lambda: hello)
    monkeypatch.setattr(context, "get_share_token", lambda: f"{SHARE}/hello")
    return hello


def test_links_to_udfs_of_the_collection_get_a_session_token(wire, running):  # noqa: F811
    link = api.shared_udf_url("other udf", session_max_age="2h")
    assert isinstance(link, SharedUdfUrl)
    assert str(link) == f"{wire.origin}/{SHARE}/other%20udf/run?fused_session_token=v1%3A1767323045%3Asig"
    assert (wire.requests[-1]["path"], wire.requests[-1]["json"]) == (f"/server/v1/session-token/by-access-token/{SHARE}", {"ttl": 7200})
    assert api.session_token().session_token == "v1:1767323045:sig"


def test_the_runs_own_session_token_is_used(wire, running, monkeypatch):  # noqa: F811
    monkeypatch.setattr(context, "get_session_token", lambda: "v1:1767323045:own")
    link = api.shared_udf_url()
    assert (link.session_token_reused, link.session_token, link.session_token_expires_at.year) == (True, "v1:1767323045:own", 2026)
    assert wire.requests == []


def test_session_tokens_are_of_shared_collections_only(wire):  # noqa: F811
    with pytest.raises(ValueError, match="fc_"):
        api._session_token("fsh_abc")
    with pytest.raises(ValueError, match="No UDF is currently being run"):
        api.session_token()
    with pytest.raises(RuntimeError, match="within a UDF"):
        api.shared_udf_url()
