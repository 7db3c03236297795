"""Calls of the package `fused`, for the published client and for ours alike: `python calls.py ORIGIN` makes each of them against a server
and prints a line of JSON for each: its name, what it gave, what it printed, what it warned of."""

import contextlib
import io
import json
import os
import sys
import tempfile
import urllib.request
import warnings
from typing import Any

import fused

UDF_ID = "11111111-1111-4111-8111-111111111111"


@fused.udf
def hello(a: int = 1):
    return a


def unsaved() -> Any:
    return fused.load("import fused\n\n@fused.udf\ndef udf(a: int = 1):\n    return a\n")


def saved() -> Any:
    return fused.load(UDF_ID)


def api() -> Any:
    from fused.api import FusedAPI

    return FusedAPI()


def in_folder(text: str = "abc") -> str:
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "local.txt")
    with open(path, "w") as file:
        file.write(text)
    return path


def downloaded(path: str) -> str:
    place = os.path.join(tempfile.mkdtemp(), "out")
    given = fused.api.download(path, place)
    with open(place, "rb") as file:
        return f"{given} {file.read()!r}"


def frame() -> Any:
    import pandas as pd

    return pd.DataFrame({"a": [1, 2]})


def token() -> Any:
    return api().create_udf_access_token("ann@example.com", "hello", client_id=None)


def cron(**changes: Any) -> Any:
    from fused.models.api import CronJob

    return CronJob(**{"name": "hello", "enabled": True, "minute": 5, "hour": [1, 2], "day_of_month": [1], "month": [1], "day_of_week": [0],
                      "udf": UDF_ID, **changes})  # fmt: skip


def run_response(**changes: Any) -> Any:
    from fused.models import RunResponse

    return RunResponse(**{"job_id": "job-1", "job_name": "n", "status": "running", "terminal_status": False, "total_tasks": 0,
                          "finished_tasks": 0, **changes})  # fmt: skip


def step(**changes: Any) -> Any:
    return fused.ingest(**{"input": "s3://bucket/in.parquet", "output": "s3://bucket/out", **changes})


def step_of_udf() -> Any:
    from fused.models import UdfJobStepConfig

    return UdfJobStepConfig(udf=saved(), input=[{"a": 1}, {"a": 2}])


def job_of_udf() -> Any:
    from fused.models import JobConfig

    return JobConfig(steps=[step_of_udf()], name="a_job", metadata={"m": 1})


def set_secret() -> Any:
    fused.secrets["NEW"] = "v"


def delete_secret() -> Any:
    del fused.secrets["KEY"]


def attribute_secret() -> Any:
    manager = type(fused.secrets)()
    manager.x = "v"
    return manager.x


CALLS = {
    "whoami": lambda: fused.api.whoami(),
    "team_info": lambda: fused.api.team_info(),
    "access_token": lambda: fused.api.access_token(),
    "auth_scheme": lambda: fused.api.auth_scheme(),
    "auth_token": lambda: api().auth_token(),
    "list": lambda: fused.api.list("s3://bucket/a/"),
    "list fd": lambda: fused.api.list("fd://a"),
    "list details": lambda: [dict(detail) for detail in fused.api.list("s3://bucket/a/", details=True)],
    "list of the mount": lambda: fused.api.list("/mount/a"),
    "list of the mount with details": lambda: [dict(detail) for detail in fused.api.list("file:///mount/a", details=True)],
    "list of no scheme": lambda: fused.api.list("a/b"),
    "get": lambda: fused.api.get("s3://bucket/a b.txt"),
    "get of the mount": lambda: fused.api.get("/mount/a/b.txt"),
    "download": lambda: downloaded("s3://bucket/a.txt"),
    "download of the mount": lambda: downloaded("/mount/a/b.txt"),
    "delete": lambda: fused.api.delete("s3://bucket/a/b.txt"),
    "delete unlimited": lambda: fused.api.delete("fd://a/", "unlimited"),
    "delete of the mount": lambda: fused.api.delete("/mount/a/b.txt"),
    "delete of a folder of the mount": lambda: fused.api.delete("/mount/a/c"),
    "sign_url": lambda: fused.api.sign_url("s3://bucket/a.txt"),
    "sign_url_prefix": lambda: fused.api.sign_url_prefix("s3://bucket/a/"),
    "resolve": lambda: fused.api.resolve("fd://a.txt"),
    "upload of bytes": lambda: fused.api.upload(b"abc", "s3://bucket/a.txt"),
    "upload of a stream": lambda: fused.api.upload(io.BytesIO(b"abc"), "fd://a.txt"),
    "upload of a file": lambda: fused.api.upload(in_folder(), "s3://bucket/folder/"),
    "upload of a missing file": lambda: fused.api.upload("/nowhere/at/all", "s3://bucket/folder/"),
    "upload of a frame": lambda: fused.api.upload(frame(), "s3://bucket/a.parquet"),
    "upload to the mount": lambda: fused.api.upload(b"abc", "/mount/a/b.txt"),
    "FusedAPI.upload": lambda: api().upload("s3://bucket/a.txt", b"abc"),
    "upload without a scheme": lambda: fused.api.upload(b"abc", "a.txt"),
    "get_udfs": lambda: {name: udf.name for name, udf in fused.api.get_udfs().items()},
    "get_udfs by id": lambda: list(fused.api.get_udfs(5, by="id", whose="team")),
    "get_udfs community": lambda: list(fused.api.get_udfs(1, by="slug", whose="community", skip=0)),
    "get_udfs of a collection": lambda: list(fused.api.get_udfs(1, collection_name="other")),
    "get_udfs of nobody": lambda: fused.api.get_udfs(whose="nobody"),
    "get_apps": lambda: list(fused.api.get_apps(2)),
    "job_get_status": lambda: fused.api.job_get_status("job-1").model_dump(mode="json"),
    "job_get_logs of an id": lambda: fused.api.job_get_logs("job-1"),
    "job_get_logs since": lambda: fused.api.job_get_logs(run_response(), since_ms=5),
    "job_print_logs": lambda: fused.api.job_print_logs("job-1"),
    "print_logs": lambda: run_response().print_logs(),
    "job_tail_logs": lambda: fused.api.job_tail_logs("job-1"),
    "job_cancel": lambda: fused.api.job_cancel("job-1").job_id,
    "job_get_exec_time": lambda: str(fused.api.job_get_exec_time("job-1")),
    "get_exec_time": lambda: str(run_response().get_exec_time()),
    "job_wait_for_job": lambda: fused.api.job_wait_for_job("job-1", 0.01).job_status,
    "job_get_results": lambda: [result if isinstance(result, dict) else result.data for result in fused.api.job_get_results("job-1")],
    "RunResponse of a null": lambda: run_response(total_tasks=None),
    "RunResponse without tasks": lambda: type(run_response())(job_id="a", job_name="b", status="c", terminal_status=True),
    "RunResponse with a text": lambda: run_response(finished_tasks="3").finished_tasks,
    "RunResponse with a word": lambda: run_response(finished_tasks="many"),
    "RunResponse.cancel": lambda: run_response().cancel().job_id,
    "get_jobs": lambda: [job.id for job in api().get_jobs(n=2).jobs],
    "get_jobs in pages": lambda: [job.id for job in api().get_jobs(n=9, per_request=3, max_requests=None).jobs],
    "repr of jobs": lambda: repr(api().get_jobs(n=2)),
    "start_job": lambda: api().start_job(step(), instance_type="m5.large", region="us-west-2", disk_size_gb=20, image_name="im").job_id,
    "start_job with a wrong instance": lambda: api().start_job(step(), instance_type="huge"),
    "create_udf_access_token by name": lambda: api().create_udf_access_token("hello").token,
    "create_udf_access_token by user/name": lambda: api().create_udf_access_token("bob@example.com/hello", metadata_json={"a": 1}).token,
    "create_udf_access_token by id": lambda: api().create_udf_access_token(UDF_ID, client_id="c", cache=False, enabled=False).token,
    "create_udf_access_token by keyword": lambda: api().create_udf_access_token("x", udf_id=UDF_ID, public_read=True).token,
    "create_udf_access_token of nothing": lambda: api().create_udf_access_token(),
    "token update": lambda: token().update(cache=False).token,
    "token refresh": lambda: token().refresh().token,
    "token delete": lambda: token().delete().token,
    "token urls": lambda: [token().get_file_url(), token().get_file_url(format="png"), token().get_tile_url(),
                           token().get_tile_url(x=1, y=2, z=3)],
    "token url of half a tile": lambda: token().get_tile_url(x=1),
    "token url with dtype": lambda: token().get_file_url(dtype_out_raster="png"),
    "token url with both": lambda: token().get_file_url(format="png", dtype_out_raster="png"),
    "get_udf_access_tokens": lambda: len(api().get_udf_access_tokens()),
    "schedule_udf": lambda: fused.api.schedule_udf(hello, 5, [1, 2], udf_args={"a": 1}).id,
    "schedule_udf of a saved one": lambda: repr(fused.api.schedule_udf(saved(), 0, 3, month=[2], enabled=False, description="d")),
    "schedule_udf of an id": lambda: fused.api.schedule_udf(UDF_ID, 0, 3, day_of_week=0).udf_id,
    "schedule_udf of one that is not to be saved": lambda: fused.api.schedule_udf(unsaved(), 0, 3, _create_udf=False),
    "schedule_udf at no time": lambda: fused.api.schedule_udf(saved(), 60, 3),
    "cron job udf": lambda: cron().udf.name,
    "step with a UDF": lambda: step_of_udf().run_batch(n_processes=3, name="a_job").job_id,
    "job with a UDF": lambda: job_of_udf().run_batch("small", a=5, unknown=6).job_id,
    "schedule_list": lambda: [job.udf_id for job in fused.api.schedule_list()],
    "cron job create": lambda: cron().create().id,
    "cron job update unsaved": lambda: cron().update(),
    "cron job update": lambda: cron(id="cron-1", udf_args={"a": [1]}).update().id,
    "cron job delete": lambda: cron(id="cron-1").delete().id,
    "cron job delete unsaved": lambda: cron().delete(),
    "cron job refresh": lambda: cron(id="cron-1").refresh_from_api().hour,
    "cron job run_now": lambda: cron(id="cron-1").run_now().job_id,
    "cron job from_id": lambda: repr(type(cron()).from_id("cron-1")),
    "cron job repr": lambda: [repr(cron()), repr(cron(enabled=False, minute=[0], hour=list(range(24)), month=list(range(1, 13))))],
    "cron job with two minutes": lambda: cron(minute=[1, 2]),
    "cron job with hour 24": lambda: cron(hour=24),
    "cron job with month 0": lambda: cron(month=0),
    "cron job by the field's name": lambda: type(cron())(name="n", enabled=True, minute=0, hour=0, day_of_month=1, month=1, day_of_week=0,
                                                         udf_id="u").udf_id,
    "secret by item": lambda: fused.secrets["KEY"],
    "secret by attribute": lambda: fused.secrets.KEY,
    "secret that is missing": lambda: fused.secrets["GONE"],
    "secret attribute that is missing": lambda: fused.secrets.GONE,
    "hasattr of a secret that is missing": lambda: hasattr(fused.secrets, "GONE"),
    "secrets.get": lambda: fused.secrets.get("KEY"),
    "secret set": set_secret,
    "secret delete": delete_secret,
    "secret attribute set": attribute_secret,
    "secret names": lambda: sorted(dir(fused.secrets)),
    "secrets listed": lambda: [list(fused.secrets), len(fused.secrets), "KEY" in fused.secrets, "GONE" in fused.secrets],
    "user secrets": lambda: [fused.user_secrets["MINE"], fused.user_secrets.MINE, list(fused.user_secrets)],
    "get_user_email": lambda: fused.context.get_user_email(),
    "get_realtime_client_id": lambda: fused.context.get_realtime_client_id(),
    "get_execution_environment_id": lambda: fused.context.get_execution_environment_id(),
    "log": lambda: fused.api.log(),
    "log by id": lambda: fused.api.log("l-1"),
    "log by udf id": lambda: fused.api.log(udf_id="u-1", limit=3, start_timestamp="2026-01-01T00:00:00"),
    "log by udf name": lambda: fused.api.log(udf_name="hello", scan_forward=False),
    "log by token": lambda: fused.api.log(shared_token="fsh_a", page_token="p"),
    "log of the team": lambda: fused.api.log(exec_env=True),
    "log distinct names": lambda: fused.api.log(distinct=True, distinct_type="names", exec_env=True),
    "log distinct ids": lambda: fused.api.log(distinct=True, distinct_type="ids", end_timestamp="2026-01-01T00:00:00"),
    "log distinct nothing": lambda: fused.api.log(distinct=True),
    "log by two": lambda: fused.api.log("l-1", udf_id="u-1"),
    "session_token outside": lambda: fused.api.session_token(),
    "shared_udf_url outside": lambda: fused.api.shared_udf_url(),
    "find_dataset": lambda: fused.find_dataset("s3://bucket/data/x"),
    "register_dataset": lambda: fused.register_dataset("s3://bucket/data"),
    "ingest": lambda: step().model_dump(mode="json"),
    "ingest with all": lambda: step(input=["s3://a/1", "s3://a/2"], file_suffix=".csv", load_columns=["a"], remove_cols=["b"],
                                    explode_geometries=True, drop_out_of_bounds=False, partitioning_method="area",
                                    partitioning_maximum_per_file=10, partitioning_maximum_per_chunk=5, partitioning_force_utm=None, subdivide_method="area",
                                    subdivide_start=1, subdivide_stop=0.5, lonlat_cols=("x", "y"), overwrite=True, write_covering_bbox=True,
                                    gdal_config={"layer": "l", "open_options": {"A": "b"}, "unknown": 1}).model_dump(mode="json"),
    "ingest run_batch": lambda: step().run_batch().job_id,
    "ingest run_remote": lambda: step().run_remote("r5.large", name="a_name", send_status_email=False, additional_env=["A=b"]).job_id,
    "ingest with a wrong name": lambda: step().run_batch(name="a name"),
    "ingest with a wrong instance": lambda: step().run_batch("huge"),
    "ingest of a local path": lambda: step(input="/data/local.parquet").run_batch().job_id,
    "ingest of a local file": lambda: fused.ingest(in_folder()).input,
    "ingest of a frame": lambda: fused.ingest_nongeospatial(frame(), "s3://bucket/out").input,
    "ingest of a number": lambda: fused.ingest(5),
    "ingest of a wrong method": lambda: step(partitioning_method="magic"),
    "ingest with half a subdivision": lambda: step(subdivide_start=1),
    "ingest with an unknown option": lambda: step(chunk="x"),
    "ingest.execute with output_table": lambda: step().run_batch(output_table="x"),
    "ingest as a UDF": lambda: [step(as_udf=True).name, type(step(as_udf=True)).__name__, step(as_udf=True).entrypoint],
    "ingest as a UDF with a schema": lambda: step(as_udf=True, schema={"fields": []}),
    "ingest_nongeospatial": lambda: fused.ingest_nongeospatial("s3://a/1", partition_col="c").model_dump(mode="json"),
    "ingest_nongeospatial run_batch": lambda: fused.ingest_nongeospatial("s3://a/1").run_batch(n_processes=2, cache_max_age=5).job_id,
    "get_chunks_metadata of nothing": lambda: fused.get_chunks_metadata(tempfile.mkdtemp()),
}  # fmt: skip


def main(origin: str) -> None:
    fused.options.base_url = f"{origin}/server/v1"
    fused.options.shared_udf_base_url = origin
    fused.options.request_max_retries = 0
    only = sys.argv[2:]
    for name, make in CALLS.items():
        if only and name not in only:
            continue
        with urllib.request.urlopen(f"{origin}/mark?name={urllib.request.quote(name)}") as answer:
            answer.read()
        report: dict[str, Any] = {"name": name}
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            try:
                report["value"] = make()
            except Exception as error:
                kinds = [kind.__name__ for kind in type(error).__mro__]
                report["error"] = {"kinds": kinds, "text": str(error)}
        report["printed"] = printed.getvalue()
        report["warned"] = sorted({f"{warning.category.__name__}" for warning in warned} - {"FusedOnPremWarning", "ResourceWarning"})
        print(json.dumps(report, default=repr), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
