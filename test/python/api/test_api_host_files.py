"""`fused.api`'s functions for files inside an isolate: they use the host's storage."""

from typing import Any

import pytest
from storage_host import StorageHost
from wire_fixtures import wire  # noqa: F401

import fused

TREE = {"fd://t/a.csv": b"x,y\n1,2\n", "fd://t/b.csv": b"x", "fd://t/c.csv": b"", "fd://t/d.csv": b"4", "fd://t/sub/c.txt": b"c"}


@pytest.fixture
def storage(isolate: Any) -> StorageHost:
    """A host with files, that the isolate of this test calls."""
    isolate.host = host = StorageHost()
    host.files.update(TREE)
    return host


def test_folders_are_listed_in_all_of_their_pages(isolate, storage):
    got = isolate.body("""
        from fused import api
        details = api.list("fd://t", details=True)
        return [api.list("fd://t"), [[d.file_name, d.is_directory, d.size, d.last_modified and d.last_modified.year] for d in details]]
    """)
    names = ["a.csv", "b.csv", "c.csv", "d.csv"]
    assert got[0] == [f"fd://t/{name}" for name in names] + ["fd://t/sub/"]
    assert got[1][0] == ["a.csv", False, 8, 2023]
    assert got[1][-1] == ["sub", True, None, None]


def test_files_are_read_written_signed_and_deleted(isolate, storage):
    got = isolate.body("""
        import io, pathlib, tempfile
        from fused import api
        local = pathlib.Path(tempfile.mkdtemp()) / "local.txt"
        local.write_bytes(b"local")
        api.upload(b"bytes", "s3://b/bytes")
        api.upload(io.BytesIO(b"stream" * 2_000_000), "s3://b/stream")
        api.upload(bytes(9_000_000), "s3://b/large")
        api.upload(local, "s3://b/folder/")
        api.FusedAPI().upload("s3://b/other", b"other")
        api.download("fd://t/a.csv", local)
        deleted = [api.delete("s3://b/bytes"), api.delete("s3://b/nothing"), api.delete("fd://t/", max_deletion_depth="unlimited")]
        signed = [api.sign_url("s3://b/other"), api.sign_url_prefix("s3://b/folder")]
        return [api.resolve("fd://t/a.csv"), api.get("s3://b/folder/local.txt"), local.read_bytes(), *signed, deleted]
    """)
    assert got == [
        "fd://t/a.csv",
        b"local",
        TREE["fd://t/a.csv"],
        "https://signed.example/s3://b/other?3600",
        {"local.txt": "https://signed.example/s3://b/folder/local.txt?3600"},
        [True, False, True],
    ]
    assert {url: len(data) for url, data in storage.files.items()} == {
        "s3://b/stream": 12_000_000, "s3://b/large": 9_000_000, "s3://b/folder/local.txt": 5, "s3://b/other": 5}  # fmt: skip
    assert storage.open == storage.uploads == {}


def test_what_was_not_granted_is_denied(isolate, storage):
    storage.denied = {"read", "write"}
    got = isolate.body("""
        from fused import api
        def kind(call):
            try:
                call()
            except Exception as error:
                return type(error).__name__, getattr(error, "permission", None), error.value
        return [kind(lambda: api.list("fd://t")), kind(lambda: api.get("fd://t/a.csv")), kind(lambda: api.upload(b"", "fd://t/new"))]
    """)
    assert got == [("PermissionDeniedError", "read", "fd://t"), ("PermissionDeniedError", "read", "fd://t/a.csv"),
                   ("PermissionDeniedError", "write", "fd://t/new")]  # fmt: skip
    assert storage.files == TREE


def test_what_fails_leaves_nothing(isolate, storage):
    storage.most_bytes = 9_000_000
    got = isolate.body("""
        import io, os, tempfile
        from fused import api
        local = os.path.join(tempfile.mkdtemp(), "local")
        def kind(call):
            try:
                call()
            except Exception as error:
                return type(error).__name__
        return [kind(lambda: api.download("fd://none", local)), os.path.exists(local), kind(lambda: api.get("fd://none")),
                kind(lambda: api.upload(bytes(10_000_000), "s3://b/large")), kind(lambda: api.upload("no such file", "s3://b/x"))]
    """)
    assert got == ["FileNotFoundError", False, "FileNotFoundError", "OSError", "FileNotFoundError"]
    assert storage.files == TREE
    assert storage.uploads == storage.open == {}


def test_a_table_is_read_from_the_hosts_storage(isolate, storage):
    pytest.importorskip("geopandas")
    from table_folder import write_table

    storage.files.update(write_table("s3://b/table"))
    got = isolate.body("""
        import fused
        chunks = fused.get_chunks_metadata("s3://b/table")
        frame = fused.get_chunk_from_table("s3://b/table/", 1, 0, columns=["name"])
        return [chunks[["file_id", "chunk_id"]].values.tolist(), frame["name"].tolist()]
    """)
    assert got == [[["0", 0], ["0", 1], ["1", 0]], ["e", "f"]]


def test_an_api_of_a_named_server_does_not_use_the_host(wire, monkeypatch):
    from fused import _host

    monkeypatch.setattr(_host, "_blocking", lambda *_: pytest.fail("the host was asked"))
    monkeypatch.setattr("fused._server.http._from_host", __import__("fused._server.http", fromlist=["_by_requests"])._by_requests)
    api = fused.api.FusedAPI(base_url=wire.base_url, set_global_api=False)
    assert api.list("s3://bucket/a") == ["s3://bucket/a/b.txt", "s3://bucket/a/c/"]
