"""Programs that ask a server, with its answers: the published client and ours shall ask the same and make the same of it."""

import io
import json
import zipfile
from typing import Any

import numpy
import pyarrow
from fake_server import Answer
from pyarrow import parquet

START = "POST /server/v1/realtime/fast/api/v1/run/udf/start"
TOKEN = "GET /fsh_abc/run/file"
SEVEN = Answer(7)

# A file that the source can be read from; the code of a case cannot.
SETUP = "from udfs import *\n"

OUTPUT = {"stdout": "hello\n", "stderr": "warned\n", "has_exception": False}
FAILED = {
    "stdout": "hello\n",
    "stderr": "warned\n",
    "has_exception": True,
    "exception": "ValueError: boom",
    "exception_class": "ValueError",
    "errormsg": "boom here",
    "lineno": 3,
}


def told(body: Any, metadata: dict[str, Any], status: int = 200, **more: str) -> Answer:
    return Answer(body, status, headers={"x-fused-metadata": json.dumps(metadata), **more})


def failed(status: int = 422, **changes: Any) -> Answer:
    metadata = {name: value for name, value in {**FAILED, **changes}.items() if value is not None}
    return told({"detail": "failed"}, metadata, status)


def npy(value: Any) -> bytes:
    file = io.BytesIO()
    numpy.save(file, value)
    return file.getvalue()


def table(metadata: dict[bytes, bytes] | None = None) -> bytes:
    file = io.BytesIO()
    columns = pyarrow.table({"a": [1, 2], "b": ["x", None]})
    parquet.write_table(columns.replace_schema_metadata(metadata) if metadata else columns, file)
    return file.getvalue()


def geo_table() -> bytes:
    import geopandas
    import shapely

    file = io.BytesIO()
    geopandas.GeoDataFrame({"q": [1]}, geometry=[shapely.Point(1, 2)], crs=4326).to_parquet(file)
    return file.getvalue()


def archive(**members: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("meta.json", json.dumps({"files": {name: {"content_type": kind} for name, (kind, _) in members.items()}}))
        for name, (_, body) in members.items():
            made.writestr(name, body)
    return file.getvalue()


def typed(body: bytes, kind: str) -> dict[str, Any]:
    return {START: Answer(body, type=kind)}


RUN = "answer = fused.run(u)"

# name: code, routes
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("answer = fused.run(u, a=3)", {START: SEVEN}),
    "called": ("answer = u(3, b='z')", {START: SEVEN}),
    "called-without-cache": ("answer = u(3, cache=False, engine='remote')", {START: SEVEN}),
    "age": ("answer = fused.run(u, cache_max_age='2h')", {START: SEVEN}),
    "no-cache": ("answer = fused.run(u, cache=False)", {START: SEVEN}),
    "age-of-the-udf": ("answer = fused.run(aged)", {START: SEVEN}),
    "default-parameters": ("answer = fused.run(with_defaults, c=[2])", {START: SEVEN}),
    "parameters-win": ("answer = fused.run(u, a=1, parameters={'a': 2})", {START: SEVEN}),
    "tile": ("answer = fused.run(u, x=1, y=2, z=3, a=4)", {f"{START}/tiles/3/1/2": SEVEN}),
    "file-with-x": ("answer = fused.run(anything, x=1, y=2, z=3, type='file')", {START: SEVEN}),
    "x-alone": ("answer = fused.run(anything, x=1)", {START: SEVEN}),
    "realtime-instance": ("answer = fused.run(u, instance_type='realtime')", {START: SEVEN}),
    "realtime-engine": ("answer = fused.run(u, engine='realtime')", {START: SEVEN}),
    "unknown-let-through": ("answer = fused.run(u, q=1, _ignore_unknown_arguments=True)", {START: SEVEN}),
    "response": ("answer = fused.run(u, _return_response=True)", {START: told(7, OUTPUT)}),
    "response-of-a-failure": ("answer = fused.run(u, _return_response=True)", {START: failed()}),
    "response-kept": ("answer = fused.run(u, _return_response=True)", {START: Answer(7, headers={"x-fused-cached": "1"})}),
    "response-in-memory": ("answer = fused.run(u, _return_response=True)", {START: Answer(7, headers={"x-cache": "hit"})}),
    "output-dropped": (RUN, {START: told(7, OUTPUT)}),
    "output-shown": (f"fused.options.verbose_udf_runs = True\n{RUN}", {START: told(7, OUTPUT)}),
    "output-of-a-kept-result": (
        f"fused.options.verbose_udf_runs = True\n{RUN}",
        {START: told(7, OUTPUT, **{"x-fused-cached": "1"})},
    ),
    "failure": (RUN, {START: failed()}),
    "failure-without-line": (RUN, {START: failed(lineno=None)}),
    "failure-without-message": (RUN, {START: failed(errormsg=None)}),
    "failure-with-200": (RUN, {START: failed(200)}),
    "failure-of-the-result": ("answer = fused.run(u, max_retry=2)", {START: failed(error_type="serialization_error")}),
    "failure-of-time": ("answer = fused.run(u, max_retry=2)", {START: failed(error_type="timeout_error")}),
    "failure-is-not-tried-again": ("answer = fused.run(u, max_retry=3)", {START: failed()}),
    "platform-error": (RUN, {START: Answer({"detail": "no"}, 500, headers={"x-fused-error": "out of machines"})}),
    "500": (RUN, {START: Answer({"detail": "broken"}, 500)}),
    "500-tried-again": (
        "answer = fused.run(u, max_retry=2)",
        {START: [Answer({"detail": "broken"}, 500), Answer({}, 500), SEVEN]},
    ),
    "500-as-text": (RUN, {START: Answer(b"oops", 500, "text/plain")}),
    "422": (RUN, {START: Answer({"detail": [{"loc": ["a"], "msg": "bad"}]}, 422)}),
    "401": (RUN, {START: Answer({"detail": "who are you"}, 401)}),
    "404": (RUN, {START: Answer({"message": "nothing there"}, 404)}),
    "400-of-a-list": (RUN, {START: Answer({"detail": [1]}, 400)}),
    "502-once": (RUN, {START: [Answer({}, 502), SEVEN]}),
    "503-once": (RUN, {START: [Answer({}, 503), SEVEN]}),
    "empty": (RUN, {START: Answer(b"")}),
    "204": (RUN, {START: Answer(b"", 204)}),
    "text": (RUN, {START: Answer("text")}),
    "json": (RUN, {START: Answer({"a": [1, None, "\u00fc"]})}),
    "nan": (RUN, typed(b"NaN", "application/json")),
    "html": (RUN, typed(b"<p>hi</p>", "text/html")),
    "html-with-charset": (RUN, typed("<p>\u00fc</p>".encode(), "text/html; charset=utf-8")),
    "table": (RUN, typed(table(), "application/octet-stream")),
    "table-by-name": (RUN, typed(table(), "application/vnd.apache.parquet")),
    "geometries": (RUN, typed(geo_table(), "application/octet-stream")),
    "array": (RUN, typed(npy(numpy.arange(6).reshape(2, 3)), "application/x-numpy-data")),
    "array-of-one": (RUN, typed(npy(numpy.array(1.5)), "application/x-numpy-data")),
    "several": (
        RUN,
        typed(
            archive(
                a=("application/json", b"[1]"),
                b=("application/octet-stream", table()),
                c=("text/html", b"<b>"),
                d=("application/x-numpy-data", npy(numpy.arange(3))),
            ),
            "application/zip",
        ),
    ),
    "several-of-none": (RUN, typed(archive(), "application/zip")),
    "elsewhere": (
        RUN,
        {
            START: lambda asked: Answer(headers={"x-fused-redirect": f"http://{asked.headers['host']}/blob"}),
            "GET /blob": Answer({"q": 1}),
        },
    ),
    "client-of-the-options": (f"fused.options.realtime_client_id = 'mine'\n{RUN}", {START.replace("fast", "mine"): SEVEN}),
    "headers-of-the-options": (f"fused.options.default_run_headers = {{'X-More': 'yes'}}\n{RUN}", {START: SEVEN}),
    "formats-of-the-options": (f"fused.options.default_dtype_out_vector = 'csv'\n{RUN}", {START: SEVEN}),
    "streams": (f"fused.options.fused_cache_disable_stream = False\n{RUN}", {START: SEVEN}),
    "token": ("answer = fused.run('fsh_abc', a=3, l=[1, 2], n=None, t=True, s='x y&z', f=1.5)", {TOKEN: SEVEN}),
    "token-tables": ("answer = fused.run('fsh_abc', frame=frame, places=places, box=box)", {TOKEN: SEVEN}),
    "token-age": ("answer = fused.run('fsh_abc', cache_max_age='1h')", {TOKEN: SEVEN}),
    "token-no-cache": ("answer = fused.run('fsh_abc', cache=False)", {TOKEN: SEVEN}),
    "token-tile": ("answer = fused.run('fsh_abc', x=1, y=2, z=3)", {"GET /fsh_abc/run/tiles/3/1/2": SEVEN}),
    "token-file-with-x": ("answer = fused.run('fsh_abc', x=1, y=2, z=3, type='file')", {TOKEN: SEVEN}),
    "token-of-other-kinds": (
        "answer = [fused.run(token) for token in ('UDF_a', 'fc_a', 'a' * 64)]",
        {f"GET /{token}/run/file": SEVEN for token in ("UDF_a", "fc_a", "a" * 64)},
    ),
    "token-failure": ("answer = fused.run('fsh_abc')", {TOKEN: failed()}),
    "token-unknown": ("answer = fused.run('fsh_abc')", {}),
    "token-response": ("answer = fused.run('fsh_abc', _return_response=True)", {TOKEN: told(7, OUTPUT)}),
    "token-on-an-instance": ("answer = fused.run('fsh_abc', instance_type='small')", {}),
    "shared-file": (
        "answer = fused.core.run_shared_file('fsh_abc', a=[1], n=None, t=True, cache_max_age=30)",
        {TOKEN: told(7, OUTPUT)},
    ),
    "shared-file-format": ("answer = fused.core.run_shared_file('fsh_abc', _format='csv', _profile=True)", {TOKEN: SEVEN}),
    "shared-file-failure": ("answer = fused.core.run_shared_file('fsh_abc')", {TOKEN: failed()}),
    "shared-tile": (
        "answer = fused.core.run_shared_tile('fsh_abc', x=1, y=2, z=3, a=4)",
        {"GET /fsh_abc/run/tiles/3/1/2": SEVEN},
    ),
    "none": ("answer = fused.run()", {}),
    "number": ("answer = fused.run(5)", {}),
    "function": ("answer = fused.run(print)", {}),
    "engine": ("answer = fused.run(u, engine='x')", {}),
    "instance-here": ("answer = fused.run(u, engine='local', instance_type='small')", {}),
    "instance-unknown": ("answer = fused.run(u, instance_type='nope')", {}),
    "disk": ("answer = fused.run(u, disk_size_gb=5)", {}),
    "tile-without-z": ("answer = fused.run(u, type='tile', x=1)", {}),
    "age-and-no-cache": ("answer = fused.run(u, cache=False, cache_max_age='1h')", {}),
    "name-unknown": ("answer = fused.run('nobody/nothing')", {}),
    "local": ("answer = fused.run(prints, engine='local')", {}),
    "local-verbose": ("answer = fused.run(prints, engine='local', verbose=True)", {}),
    "local-response": ("answer = fused.run(prints, engine='local', _return_response=True)", {}),
}

VALUES = {
    "list": "[1, 2]",
    "tuple": "(1, 'x')",
    "dict": "{'a': [1, (2, 3)], 'n': None}",
    "flag": "True",
    "none": "None",
    "int": "3",
    "float": "1.5",
    "nan": "float('nan')",
    "text": "'x'",
    "date": "datetime.date(2020, 1, 2)",
    "time": "datetime.datetime(2020, 1, 2, 3, 4, 5)",
    "uuid": "uuid.UUID(int=5)",
    "frame": "frame",
    "places": "places",
    "other-places": "places.set_crs(3857, allow_override=True)",
    "geometry": "box",
    "dates": "[datetime.date(2020, 1, 1)]",
    "numpy-int": "numpy.int64(3)",
    "numpy-float": "numpy.float64(1.5)",
    "array": "numpy.array([1, 2])",
    "set": "{1}",
    "bytes": "b'xx'",
    "decimal": "decimal.Decimal('1.50')",
    "path": "pathlib.Path('/x')",
}
CASES.update({f"value-{name}": (f"answer = fused.run(anything, a={value})", {START: SEVEN}) for name, value in VALUES.items()})
