"""Runs on a server: waiting, trying again, jobs, and what goes where."""

import asyncio
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
pytestmark = pytest.mark.skipif(sys.platform == "emscripten", reason="there are no sockets to listen on")
pytest.importorskip("requests")

from fake_server import Answer, FakeServer  # noqa: E402
from server_fixture import SEVEN, START, fake, paths  # noqa: E402, F401

import fused  # noqa: E402
from fused._exceptions import UdfRuntimeError, UdfTimeoutError  # noqa: E402
from fused._server import server  # noqa: E402


@fused.udf
def u(a: int = 1, b: str = "x"):
    return a


def polled(fake: FakeServer, *answers: Answer) -> None:
    """A run that is started and looked for: these are the answers to each look."""
    rest = [*answers]
    fake.routes[START] = lambda asked: (
        fake.routes.update({f"GET {START[5:-6]}/get/{asked.headers['fused-run-id']}": rest}) or Answer(b"", 202)
    )


def test_a_run_is_looked_for_until_it_has_ended(fake):
    polled(fake, Answer(b"", 202), Answer(b"", 202), Answer("done"))
    assert fused.run(u) == "done"
    assert len(paths(fake)) == 4
    assert len({asked.headers["fused-run-id"] for asked in fake.asked if "/run/" in asked.path}) == 1


def test_a_run_that_fails_while_it_is_looked_for(fake):
    polled(fake, Answer({}, 422, headers={"x-fused-metadata": json.dumps({"has_exception": True, "errormsg": "boom"})}))
    with pytest.raises(UdfRuntimeError, match="boom"):
        fused.run(u)


def test_a_run_that_does_not_end_is_given_up(fake):
    polled(fake, Answer(b"", 202))
    fused.options.run_timeout = 0.2
    with pytest.raises(UdfTimeoutError, match=r"UDF run \S+ timed out"):
        fused.run(u)


def test_a_run_can_be_cancelled_while_it_is_looked_for(fake):
    from concurrent.futures import CancelledError

    polled(fake, Answer(b"", 202))
    looks = iter([False, False, True])
    with pytest.raises(CancelledError):
        fused.run(u, _cancel_callback=lambda: next(looks))
    assert len(paths(fake)) == 3


def test_asynchronous_runs_go_on_at_the_same_time(fake):
    import threading

    meeting = threading.Barrier(2, timeout=10)

    def answer(asked):
        meeting.wait()
        return SEVEN

    fake.routes[START] = answer
    fake.routes["GET /fsh_abc/run/file"] = answer

    async def both() -> list[Any]:
        return await asyncio.gather(fused.run_async(u, a=1), fused.run("fsh_abc", sync=False))

    assert asyncio.run(both()) == [7, 7]


def test_an_asynchronous_run_is_looked_for_and_tried_again(fake):
    polled(fake, Answer(b"", 202), Answer({}, 503), Answer("done"))
    assert asyncio.run(fused.run_async(u)) == "done"
    fake.routes[START] = [Answer({}, 500), SEVEN]
    with pytest.warns(fused.warnings.FusedWarning, match="retrying in 0.01 seconds"):
        assert asyncio.run(fused.run_async(u, max_retry=1)) == 7


def test_another_pyodide_may_ask_for_awaitables(fake):
    fake.routes[START] = SEVEN
    fused.options.pyodide_async_requests = True
    assert asyncio.run(fused.run(u)) == 7
    assert asyncio.run(fused.run(u, a=4, engine="local")) == 4


def test_a_server_that_is_always_busy_is_an_error(fake):
    fake.routes[START] = Answer({"message": "busy"}, 503)
    with pytest.raises(server.HTTPError, match="busy") as caught:
        fused.run(u)
    assert caught.value.response.status_code == 503
    assert len(paths(fake)) == 3


def test_a_parameter_that_the_udf_does_not_declare_is_refused_before_anything_is_asked(fake):
    with pytest.raises(TypeError, match='it has no parameter "q"'):
        fused.run(u, q=1)
    with pytest.raises(TypeError, match='Cannot send the parameter "a" to a server: it is object'):
        fused.run(u, a=object())
    assert paths(fake) == []


def test_runs_that_are_nested_too_deep_are_refused_before_anything_is_asked(fake, monkeypatch):
    import fused._server.run as run

    fake.routes[START] = SEVEN
    monkeypatch.setattr(run, "get_recursion_factor", lambda: 5)
    assert fused.run(u) == 7
    assert fake.asked[-1].headers["fused-recursion"] == "6"
    monkeypatch.setattr(run, "get_recursion_factor", lambda: 6)
    with pytest.raises(ValueError, match="max_recursion_factor is 5"):
        fused.run(u)
    assert len(paths(fake)) == 1


def test_who_we_are_is_told_to_the_server_alone(fake):
    other = FakeServer()
    other.routes["GET /blob"] = Answer({"q": 1})
    fake.routes[START] = Answer(headers={"x-fused-redirect": f"{other.origin}/blob"})
    assert fused.run(u) == {"q": 1}
    assert fake.asked[-1].headers["authorization"] == "Bearer secret"
    assert "authorization" not in other.asked[0].headers
    other.close()


def test_a_redirect_to_an_error_is_one(fake):
    fake.routes[START] = Answer(headers={"x-fused-redirect": f"{fake.origin}/blob"})
    with pytest.raises(server.HTTPError, match="Not Found"):
        fused.run(u)


BROKEN = {
    "no parquet": (b"abc", "application/octet-stream", "it should be Parquet and is not"),
    "no json": (b"{", "application/json", "Expecting"),
    "objects": (None, "application/x-numpy-data", "allow_pickle"),
    "no archive": (b"PK", "application/zip", "no archive of results"),
    "deep json": (b"[" * 100_000, "application/json", "nested"),
    "archive without a list": (b"empty", "application/zip", "no archive of results"),
}


@pytest.mark.parametrize(("body", "kind", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_a_body_that_is_not_what_it_says_is_refused(fake, body, kind, message):
    if body is None:
        import numpy

        file = io.BytesIO()
        numpy.save(file, numpy.array([print], dtype=object), allow_pickle=True)
        body = file.getvalue()
    if body == b"empty":
        import zipfile

        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as made:
            made.writestr("meta.json", "[]")
        body = file.getvalue()
    fake.routes[START] = Answer(body, type=kind)
    with pytest.raises(ValueError, match=message):
        fused.run(u)


def test_a_picture_is_a_dataset(fake):
    numpy, image = pytest.importorskip("numpy"), pytest.importorskip("PIL.Image")
    pytest.importorskip("xarray")
    pixels = numpy.arange(24, dtype="uint8").reshape(2, 4, 3)
    file = io.BytesIO()
    image.fromarray(pixels).save(file, "png")
    fake.routes[START] = Answer(file.getvalue(), type="image/png")
    made = fused.run(u)["image"]
    assert made.dims == ("band", "y", "x")
    assert (made.values == numpy.moveaxis(pixels, 2, 0)).all()


def test_a_missing_package_is_named(fake, monkeypatch):
    monkeypatch.setitem(sys.modules, "numpy", None)
    fake.routes[START] = Answer(b"x", type="application/x-numpy-data")
    with pytest.raises(ImportError, match="needs the package numpy"):
        fused.run(u)


JOB = {
    "job_id": "j1",
    "job_name": "u",
    "instance_id": "i",
    "instance_type": "small",
    "status": "running",
    "terminal_status": False,
    "job_status": "Running",
    "job_status_date": None,
    "finished_job_status": False,
    "total_tasks": 1,
    "finished_tasks": 0,
}


def jobs(fake: FakeServer, status: str, results: list[dict[str, str]]) -> None:
    ended = {**JOB, "job_status": status, "finished_job_status": True, "terminal_status": True, "status": "terminated"}
    fake.routes.update(
        {
            "POST /server/v1/run": Answer(JOB),
            "GET /server/v1/run/by-id/j1": Answer(ended),
            "GET /blob": Answer([1, 2]),
            "GET /server/v1/run/by-id/j1/results": Answer(results),
        }
    )


@pytest.mark.parametrize(("status", "results"), [("Done", []), ("Canceled", None), ("Failed", None), ("Strange", None)])
def test_a_job_without_results_is_none_and_one_that_did_not_end_well_an_error(fake, status, results):
    """It wants job_status 'Done'; anything else is a RuntimeError. An empty list of results is None."""
    jobs(fake, status, results or [])
    if results is not None:
        assert fused.run(u, instance_type="small") is None
        return
    with pytest.raises(RuntimeError, match=f"its status is {status}"):
        fused.run(u, instance_type="small")


def test_a_call_and_the_engine_realtime_go_to_the_server(fake):
    """`udf(...)` runs remotely by default; 'realtime' as engine means remote."""
    fake.routes[START] = SEVEN
    assert u(3) == u(a=3) == 7
    assert u(3, engine="local") == 3
    assert fused.run(u, a=3, instance_type="realtime") == 7
    fused.options.default_udf_run_engine = "local"
    assert u(3) == 3
    assert fused.run(u, a=3, engine="realtime") == 7
    assert [asked.path for asked in fake.asked if asked.path == START[5:]] == [START[5:]] * 4


def test_a_run_on_an_instance_is_a_job_that_is_waited_for(fake, capsys):
    jobs(fake, "Done", [{"name": "0.json", "url": f"{fake.origin}/blob"}])
    assert fused.run(u, a=[1, 2], instance_type="small", disk_size_gb=30, cache_max_age="1h") == [1, 2]
    assert capsys.readouterr().out == "Batch job started with ID: j1\n"
    asked = fake.asked[0]
    assert (asked.path, dict(asked.query)) == ("/server/v1/run", {"instance_type": "small", "disk_size_gb": "30"})
    assert asked.json["config"]["steps"][0]["udf"]["parameters"] == {"a": [1, 2]}
    assert (asked.json["cache_max_age"], asked.json["send_status_email"]) == (3600, True)


def test_an_engine_may_be_an_instance(fake):
    jobs(fake, "Done", [])
    assert fused.run(u, engine="small") is None
    assert fused.run(fused.udf(engine="m5.large", disk_size_gb=7)(u._function)) is None
    assert asyncio.run(fused.run_async(u, instance_type="small")) is None
    assert [dict(asked.query) for asked in fake.asked if asked.path == "/server/v1/run"] == [
        {"instance_type": "small"},
        {"instance_type": "m5.large", "disk_size_gb": "7"},
        {"instance_type": "small"},
    ]


def test_a_job_that_fails_is_an_error(fake):
    jobs(fake, "Failed", [])
    with pytest.raises(RuntimeError, match="Batch job j1 has no result: its status is Failed"):
        fused.run(u, instance_type="small")
    with pytest.raises(ValueError, match="tile"):
        fused.run(u, instance_type="small", x=1, y=2, z=3)


def test_steps_and_tokens_are_run_as_what_they_hold(fake):
    from fused.models.api.job import UdfJobStepConfig
    from fused.models.api.udf_access_token import UdfAccessToken

    fake.routes.update({START: SEVEN, "GET /fsh_abc/run/file": SEVEN})
    assert fused.run(UdfJobStepConfig(udf=u), a=5) == 7
    assert json.loads(fake.asked[-1].json["step_config"])["udf"]["parameters"] == {"a": 5}
    token = UdfAccessToken(token="fsh_abc", enabled=True, client_id=None, metadata_json=None, last_updated="2026-01-01T00:00:00")
    assert fused.run(token, a=5) == 7
    assert ("a", "5") in fake.asked[-1].query


def test_a_saved_udf_is_loaded_and_sent(fake):
    body = json.dumps(
        {"name": "there", "code": "@fused.udf\ndef udf(a: int): return a", "entrypoint": "udf", "type": "geopandas_v2"}
    )
    fake.routes.update(
        {
            START: SEVEN,
            "GET /server/v1/udf/by-user-handle/bob/by-collection/default/by-slug/there": Answer(
                {"id": "1", "slug": "there", "udf_body": body, "udf_type": "auto"}
            ),
        }
    )
    assert fused.run("bob/there", a=1) == 7
    assert fused.run("bob/there", a="1", engine="local") == 1
    assert asyncio.run(fused.run_async("bob/there", a="1", engine="local")) == 1


def test_a_saved_udf_runs_by_its_owner(fake):
    body = json.dumps(
        {"name": "there", "code": "@fused.udf\ndef udf(a: int): return a", "entrypoint": "udf", "type": "geopandas_v2"}
    )
    slow = START.replace("fast", "slow")
    fake.routes.update(
        {
            slow: SEVEN,
            f"{slow}/tiles/3/1/2": SEVEN,
            "GET /server/v1/udf/by-user-email/b@x.org/by-collection/default/by-slug/there": Answer(
                {"id": "1", "slug": "there", "udf_body": body, "udf_type": "auto"}
            ),
        }
    )
    outcome = fused.core.run_file("b@x.org", "there", a=1, _client_id="slow", _dtype_out_raster="png")
    assert (outcome.data, outcome.udf.name, fake.asked[-1].json["format"]) == (7, "there", "png,parquet,json")
    assert asyncio.run(fused.core.run_tile_async("b@x.org", "there", x=1, y=2, z=3, _client_id="slow")).data == 7


def test_without_a_server_runs_are_local_and_the_rest_says_what_to_set(fake):
    fused.options.base_url = ""
    assert fused.run(u, a="3") == 3
    for call in (
        lambda: fused.run(u, engine="remote"),
        lambda: fused.run("fsh_abc"),
        lambda: fused.core.run_shared_file("fsh_abc"),
    ):
        with pytest.raises(server.ServerNotConfiguredError, match=r"set fused\.options\.base_url"):
            call()


def test_the_engine_of_the_options(fake):
    fake.routes[START] = SEVEN
    assert fused.run(u, a=3) == 7
    fused.options.default_udf_run_engine = "local"
    assert fused.run(u, a=3) == 3
    assert fused.run(u, a=3, engine="remote") == 7
    assert fused.run(fused.udf(engine="remote")(u._function), a=3) == 7
    with pytest.raises(ValueError, match="only supported for the 'remote' engine"):
        fused.run(u, instance_type="small")
