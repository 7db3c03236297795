"""UDF objects and a server: loading by name, token and GitHub URL; saving, sharing, scheduling, deleting. The server is a small one on loopback."""

import asyncio
import json
import sys

import pytest
from udf_server import serving

import fused
from fused import _load_server
from fused._headers import install_headers
from fused.models.udf import Header, Udf

pytestmark = pytest.mark.skipif(sys.platform == "emscripten", reason="a server takes sockets")

CODE = "import fused\n@fused.udf\ndef udf(a: int = 1):\n    return a\n"
ID = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def server(monkeypatch, tmp_path):
    """A server that has one UDF, `mine`, and its token `fsh_0`; the options name it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FUSED_AUTH_TOKEN_TYPE", "Fused-Service-Token")
    monkeypatch.setenv("FUSED_AUTH_TOKEN", "none")
    install_headers("none", [])
    with serving() as running:
        monkeypatch.setattr(fused.options, "base_url", running.url)
        monkeypatch.setattr(fused.options, "shared_udf_base_url", "")
        monkeypatch.setattr(fused.options, "request_max_retries", 0)
        saved = Udf(name="mine", code=CODE, entrypoint="udf", parameters={"a": 3}, metadata={"k": 1})
        running.saved(ID, {"slug": "mine", "udf_body": saved.model_dump_json()})
        running.tokens.append({"token": "fsh_0", "udf_id": ID, "enabled": True, "client_id": None, "metadata_json": {}, "cache": True,
                               "last_updated": "2026-01-01T00:00:00"})  # fmt: skip
        yield running


PLACES = {
    "mine": ["GET /user/self", "GET /udf/by-user-email/me@x.org/by-collection/default/by-slug/mine"],
    "somebody/mine": ["GET /udf/by-user-handle/somebody/by-collection/default/by-slug/mine"],
    "you@x.org/mine": ["GET /udf/by-user-email/you@x.org/by-collection/default/by-slug/mine"],
    "team/mine": ["GET /udf/exec-env/self/by-collection/default/by-slug/mine"],
    ID: [f"GET /udf/by-id/{ID}"],
    "fsh_0": ["GET /udf/shared/by-token/fsh_0"],
}


@pytest.mark.parametrize("place", PLACES)
def test_a_name_an_id_and_a_token_are_asked_of_the_server(server, place):
    udf = fused.load(place)
    assert server.asked == PLACES[place]
    assert (udf.name, udf.code, udf.parameters, udf.metadata) == ("mine", CODE, {"a": 3}, {"k": 1, "fused:id": ID})
    assert (udf.collection_id, udf.collection_name) == ("c0", "default")
    assert udf.catalog_url == f"{server.url.removesuffix('/server/v1')}/workbench/catalog/mine-{ID}"
    assert f"  id='{ID}',\n" in repr(udf)
    assert "  catalog_url='http" in repr(udf)
    server.asked.clear()
    assert asyncio.run(fused.load_async(place)) == udf
    assert server.asked == PLACES[place]


def test_a_collection_is_named_in_the_path(server):
    fused.load("somebody/mine", collection_name="a collection")
    assert server.asked == ["GET /udf/by-user-handle/somebody/by-collection/a%20collection/by-slug/mine"]


@pytest.mark.parametrize("name", ["a/../../user", "a/b?c=d", "a/b#c"])
def test_a_name_cannot_lead_to_another_route(server, name):
    with pytest.raises(fused._server.server.HTTPError):
        fused.load(name)
    (asked,) = server.asked
    assert asked.startswith("GET /udf/by-user-handle/a/by-collection/default/by-slug/")
    assert asked.count("/") == 7
    assert "?" not in asked


@pytest.mark.parametrize("token", ["fsh_none", "UDF_none", "fc_none", "0123456789abcdef" * 4])
def test_a_token_without_its_code_says_to_run_it(server, token):
    with pytest.raises(ValueError, match="You may want to call `run` instead of `load`"):
        fused.load(token)
    assert server.asked == [f"GET /udf/shared/by-token/{token}"]


def test_github_goes_through_the_code_proxy_of_the_server(server):
    url = "https://github.com/owner/repo/tree/main/public/Some_Folder"
    body = Udf(name="Some_Folder", code=CODE, entrypoint="udf", headers=[Header(module_name="m", source_code="x = 1")]).model_dump_json()
    server.github[url] = {"udf_body": body}
    udf = fused.load(url)
    assert server.asked == ["GET /code-proxy/by-url?url=https%3A%2F%2Fgithub.com%2Fowner%2Frepo%2Ftree%2Fmain%2Fpublic%2FSome_Folder"]
    assert (udf.name, udf.headers[0].source_code, udf.catalog_url) == ("Some_Folder", "x = 1", None)
    with pytest.raises(fused._server.server.HTTPError, match="there is no /code-proxy"):
        fused.load(f"{url}_missing")


ANSWERS = {"a list": [], "no body": {}, "no JSON": {"udf_body": "{"}, "no code": {"udf_body": '{"entrypoint": "udf"}'},
           "a header of this machine": {"udf_body": '{"entrypoint": "udf", "code": "", "headers": [{"module_name": "m", "source_file": "/etc/hostname"}]}'},
           "numbers": {"udf_body": '{"entrypoint": 1, "code": 2}'}, "a bad header": {"udf_body": '{"entrypoint": "udf", "code": "", "headers": [{"module_name": 1}]}'}}  # fmt: skip


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
def test_a_servers_answer_is_checked(server, answer):
    server.github["https://github.com/x"] = answer
    with pytest.raises(ValueError):
        fused.load("https://github.com/x")


def test_a_server_that_refuses_is_an_http_error(server):
    with pytest.raises(OSError, match="by-slug/missing") as caught:
        fused.load("missing")
    requests = pytest.importorskip("requests")
    assert isinstance(caught.value, requests.HTTPError)


def test_saving_sends_the_function_renamed_and_keeps_the_id(server):
    udf = fused.load("import fused\n@fused.udf(cache_max_age='1h')\ndef main(a: int = 2):\n    return a\n")
    assert udf.to_fused() is udf
    assert server.asked == ["POST /udf/new"]
    sent = server.bodies[-1]
    body = json.loads(sent.pop("udf_body"))
    assert sent == {"slug": "main", "udf_type": "auto", "allow_public_read": False, "allow_public_list": False, "collection_id": None}
    assert body["code"] == "import fused\n@fused.udf(cache_max_age='1h')\ndef udf(a: int = 2):\n    return a\n"
    assert (body["entrypoint"], body["type"], body["cache_max_age"], body["name"]) == ("udf", "geopandas_v2", 3600, "main")
    assert (udf.entrypoint, udf.metadata["fused:id"]) == ("main", "00000000-0000-0000-0000-000000000001")
    assert fused.load("main")(engine="local") == 2
    server.asked.clear()
    udf.to_fused()
    assert server.asked == ["POST /udf/by-id/00000000-0000-0000-0000-000000000001"]
    assert "fused:id" not in server.bodies[-1]["udf_body"]


def test_overwrite_replaces_another_udf_of_the_name(server):
    udf = Udf(name="mine", code=CODE, entrypoint="udf")
    assert udf.to_fused(overwrite=True).metadata == {"fused:id": ID}
    assert server.asked[-1] == f"POST /udf/by-id/{ID}"
    assert Udf(name="new", code=CODE, entrypoint="udf").to_fused(overwrite=True).metadata["fused:id"] != ID
    assert server.asked[-1] == "POST /udf/new"
    with pytest.raises(ValueError, match="it has no name"):
        Udf(code=CODE, entrypoint="udf").to_fused()


def test_a_collection_is_found_or_made(server):
    udf = Udf(name="n", code=CODE, entrypoint="udf")
    with pytest.raises(ValueError, match="Collection 'theirs' not found in server"):
        udf.to_fused(collection_name="theirs")
    udf.to_fused(collection_name="theirs", create_collection=True)
    assert server.bodies[-1]["collection_id"] == server.collections["theirs"]


def test_delete_saved_forgets_the_id(server):
    udf = fused.load("mine")
    other = udf.delete_saved(inplace=False)
    assert (other.metadata, udf.metadata["fused:id"]) == ({"k": 1}, ID)
    server.udfs[ID] = {}
    assert udf.delete_saved() is udf
    assert udf.catalog_url is None
    assert server.asked[-1] == f"DELETE /udf/by-id/{ID}"


def test_tokens_are_made_and_found(server):
    udf = fused.load("mine")
    made = udf.create_access_token(cache=False, metadata_json={"for": "you"})
    assert server.bodies[-1] == {"udf_email": None, "udf_slug": None, "udf_id": ID, "client_id": "cid", "public_read": None, "access_scope": None,
                                 "cache": False, "metadata_json": {"for": "you"}, "enabled": True}  # fmt: skip
    server.tokens.append({**server.tokens[0], "token": "fsh_other", "udf_id": "another"})
    assert [token.token for token in udf.get_access_tokens()] == ["fsh_0", made.token]
    assert udf.get_access_token().token == "fsh_0"
    origin = server.url.removesuffix("/server/v1")
    assert (udf.shared_url(), udf.shared_url("png")) == (f"{origin}/fsh_0/run", f"{origin}/fsh_0/run?format=png")
    server.tokens.clear()
    assert (udf.get_access_token(), udf.shared_url()) == (None, None)


def test_schedule_saves_first(server):
    udf = Udf(name="fresh", code=CODE, entrypoint="udf")
    cron = udf.schedule(30, [6, 18], day_of_week=1, udf_args={"a": 2})
    assert "POST /udf/new" in server.asked
    assert (cron.minute, cron.hour, cron.day_of_week, cron.udf_args, cron.enabled) == ([30], [6, 18], [1], {"a": 2}, True)
    assert [found.id for found in udf.get_schedule()] == [cron.id]
    with pytest.raises(ValueError, match="has not been saved"):
        Udf(name="x", code=CODE, entrypoint="udf").schedule(0, 0, _create_udf=False)


def test_invalidate_cache_is_for_all_or_for_a_tile(server):
    udf = fused.load("mine")
    udf.invalidate_cache()
    assert server.asked[-1] == f"DELETE /realtime-shared/cid/udf-cache/by-id/{ID}/delete"
    udf.invalidate_cache(z=3, x=1, y=2)
    assert server.asked[-1] == f"DELETE /realtime-shared/cid/udf-cache/by-id/{ID}/delete?z=3&x=1&y=2"
    with pytest.raises(ValueError, match="All three tile coordinates"):
        udf.invalidate_cache(z=3)
    with pytest.warns(DeprecationWarning, match="invalidate_cache"):
        udf.delete_cache()


def test_a_gist_is_one_file_or_what_to_directory_writes(server, monkeypatch):
    monkeypatch.setattr(_load_server, "_GISTS", f"{server.url}/gists/")
    server.gists["one"] = {"file.py": {"content": CODE}, "notes.md": {"content": "# notes"}}
    assert Udf.from_gist("one").name == "file"
    meta = json.dumps({"job_config": {"steps": [{"udf": {"name": "n", "entrypoint": "udf", "source": "s.py", "headers": []}}]}})
    server.gists["whole"] = {"meta.json": {"content": meta}, "s.py": {"content": CODE}}
    assert Udf.from_gist("whole").name == "n"
    server.gists["none"] = {"a.md": {"content": ""}}
    with pytest.raises(ValueError, match="one Python file"):
        Udf.from_gist("none")
    with pytest.raises(OSError, match="there is no /gists"):
        Udf.from_gist("missing")
