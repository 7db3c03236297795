"""The host's storage through fsspec, pandas, geopandas and pyarrow."""

from typing import Any

import pytest
from storage_host import StorageHost

pytest.importorskip("fsspec")

TREE = {"fd://t/a.csv": b"x,y\n1,2\n", "fd://t/b.csv": b"x,y\n3,4\n", "fd://t/sub/c.txt": b"c", "fd://t/sub/deep/d.txt": b"d", "fd://u/e": b""}


@pytest.fixture
def storage(isolate: Any) -> StorageHost:
    """A host with files, that the isolate of this test calls."""
    isolate.host = host = StorageHost()
    host.files.update(TREE)
    return host


def test_folders_are_listed_searched_and_walked(isolate, storage):
    got = isolate.body("""
        import fsspec
        fs = fsspec.filesystem("fd")
        return [fs.ls("t", detail=False), fs.find("t"), fs.glob("t/*.csv"), fs.glob("fd://t/**/d.*"), [list(step) for step in fs.walk("t")],
                fs.ls("", detail=False), fs.find("t", maxdepth=2), fs.du("t")]
    """)  # fmt: skip
    files = ["t/a.csv", "t/b.csv", "t/sub/c.txt", "t/sub/deep/d.txt"]
    walked = [["t", ["sub"], ["a.csv", "b.csv"]], ["t/sub", ["deep"], ["c.txt"]], ["t/sub/deep", [], ["d.txt"]]]
    assert got == [["t/a.csv", "t/b.csv", "t/sub"], files, files[:2], files[3:], walked, ["t", "u"], files[:3], 18]


def test_what_is_there_is_described(isolate, storage):
    got = isolate.body("""
        import fsspec
        fs = fsspec.filesystem("fd", anon=True, key="k", client_kwargs={"endpoint_url": "http://localhost"})
        return [fs.info("fd://t/a.csv"), fs.info("t/sub")["type"], fs.exists("t/a.csv"), fs.exists("t/none"), fs.isfile("t/a.csv"), fs.isfile("t"),
                fs.isdir("t"), fs.isdir("none"), fs.size("t/b.csv"), fs.modified("t/a.csv").isoformat(), fs.sign("t/a.csv", expiration=5)]
    """)  # fmt: skip
    info = {"name": "t/a.csv", "size": 8, "type": "file", "mtime": 1_700_000_000.5, "ETag": '"1"'}
    assert got == [info, "directory", True, False, True, False, True, False, 8, "2023-11-14T22:13:20.500000+00:00",
                   "https://signed.example/fd://t/a.csv?5"]  # fmt: skip


def test_files_are_read_in_blocks_and_closed(isolate, storage):
    data = bytes(range(256)) * 40_000
    storage.files["s3://bucket/big"] = data
    got = isolate.body("""
        import fsspec
        with fsspec.open("s3://bucket/big", anon=True) as file:
            beginning = file.read(10)
            file.seek(-5, 2)
            end = file.read()
            file.seek(5_000_000)
            middle = file.read(4)
        fs = fsspec.filesystem("s3a")
        return [beginning, middle, end, fs.cat("bucket/big") == fs.cat_file("bucket/big", 0, 10_240_000), fs.cat_file("bucket/big", 3, 6),
                fs.cat_file("bucket/big", -4), fs.cat_file("bucket/big", 5, 5), fs.cat_file("bucket/big", 1_000, 6_000_000)[:2],
                fs.cat_ranges(["bucket/big"] * 2, [0, 5], [3, 9]), fs.head("bucket/big", 3), fs.tail("bucket/big", 3)]
    """)  # fmt: skip
    assert got == [data[:10], data[5_000_000:5_000_004], data[-5:], True, data[3:6], data[-4:], b"", data[1000:1002],
                   [data[:3], data[5:9]], data[:3], data[-3:]]  # fmt: skip
    assert not storage.open


def test_what_is_written_is_there_when_it_is_closed(isolate, storage):
    got = isolate.body("""
        import fsspec
        fs = fsspec.filesystem("gs")
        fs.makedirs("b/some/folder")
        with fs.open("b/short", "wb") as file:
            file.write(b"abc")
        with fs.open("b/long", "wb") as file:
            for _ in range(5):
                file.write(b"x" * 5_000_000)
            early = fs.exists("b/long")
        try:
            with fs.open("b/failed", "wb") as file:
                file.write(b"x" * 9_000_000)
                raise KeyError
        except KeyError:
            pass
        with fs.transaction:
            with fs.open("b/transaction", "wb") as file:
                file.write(b"t")
            before = fs.exists("b/transaction")
        try:
            with fs.open("b/short", "xb") as file:
                file.write(b"new")
        except FileExistsError as error:
            exists = str(error)
        try:
            fs.open("b/short", "ab")
        except NotImplementedError:
            pass
        with fsspec.open("gcs://b/text", "w") as file:
            file.write("ü\\n")
        fs.pipe("b/piped", b"p")
        fs.touch("b/empty")
        return [early, before, exists]
    """)  # fmt: skip
    assert got == [False, False, "Cannot write gs://b/short: it is there already"]
    files = {url.removeprefix("gs://b/"): data for url, data in storage.files.items() if url.startswith("gs://")}
    assert files.pop("long") == b"x" * 25_000_000
    assert files == {"short": b"abc", "transaction": b"t", "text": "ü\n".encode(), "piped": b"p", "empty": b""}
    assert not storage.uploads


def test_files_are_copied_moved_and_deleted(isolate, storage):
    got = isolate.body("""
        import fsspec
        fs = fsspec.filesystem("fd")
        fs.cp("t/a.csv", "copy/a.csv")
        fs.cp("t", "copy/all", recursive=True)
        fs.mv("t/b.csv", "moved.csv")
        fs.rm("u/e")
        fs.rm(["t/sub/c.txt", "copy/all/*.csv"])
        refused = []
        for act in (lambda: fs.rm("t"), lambda: fs.rm("t", recursive=True, maxdepth=1), lambda: fs.rm("none"), lambda: fs.rmdir("t")):
            try:
                act()
            except OSError as error:
                refused.append(type(error).__name__)
        fs.rm("t", recursive=True)
        return refused
    """)
    assert got == ["OSError", "OSError", "FileNotFoundError", "OSError"]
    assert storage.files == {"fd://copy/a.csv": TREE["fd://t/a.csv"], "fd://copy/all/sub/c.txt": b"c", "fd://copy/all/sub/deep/d.txt": b"d",
                             "fd://moved.csv": TREE["fd://t/b.csv"]}  # fmt: skip


def test_a_file_whose_part_failed_is_not_written(isolate, storage):
    storage.most_bytes = 10_000_000
    got = isolate.body("""
        import fsspec
        fs = fsspec.filesystem("fd")
        found = []
        try:
            with fs.open("a", "wb") as file:
                for _ in range(4):
                    file.write(b"x" * 4_000_000)
        except OSError as error:
            found.append(str(error))
        file = fs.open("b", "wb")
        try:
            file.write(b"x" * 17_000_000)
        except OSError:
            pass
        file.close()
        return [found, fs.exists("a"), fs.exists("b")]
    """)
    assert got == [["Cannot write fd://a: it is too large"], False, False]
    assert not storage.uploads


def test_what_nobody_closes_is_closed_by_the_next(isolate, storage):
    got = isolate.body("""
        import fsspec
        fs = fsspec.filesystem("fd")
        for _ in range(10):
            fs.open("t/a.csv").read(1)
        fs.open("lost", "wb").write(b"x" * 9_000_000)
        return fs.exists("lost")
    """)
    assert got is False
    assert len(storage.open) == 1
    assert storage.calls.count("files.close") == 9


def test_failures_are_pythons(isolate, storage):
    got = isolate.body("""
        import fsspec, fused
        fs = fsspec.filesystem("fd")
        found = []
        for act in (lambda: fs.open("none"), lambda: fs.ls("none"), lambda: fs.info("none"), lambda: fs.cat("none"), lambda: fs.cat("a//b"),
                    lambda: fused.download("fd://none", "x")):
            try:
                act()
            except Exception as error:
                found.append([type(error).__name__, str(error)])
        return [found, open(fused.download("fd://t/a.csv", "a.csv")).read()]
    """)  # fmt: skip
    assert [name for name, _ in got[0]] == ["FileNotFoundError"] * 4 + ["OSError", "FileNotFoundError"]
    assert got[0][0][1] == "Cannot read fd://none: it is not there"
    assert got[1] == "x,y\n1,2\n"


@pytest.mark.parametrize("code", ["fs.open('t/a.csv')", "fs.exists('t/a.csv')", "fs.isfile('t/a.csv')", "fs.isdir('t')", "fs.cat('t/a.csv')",
                                  "fs.find('t')", "fs.glob('t/*')", "pd.read_csv('fd://t/a.csv')", "pd.read_parquet('fd://t/a')",
                                  "pq.read_table('fd://t/a')", "pq.read_table('t/a', filesystem=fs)", "ds.dataset('fd://t')"])  # fmt: skip
def test_a_denial_of_reading_ends_the_run_as_one(isolate, storage, failure, code):
    storage.denied = {"read"}
    imports = "import fsspec, pandas as pd, pyarrow.dataset as ds, pyarrow.parquet as pq\nfs = fsspec.filesystem('fd')"
    error = failure(isolate.body, f"{imports}\nreturn {code}")
    assert (error.kind, error.subject) == ("permission", "read")
    assert error.value.startswith("fd://t")


@pytest.mark.parametrize("code", ["fs.pipe('a', b'1')", "fs.rm('t/a.csv')", "frame.to_csv('fd://a.csv')", "frame.to_parquet('fd://a.parquet')",
                                  "fs.open('a', 'wb').write(b'x' * 9_000_000)"])  # fmt: skip
def test_a_denial_of_writing_ends_the_run_as_one(isolate, storage, failure, code):
    storage.denied = {"write"}
    imports = "import fsspec, pandas as pd\nfs = fsspec.filesystem('fd')\nframe = pd.DataFrame({'a': [1]})"
    error = failure(isolate.body, f"{imports}\nreturn {code}")
    assert (error.kind, error.subject) == ("permission", "write")
    assert storage.files == TREE


def test_pandas_reads_and_writes(isolate, storage):
    pytest.importorskip("pandas")
    got = isolate.body("""
        import pandas as pd
        frame = pd.DataFrame({"a": [1, 2], "b": ["x", "ü"]})
        found = []
        for base in ("fd://p", "s3://bucket/p", "gs://bucket/p", "file:///p"):
            frame.to_csv(f"{base}/a.csv", index=False)
            frame.to_csv(f"{base}/a.csv.gz", index=False)
            frame.to_json(f"{base}/a.json")
            frame.to_parquet(f"{base}/a.parquet")
            frame.to_pickle(f"{base}/a.pkl", storage_options={"anon": True})
            found += [pd.read_csv(f"{base}/a.csv"), pd.read_csv(f"{base}/a.csv.gz"), pd.read_json(f"{base}/a.json"),
                      pd.read_parquet(f"{base}/a.parquet"), pd.read_parquet(f"{base}/a.parquet", storage_options={"anon": True}),
                      pd.read_pickle(f"{base}/a.pkl")]
        return [frame.to_dict("list") for frame in found]
    """)  # fmt: skip
    assert got == [{"a": [1, 2], "b": ["x", "ü"]}] * 24
    assert len(storage.files) == len(TREE) + 20
    # What pandas never closes is closed when the next file is opened.
    assert len(storage.open) < 5 and not storage.uploads


def test_pyarrow_reads_and_writes(isolate, storage):
    pytest.importorskip("pyarrow")
    got = isolate.body("""
        import fsspec, pyarrow as pa, pyarrow.dataset as ds, pyarrow.fs, pyarrow.parquet as pq
        table = pa.table({"k": [1, 1, 2], "v": [0.5, 1.5, 2.5]})
        fs = fsspec.filesystem("s3")
        pq.write_table(table, "s3://bucket/one.parquet")
        pq.write_table(table, "bucket/two.parquet", filesystem=fs)
        ds.write_dataset(table, "s3://bucket/parts", format="parquet", partitioning=["k"], partitioning_flavor="hive")
        read = [pq.read_table("s3://bucket/one.parquet"), pq.read_table("bucket/two.parquet", filesystem=fs),
                pq.ParquetFile("s3://bucket/one.parquet").read_row_group(0), pq.read_table("s3://bucket/one.parquet", filters=[("k", "=", 2)]),
                ds.dataset("s3://bucket/parts", partitioning="hive").to_table(filter=ds.field("k") == 1),
                ds.dataset("bucket/parts", filesystem=fs, partitioning="hive").to_table()]
        own, path = pyarrow.fs.FileSystem.from_uri("file:///p/x")
        local = pyarrow.fs.LocalFileSystem()
        return [[sum(each["v"].to_pylist()) for each in read], path, isinstance(own, pyarrow.fs.FileSystem), isinstance(local, pyarrow.fs.FileSystem),
                issubclass(pyarrow.fs.LocalFileSystem, pyarrow.fs.FileSystem), isinstance(1, pyarrow.fs.FileSystem)]
    """)  # fmt: skip
    assert got == [[4.5, 4.5, 4.5, 2.5, 2.0, 4.5], "/p/x", True, True, True, False]
    assert sorted(url for url in storage.files if "parts" in url) == ["s3://bucket/parts/k=1/part-0.parquet", "s3://bucket/parts/k=2/part-0.parquet"]


def test_geopandas_reads_and_writes(isolate, storage):
    pytest.importorskip("geopandas")
    got = isolate.body("""
        import geopandas as gpd
        from shapely import Point
        frame = gpd.GeoDataFrame({"a": [1]}, geometry=[Point(1, 2)], crs=4326)
        frame.to_parquet("fd://g.parquet")
        read = [gpd.read_parquet("fd://g.parquet"), gpd.read_parquet("fd://g.parquet", storage_options={"anon": True})]
        return [[str(each.geometry[0]), each.crs.to_epsg()] for each in read]
    """)
    assert got == [["POINT (1 2)", 4326]] * 2


def test_plain_paths_are_the_isolates_own(isolate, storage, tmp_path):
    (tmp_path / "own").write_text("own")
    storage.files[f"file://{tmp_path}/own"] = b"of the host"
    got = isolate.body("""
        import fsspec
        read = []
        for url in (path, "file://" + path, "local://" + path, "simplecache::file://" + path):
            with fsspec.open(url, "r") as file:
                read.append(file.read())
        return [read, fsspec.filesystem("file").cat(path)]
    """, path=f"{tmp_path}/own")  # fmt: skip
    assert got == [["own", "of the host", "own", "of the host"], b"own"]
