"""Files: all that the client does with them, in the user's own place and in the team's."""

import io
import os
import tempfile
import urllib.request

import fused
import pandas
from scenarios import PLACE, ask, equal, fails, name, run, scenario, source

api = fused.api.FusedAPI()


def folder() -> str:
    return f"fd://{name('files')}"


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url) as response:
        return response.read()


@scenario("upload bytes and get them")
def _() -> None:
    path = f"{folder()}/a.bin"
    fused.api.upload(bytes(range(256)), path)
    equal(fused.api.get(path), bytes(range(256)))


@scenario("upload a file, and download it")
def _() -> None:
    path = f"{folder()}/a.txt"
    with tempfile.TemporaryDirectory() as here:
        with open(f"{here}/in.txt", "w") as file:
            file.write("h\u00e9llo")
        fused.api.upload(f"{here}/in.txt", path)
        fused.api.download(path, f"{here}/out.txt")
        with open(f"{here}/out.txt", "rb") as file:
            equal(file.read(), "h\u00e9llo".encode())


@scenario("upload a stream and a DataFrame")
def _() -> None:
    place = folder()
    fused.api.upload(io.BytesIO(b"streamed"), f"{place}/s.bin")
    equal(fused.api.get(f"{place}/s.bin"), b"streamed")
    frame = pandas.DataFrame({"a": [1, 2]})
    fused.api.upload(frame, f"{place}/t.parquet")
    pandas.testing.assert_frame_equal(pandas.read_parquet(io.BytesIO(fused.api.get(f"{place}/t.parquet"))), frame)


@scenario("upload of 12 MB, as it is")
def _() -> None:
    path, data = f"{folder()}/large.bin", os.urandom(12_000_000)
    fused.api.upload(data, path, timeout=60)
    assert fused.api.get(path) == data


@scenario("an empty file")
def _() -> None:
    path = f"{folder()}/empty"
    fused.api.upload(b"", path)
    equal(fused.api.get(path), b"")


@scenario("a file is overwritten")
def _() -> None:
    path = f"{folder()}/a"
    for text in (b"first", b"second"):
        fused.api.upload(text, path)
    equal(fused.api.get(path), b"second")


@scenario("names with spaces, percent signs and other scripts")
def _() -> None:
    place = folder()
    for odd in ("a b.txt", "50%.txt", "a+b.txt", "\u65e5\u672c.txt"):
        fused.api.upload(odd.encode(), f"{place}/{odd}")
        equal(fused.api.get(f"{place}/{odd}"), odd.encode())
    equal(len(fused.api.list(f"{place}/")), 4)


@scenario("list, with and without details")
def _() -> None:
    place = folder()
    for path in ("a.txt", "b/c.txt"):
        fused.api.upload(b"12345", f"{place}/{path}")
    equal(sorted(one.removeprefix(place) for one in fused.api.list(f"{place}/")), ["/a.txt", "/b/"])
    details = {one.file_name: one for one in fused.api.list(f"{place}/", details=True)}
    equal((details["a.txt"].size, details["a.txt"].is_directory, details["b"].is_directory), (5, False, True))


@scenario("a signed URL opens one file, without a token")
def _() -> None:
    path = f"{folder()}/a.csv"
    fused.api.upload(b"a,b\n1,2\n", path)
    url = fused.api.sign_url(path)
    equal(fetched(url), b"a,b\n1,2\n")
    equal(list(pandas.read_csv(url).columns), ["a", "b"])
    fails("HTTPError", "40", fetched, url[:-2] + ("00" if url[-2:] != "00" else "11"))


@scenario("signed URLs of a folder")
def _() -> None:
    place = folder()
    for file in ("a", "b"):
        fused.api.upload(file.encode(), f"{place}/{file}")
    equal(sorted(fetched(url) for url in fused.api.sign_url_prefix(f"{place}/").values()), [b"a", b"b"])


@scenario("delete a file and a folder")
def _() -> None:
    place = folder()
    for path in ("a", "b/c", "b/d"):
        fused.api.upload(b"x", f"{place}/{path}")
    assert fused.api.delete(f"{place}/a")
    fails(Exception, "", fused.api.get, f"{place}/a")
    fused.api.delete(f"{place}/b/", max_deletion_depth="unlimited")
    equal(fused.api.list(f"{place}/"), [])


@scenario("a folder near the root is not deleted by mistake")
def _() -> None:
    fused.api.upload(b"x", f"{folder()}/a")
    fails(Exception, "", fused.api.delete, "fd://", max_deletion_depth=0)


@scenario("a temporary upload")
def _() -> None:
    url = api._upload_tmp("bin", b"temporary")
    equal(fused.api.get(url), b"temporary")


@scenario("what is not there is told so")
def _() -> None:
    fails(Exception, "not", fused.api.get, f"{folder()}/gone")


@scenario("paths with dots go nowhere else")
def _() -> None:
    for path in ("fd://../../server.db", "fd://a/../../../server.db", "file:///mount/../server.db", "file:///etc/passwd"):
        fails(Exception, "", fused.api.get, path)


@scenario("a path's URL")
def _() -> None:
    assert fused.api.resolve("fd://a/b.txt").endswith("a/b.txt")


@scenario("the team's disk: upload, list, get, delete")
def _() -> None:
    place = f"/mount/{name('disk')}"
    fused.api.upload(b"on disk", f"{place}/a.txt")
    equal(fused.api.get(f"file://{place}/a.txt"), b"on disk")
    equal([one.rsplit("/", 1)[-1] for one in fused.api.list(f"file://{place}/")], ["a.txt"])
    fused.api.delete(f"file://{place}/a.txt")
    fails(Exception, "", fused.api.get, f"file://{place}/a.txt")


@scenario("a UDF has the team's disk as a folder, and so has pandas in it")
def _() -> None:
    place = f"/mount/{name('folder')}"
    fused.api.upload(b"city,n\nOslo,1\nBergen,2\n", f"{place}/in.csv")
    imports = "import os\nimport pandas as pd"
    written = run(
        f"frame = pd.read_csv('{place}/in.csv')\n"
        f"frame.to_parquet('{place}/out.parquet')\n"
        f"frame.to_csv('{place}/out.csv', index=False)\n"
        f"assert pd.read_parquet('{place}/out.parquet', columns=['n']).n.tolist() == [1, 2]\n"
        f"return sorted(os.listdir('{place}'))",
        imports=imports,
    )
    equal(written, ["in.csv", "out.csv", "out.parquet"])
    equal(fused.api.get(f"file://{place}/out.csv"), b"city,n\nOslo,1\nBergen,2\n")
    equal(fused.run(source("import os\nreturn os.path.getsize(path)", "path: str"), path=f"{place}/in.csv"), 23)


@scenario("one's own place is not a teammate's; the disk is")
def _() -> None:
    path = name("mine")
    fused.api.upload(b"x", f"fd://{path}")
    fails("HTTPError", "404", ask, "GET", f"/server/v1/files/get?path=fd://{path}", token=PLACE.teammate_token)
    fused.api.upload(b"y", f"/mount/{path}")
    equal(ask("GET", f"/server/v1/efs/fuselet/download?file_name={path}", token=PLACE.teammate_token), b"y")
    fails("HTTPError", "404", ask, "GET", f"/server/v1/efs/fuselet/download?file_name={path}", token=PLACE.stranger_token)


@scenario("a UDF reads what was uploaded, and what it writes is downloaded")
def _() -> None:
    place = folder()
    fused.api.upload(b"in", f"{place}/in")
    run(f"fused.api.upload(fused.api.get('{place}/in') + b' and out', '{place}/out')")
    equal(fused.api.get(f"{place}/out"), b"in and out")
