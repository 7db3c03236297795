"""fsspec, pandas and pyarrow by way of the host."""

import io

import pytest
from net_servers import pattern

pytest.importorskip("fsspec")

DATA = pattern(1_000_000)


def test_a_file_is_opened_whole_and_in_ranges(isolate, server):
    got = isolate.body("""
        import fsspec
        with fsspec.open(url + "/file", "rb") as file:
            beginning = file.read(10)
            file.seek(-5, 2)
            end = file.read()
            file.seek(500_000)
            middle = file.read(4)
        with fsspec.open(url + "/file", "rb") as file:
            return [beginning, middle, end, file.read()]
    """, url=server.url)  # fmt: skip
    assert got == [DATA[:10], DATA[500_000:500_004], DATA[-5:], DATA]


def test_only_what_is_needed_is_requested(isolate, server):
    isolate.body("""
        import fsspec
        with fsspec.open(url + "/file", "rb", block_size=1000) as file:
            file.seek(500_000)
            file.read(10)
    """, url=server.url)  # fmt: skip
    assert server.requests == ["HEAD /file", "GET /file"]
    headers = dict(map(tuple, isolate.host.requests[1]["headers"]))
    assert headers["Range"] == "bytes=500000-501009"


def test_the_file_system_answers_questions(isolate, server):
    got = isolate.body("""
        import fsspec
        fs = fsspec.filesystem("http", headers={"X-Mine": "1"})
        info = fs.info(url + "/file")
        asked = {name: info[name] for name in ("size", "type", "mimetype", "ETag", "partial")}
        try:
            fs.info(url + "/status/404")
        except FileNotFoundError as error:
            missing = str(error)
        try:
            fs.cat(url + "/status/500")
        except OSError as error:
            broken = str(error)
        return [asked, fs.exists(url + "/file"), fs.exists(url + "/status/404"), fs.exists("http://nowhere.example/"), missing, broken,
                fs.size(url + "/nohead"), fs.isdir(url + "/file"), fs.isfile(url + "/file")]
    """, url=server.url)  # fmt: skip
    asked = {"size": 1_000_000, "type": "file", "mimetype": "text/x-pattern", "ETag": '"one"', "partial": True}
    assert got == [asked, True, False, False, f"{server.url}/status/404", f"500 Internal Server Error for {server.url}/status/500",
                   1_000_000, False, True]  # fmt: skip
    assert all(["X-Mine", "1"] in request["headers"] for request in isolate.host.requests)


def test_parts_are_read_without_a_file(isolate, server):
    got = isolate.body("""
        import fsspec
        fs = fsspec.filesystem("http")
        file = url + "/file"
        return [fs.cat_file(file, 10, 20), fs.cat_file(file, -10), fs.cat_file(file, 2, -999_990), fs.cat_file(file, 999_990),
                fs.cat_file(url + "/norange", 10, 20), fs.cat_file(file, 5, 5),
                [bytes(part) for part in fs.cat_ranges([file, file], [0, 5], [3, 9])], fs.head(file, 4), fs.tail(file, 4)]
    """, url=server.url)  # fmt: skip
    assert got == [DATA[10:20], DATA[-10:], DATA[2:10], DATA[-10:], DATA[10:20], b"", [DATA[:3], DATA[5:9]], DATA[:4], DATA[-4:]]


@pytest.mark.parametrize("path", ["norange", "nohead"])
def test_servers_that_know_less_are_read_too(isolate, server, path):
    got = isolate.body("""
        import fsspec
        with fsspec.open(f"{url}/{path}", "rb") as file:
            file.seek(999_000)
            end = file.read()
            file.seek(0)
            return [end, file.read()]
    """, url=server.url, path=path)  # fmt: skip
    assert got == [DATA[999_000:], DATA]


def test_streams_are_read_once(isolate, server):
    got = isolate.body("""
        import fsspec
        with fsspec.open(url + "/chunked?n=300000", "rb") as file:
            first, rest = file.read(7), file.read()
            try:
                file.seek(0)
            except ValueError as error:
                refused = str(error)
        with fsspec.open(url + "/file", "rb", block_size=0) as file:
            file.read(5)
        with fsspec.open(url + "/data/text", "r") as file:
            return [first + rest, refused, list(file)]
    """.replace("/data/text", "/gzip"), url=server.url)  # fmt: skip
    assert got[0] == pattern(300_000)
    assert "does not tell" in got[1]
    assert got[2] == ['{"compressed": true}']
    assert not isolate.host.open


def test_caches_keep_what_was_read(isolate, server, tmp_path):
    got = isolate.body("""
        import fsspec
        found = []
        for way in ("simplecache", "filecache", "blockcache"):
            for _ in range(2):
                with fsspec.open(f"{way}::{url}/file", "rb", **{way: {"cache_storage": f"{folder}/{way}"}}) as file:
                    found.append(file.read(100))
        return [found, fsspec.open_local(f"simplecache::{url}/file", simplecache={"cache_storage": folder})]
    """, url=server.url, folder=str(tmp_path))  # fmt: skip
    assert got[0] == [DATA[:100]] * 6
    with open(got[1], "rb") as file:
        assert file.read() == DATA
    assert server.requests.count("GET /file") == 4


def test_pages_are_listed(isolate, server):
    got = isolate.body("""
        import fsspec
        fs = fsspec.filesystem("http")
        return [fs.ls(url + "/listing/", detail=False), fs.glob(url + "/listing/*.csv"), fs.isdir(url + "/listing/")]
    """, url=server.url)  # fmt: skip
    base = f"{server.url}/listing/"
    assert got == [[f"{base}?sort=name", f"{base}a.csv", f"{base}b.csv", f"{base}sub/"], [f"{base}a.csv", f"{base}b.csv"], True]


def test_https_auth_and_redirects(isolate, server, secure):
    got = isolate.body("""
        import fsspec
        fs = fsspec.filesystem("https", client_kwargs={"auth": ("ada", "s3cret"), "timeout": 5})
        return [fs.cat(url + "/basic"), fs.cat(secure_url + "/basic"), fs.info(url + "/redirect?to=/file")["url"]]
    """, url=server.url, secure_url=secure.url)  # fmt: skip
    assert got == [b"welcome", b"welcome", f"{server.url}/file"]


@pytest.mark.parametrize("code", ["fsspec.open(url).open()", "fsspec.filesystem('http').exists(url)", "fsspec.filesystem('http').isdir(url)",
                                  "fsspec.filesystem('http').cat(url)"])  # fmt: skip
def test_a_denial_ends_the_run_as_one(isolate, server, failure, code):
    isolate.host.granted = set()
    error = failure(isolate.body, f"import fsspec\nreturn {code}", url=server.url)
    assert (error.kind, error.subject, error.value) == ("permission", "net", f"127.0.0.1:{server.port}")
    assert isolate.host.calls == ["net.fetch"]


def test_failures_are_pythons(isolate, server):
    got = isolate.body("""
        import fsspec
        fs = fsspec.filesystem("http", client_kwargs={"timeout": 0.3})
        found = []
        for target in ("http://nowhere.example/", "http://127.0.0.1:1/", url + "/slow?s=3"):
            try:
                fs.cat_file(target)
            except OSError as error:
                found.append(type(error).__name__)
        try:
            fs.open(url + "/file", "wb")
        except NotImplementedError as error:
            return [found, str(error)]
    """, url=server.url)  # fmt: skip
    assert got == [["gaierror", "ConnectionRefusedError", "TimeoutError"], "Files behind URLs can be read, not written"]


def test_pandas_reads_urls(isolate, server):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pandas.DataFrame({"a": [1, 2], "b": ["x", "ü"]})
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    server.files["/data/a.parquet"] = buffer.getvalue()
    server.files["/data/a.csv"] = frame.to_csv(index=False).encode()
    server.files["/data/a.json"] = frame.to_json().encode()
    buffer = io.BytesIO()
    frame.to_csv(buffer, index=False, compression="gzip")
    server.files["/data/a.csv.gz"] = buffer.getvalue()
    got = isolate.body("""
        import fsspec, pandas as pd, pyarrow.parquet as pq, pyarrow.dataset as ds
        frames = [pd.read_csv(url + "/data/a.csv"), pd.read_csv(url + "/data/a.csv.gz"), pd.read_json(url + "/data/a.json"),
                  pd.read_parquet(url + "/data/a.parquet"), pd.read_parquet(url + "/data/a.parquet", columns=["a", "b"], filters=[("a", ">", 0)])]
        fs = fsspec.filesystem("http")
        frames.append(pq.read_table(url + "/data/a.parquet", filesystem=fs).to_pandas())
        frames.append(ds.dataset(url + "/data/a.parquet", filesystem=fs).to_table().to_pandas())
        with fsspec.open(url + "/data/a.parquet") as file:
            frames.append(pq.read_table(file).to_pandas())
        return [frame.to_dict("list") for frame in frames]
    """, url=server.url)  # fmt: skip
    assert got == [{"a": [1, 2], "b": ["x", "ü"]}] * 8


def test_pandas_sends_headers_and_names_failures(isolate, server, failure):
    pytest.importorskip("pandas")
    got = isolate.body("""
        import pandas as pd
        from urllib.error import HTTPError
        try:
            pd.read_csv(url + "/status/404")
        except HTTPError as error:
            missing = error.code
        frame = pd.read_json(url + "/echo", storage_options={"X-Mine": "1"}, orient="index")
        return [missing, ["x-mine", "1"] in frame.loc["headers"].item()]
    """, url=server.url)  # fmt: skip
    assert got == [404, True]
    isolate.host.granted = set()
    error = failure(isolate.body, "import pandas as pd\nreturn pd.read_csv(url)", url=server.url)
    assert (error.kind, error.subject) == ("permission", "net")
