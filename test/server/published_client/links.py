"""Shared tokens: made, run, listed, changed, disabled, deleted, expired."""

import io
import json
import time
import urllib.request

import fsspec
import fused
import numpy
import pandas
from scenarios import PLACE, ask, equal, fails, id_of, save, scenario

api = fused.api.FusedAPI()


def fetched(url: str) -> tuple[str, bytes]:
    with urllib.request.urlopen(url) as response:
        return response.headers["content-type"].split(";")[0], response.read()


@scenario("a token is made, and its address runs the UDF")
def _() -> None:
    token = save("return {'n': n}", "n: int = 1").create_access_token()
    assert token.token.startswith("fsh_"), token.token
    kind, body = fetched(f"{token.get_file_url()}?n=4")
    equal((kind, json.loads(body)), ("application/json", {"n": 4}))


@scenario("a tile by a token's address")
def _() -> None:
    token = save("return int(bounds[0])", "bounds: fused.types.Bounds = None").create_access_token()
    equal(json.loads(fetched(token.get_tile_url(x=1, y=0, z=1))[1]), 0)


@scenario("formats of a table by a token: csv, parquet, json, arrow, html")
def _() -> None:
    token = save("return pd.DataFrame({'a': [1, 2]})", imports="import pandas as pd").create_access_token()
    place = f"{PLACE.url}/{token.token}/run/file"
    wanted = pandas.DataFrame({"a": [1, 2]})
    equal(pandas.read_csv(f"{place}.csv").a.tolist(), [1, 2])
    pandas.testing.assert_frame_equal(pandas.read_parquet(io.BytesIO(fetched(f"{place}.parquet")[1])), wanted)
    equal(json.loads(fetched(f"{place}.json")[1]), [{"a": 1}, {"a": 2}])
    equal(pandas.read_csv(token.get_file_url(format="csv")).a.tolist(), [1, 2])
    assert b"<table" in fetched(f"{place}.html")[1]


@scenario("a token's address is read in parts, as fsspec reads files")
def _() -> None:
    token = save("return pd.DataFrame({'a': range(n)})", "n: int = 1", imports="import pandas as pd").create_access_token()
    url, files = f"{PLACE.url}/{token.token}.parquet?n=5000", fsspec.filesystem("http")
    equal(files.cat_file(url, start=-4), b"PAR1")
    with files.open(url, block_size=1000) as file:
        equal(pandas.read_parquet(file).a.tolist(), list(range(5000)))


@scenario("formats of an array by a token: png, tiff, npy")
def _() -> None:
    token = save("return np.full((3, 4, 4), 200, 'uint8')", imports="import numpy as np").create_access_token()
    place = f"{PLACE.url}/{token.token}/run/file"
    kind, png = fetched(f"{place}.png")
    equal((kind, png[:8]), ("image/png", b"\x89PNG\r\n\x1a\n"))
    equal(fetched(f"{place}.tiff")[0], "image/tiff")
    equal(numpy.load(io.BytesIO(fetched(f"{place}.npy")[1])).shape, (3, 4, 4))


@scenario("the functions of fused.core run tokens")
def _() -> None:
    token = save("return [n, bounds is None]", "n: int = 1, bounds: fused.types.Bounds = None").create_access_token().token
    equal(fused.core.run_shared_file(token, n=2).data, [2, True])
    equal(fused.core.run_shared_tile(token, x=0, y=0, z=0, n=3).data, [3, False])


@scenario("tokens are listed, of all and of a UDF")
def _() -> None:
    udf = save("return 1")
    token = udf.create_access_token()
    equal([one.token for one in udf.get_access_tokens()], [token.token])
    assert token.token in [one.token for one in api.get_udf_access_tokens(n=100, max_requests=10)]


@scenario("a token is read by its text")
def _() -> None:
    token = save("return 1").create_access_token()
    equal(api.get_udf_access_token(token.token).udf_id, token.udf_id)


@scenario("a disabled token runs nothing, and does again when it is enabled")
def _() -> None:
    token = save("return 1").create_access_token()
    token.update(enabled=False)
    fails(Exception, "", fused.run, token.token)
    token.update(enabled=True)
    equal(fused.run(token.token), 1)


@scenario("a token keeps metadata, and says of itself what was changed")
def _() -> None:
    token = save("return 1").create_access_token(metadata_json={"minzoom": 3}, cache=False)
    equal((token.metadata_json, token.cache), ({"minzoom": 3}, False))
    token.update(metadata_json={"minzoom": 4}, cache=True)
    again = token.refresh()
    equal((again.metadata_json, again.cache), ({"minzoom": 4}, True))


@scenario("a deleted token runs nothing")
def _() -> None:
    token = save("return 1").create_access_token()
    equal(fused.run(token.token), 1)
    token.delete()
    fails(Exception, "", fused.run, token.token)
    fails("HTTPError", "404", fetched, token.get_file_url())


@scenario("an expired token runs nothing")
def _() -> None:
    udf = save("return 1")
    body = {"udf_id": id_of(udf), "expires_in": 1}
    token = ask("POST", "/server/v1/udf-access-token/new", body, fused.api.access_token())["token"]
    equal(fused.run(token), 1)
    time.sleep(1.1)
    fails("HTTPError", "404", fetched, f"{PLACE.url}/{token}/run/file")


@scenario("a token ends with its UDF")
def _() -> None:
    udf = save("return 1")
    token = udf.create_access_token()
    udf.delete_saved()
    fails("HTTPError", "404", fetched, token.get_file_url())


@scenario("a token runs the last version")
def _() -> None:
    udf = save("return 1")
    token = udf.create_access_token()
    udf.code = udf.code.replace("return 1", "return 2")
    udf.to_fused()
    equal(fused.run(token), 2)


@scenario("a token shows its code only where it may")
def _() -> None:
    udf = save("return 'secret recipe'")
    closed, opened = udf.create_access_token(), udf.create_access_token(public_read=True)
    fails("HTTPError", "403", ask, "GET", f"/server/v1/udf/shared/by-token/{closed.token}")
    assert "secret recipe" in ask("GET", f"/server/v1/udf/shared/by-token/{opened.token}")["udf_body"]
    assert "secret recipe" in fused.load(opened.token).code


@scenario("a token for the team wants somebody of the team")
def _() -> None:
    token = save("return 1").create_access_token(access_scope="team")
    equal(fused.run(token.token), 1)
    fails("HTTPError", "403", fetched, token.get_file_url())
    fails("HTTPError", "403", ask, "GET", f"/{token.token}/run/file", token=PLACE.stranger_token)
    equal(ask("GET", f"/{token.token}/run/file.json", token=PLACE.teammate_token), 1)


@scenario("results by a token are kept as it says")
def _() -> None:
    udf = save("import random\nreturn random.random()", decorator="@fused.udf(cache_max_age='1h')")
    kept, fresh = udf.create_access_token(), udf.create_access_token(cache=False)
    equal(fused.run(kept.token), fused.run(kept.token))
    assert fused.run(fresh.token) != fused.run(fresh.token)
