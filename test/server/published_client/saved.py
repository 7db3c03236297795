"""Who one is; saved UDFs: save, load, list, overwrite, versions, delete; collections."""

import fused
from scenarios import PLACE, ask, equal, fails, id_of, name, save, save_as, scenario, source

api = fused.api.FusedAPI()


@scenario("whoami")
def _() -> None:
    me = fused.api.whoami()
    equal((me["email"], me["handle"]), ("ada@example.org", "ada"))


@scenario("the team")
def _() -> None:
    equal(fused.api.team_info()["name"], "default")


@scenario("the server's health")
def _() -> None:
    assert api._health() is True


@scenario("a realtime client is found")
def _() -> None:
    equal(api._automatic_realtime_client_id(), "fuselet")


@scenario("a wrong token is told so")
def _() -> None:
    error = fails("HTTPError", "401", ask, "GET", "/server/v1/user/self", token="wrong-token")
    assert b"token" in error.read()


@scenario("save, and load by name")
def _() -> None:
    udf = save("return 1")
    loaded = fused.load(udf.name)
    equal((loaded.name, loaded.entrypoint, id_of(loaded)), (udf.name, "udf", id_of(udf)))
    assert "return 1" in loaded.code


@scenario("load by handle, email and team with a name")
def _() -> None:
    udf = save("return 1")
    for owner in ("ada", "ada@example.org", "team"):
        equal(id_of(fused.load(f"{owner}/{udf.name}")), id_of(udf))


@scenario("load by id")
def _() -> None:
    udf = save("return 1")
    equal(fused.load(id_of(udf)).name, udf.name)


@scenario("a saved UDF keeps its metadata, default parameters and how long results are kept")
def _() -> None:
    udf = save("return n", "n: int = 1", decorator="@fused.udf(cache_max_age='3h', default_parameters={'n': 5})")
    udf.metadata["mine"] = {"a": [1, 2]}
    udf.to_fused()
    loaded = fused.load(udf.name)
    equal((loaded.metadata["mine"], loaded.cache_max_age), ({"a": [1, 2]}, 3 * 3600))
    equal(fused.run(udf.name), 5)


@scenario("saving a name again is refused without overwrite")
def _() -> None:
    udf = save("return 1")
    other = fused.load(source("return 2"))
    other.name = udf.name
    fails(ValueError, "overwrite=True", other.to_fused)
    equal(fused.run(udf.name), 1)


@scenario("overwrite saves another version under the same id")
def _() -> None:
    udf = save("return 1")
    equal(fused.run(udf.name), 1)
    changed = fused.load(source("return 2"))
    changed.name = udf.name
    changed.to_fused(overwrite=True)
    equal(id_of(changed), id_of(udf))
    equal(fused.run(udf.name), 2)


@scenario("versions: all are there, and each can be read")
def _() -> None:
    udf = save("return 1")
    udf.code = udf.code.replace("return 1", "return 2")
    udf.to_fused()
    token = fused.api.access_token()
    path = f"/server/v1/udf/by-id/{id_of(udf)}/versions"
    equal([one["version"] for one in ask("GET", path, token=token)], [2, 1])
    assert "return 1" in ask("GET", f"{path}/1", token=token)["udf_body"]


@scenario("lists of UDFs: one's own, the team's, public ones")
def _() -> None:
    udf, public = save("return 1"), save("return 2")
    api.save_udf(public, slug=public.name, id=id_of(public), allow_public_read=True, allow_public_list=True)
    mine = fused.api.get_udfs(whose="self")
    own, open_to_all = f"default/{udf.name}", f"default/{public.name}"
    assert own in mine and open_to_all in mine
    assert own in fused.api.get_udfs(whose="team")
    shown = fused.api.get_udfs(whose="public")
    assert open_to_all in shown and own not in shown


@scenario("a list by id, and a page of it")
def _() -> None:
    udf = save("return 1")
    assert f"default/{id_of(udf)}" in fused.api.get_udfs(by="id")
    equal(len(fused.api.get_udfs(n=1)), 1)


@scenario("apps are listed apart from UDFs")
def _() -> None:
    token = fused.api.access_token()
    app = name("app")
    body = '{"name": "app", "code": "print(1)", "type": "app"}'
    ask("POST", "/server/v1/udf/new", {"slug": app, "udf_body": body, "udf_type": "app"}, token)
    assert f"default/{app}" not in fused.api.get_udfs()
    listed = ask("GET", "/server/v1/udf/self?udf_type=app", token=token)
    assert app in [one["slug"] for one in listed]


@scenario("delete: loading says that there is none, and the name is free again")
def _() -> None:
    udf = save("return 1")
    udf.delete_saved()
    fails(Exception, udf.name, fused.load, udf.name)
    again = fused.load(source("return 3"))
    again.name = udf.name
    again.to_fused()
    equal(fused.run(udf.name), 3)


@scenario("a UDF by a new name is saved as another")
def _() -> None:
    udf = save("return 4")
    old = udf.name
    other = fused.load(old)
    other.name = name("renamed")
    other.to_fused()
    equal((fused.run(other.name), fused.run(old)), (4, 4))
    assert id_of(other) != id_of(udf)


@scenario("a teammate's UDF is run by the team and by its owner's handle")
def _() -> None:
    slug = save_as(PLACE.teammate_token, "shared", source("return 'of the mate'"))
    equal(fused.load(f"mate/{slug}").name, slug)
    equal(fused.run(f"mate/{slug}"), "of the mate")
    equal(fused.run(f"team/{slug}"), "of the mate")


@scenario("a stranger's UDF is as if it were not there, until it is public")
def _() -> None:
    slug = save_as(PLACE.stranger_token, "hidden", source("return 1"))
    fails(Exception, slug, fused.load, f"stranger/{slug}")
    public = save_as(PLACE.stranger_token, "open", source("return 7"), allow_public_read=True)
    equal(fused.run(f"stranger/{public}"), 7)


@scenario("a collection: made, listed, saved into, loaded from, deleted")
def _() -> None:
    collection = api.create_collection(name("places"))
    assert collection.id in [one["id"] for one in api.list_collections()]
    udf = save("return 'in it'", collection_name=collection.name)
    equal(fused.load(udf.name, collection_name=collection.name).name, udf.name)
    fails(Exception, udf.name, fused.load, udf.name)
    equal(list(fused.api.get_udfs(collection_name=collection.name)), [f"{collection.name}/{udf.name}"])
    api.delete_collection(collection.id)
    fails("HTTPError", "", api.get_collection_by_id, collection.id)


@scenario("a collection is shared: its UDFs run by its token and their names")
def _() -> None:
    collection = api.create_collection(name("canvas"), access_scope="public")
    udf = save("return n * 2", "n: int = 1", collection_name=collection.name)
    token = api.share_collection(collection.id).share_token
    assert token.startswith("fc_"), token
    # The owner sees it again, and a teammate sees the collection without it.
    equal(api.get_collection_by_id(collection.id).share_token, token)
    equal(ask("GET", f"/server/v1/collection/by-id/{collection.id}", token=PLACE.teammate_token)["share_token"], None)
    equal(ask("GET", f"/{token}/{udf.name}/run/file.json?n=4"), 8)
    api.unshare_collection(collection.id)
    fails("HTTPError", "404", ask, "GET", f"/{token}/{udf.name}/run/file.json")


@scenario("a UDF runs others of its collection by their names, and those of the default one")
def _() -> None:
    collection = api.create_collection(name("canvas"), access_scope="public")
    inner = save("return 'of the collection'", collection_name=collection.name)
    other = save("return 'of the default one'")
    outer = save(f"return [fused.run('{inner.name}'), fused.run('{other.name}')]", collection_name=collection.name)
    both = ["of the collection", "of the default one"]
    equal(fused.run(fused.load(outer.name, collection_name=collection.name)), both)
    token = api.share_collection(collection.id).share_token
    equal(ask("GET", f"/{token}/{outer.name}/run/file.json"), both)
