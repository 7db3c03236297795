"""Jobs on a server: their status, logs, results; steps and what they are written as."""

import io
import json
import sys
import threading
import time
import zipfile
from datetime import timedelta

import pytest
from wire_fixtures import wire  # noqa: F401
from wire_server import JOB, LOGS

import fused
from fused import api
from fused._validation import ValidationError
from fused.models import JobConfig, JobResponse, RunResponse, UdfJobStepConfig


@fused.udf(default_parameters={"b": 2})
def hello(a: int = 1, b: int = 3, *, c: int = 0):
    return a + b + c


def test_run_response_tasks_must_be_integers():
    """RunResponse: total_tasks and finished_tasks must be integers, null is a validation error."""
    for name in ("total_tasks", "finished_tasks"):
        with pytest.raises(ValidationError, match=f"1 validation error for RunResponse\n{name}\n  must be a whole number: received None"):
            RunResponse.model_validate({**JOB, name: None})
        with pytest.raises(ValueError, match=f"{name}\n  Field required"):
            RunResponse.model_validate({key: value for key, value in JOB.items() if key != name})
    assert RunResponse.model_validate({**JOB, "total_tasks": "7"}).total_tasks == 7
    assert RunResponse.model_validate_json(json.dumps(JOB)) == RunResponse(**JOB)


def test_job_get_logs_takes_a_run_response_or_an_id(wire):  # noqa: F811
    """job_get_logs takes a RunResponse or an id."""
    listed = api.get_jobs(1).jobs[0]
    assert isinstance(listed, JobResponse)
    for job in ("job-1", RunResponse(**JOB), listed):
        assert api.job_get_logs(job) == LOGS
    with pytest.raises(TypeError, match="received int"):
        api.job_get_logs(5)
    assert [request["path"] for request in wire.requests].count("/server/v1/logs/job-1") == 3


def test_get_exec_time_is_last_minus_first_log_timestamp(wire):  # noqa: F811
    """get_exec_time = last minus first log timestamp (ms)."""
    assert api.job_get_exec_time("job-1") == RunResponse(**JOB).get_exec_time() == timedelta(milliseconds=60_000)
    wire.route("GET", "/run/by-id/job-1", {**JOB, "status": "running", "terminal_status": False})
    with pytest.warns(fused.warnings.FusedInProgressWarning, match="running"):
        api.job_get_exec_time("job-1")
    wire.route("GET", "/logs/job-1", [])
    wire.route("GET", "/run/by-id/job-1", JOB)
    with pytest.raises(ValueError, match="it has no logs"):
        api.job_get_exec_time("job-1")


def test_print_logs_prints_messages_only(wire, capsys):  # noqa: F811
    """print_logs prints messages only."""
    api.job_print_logs("job-1")
    assert capsys.readouterr().out == "begin\nwork\nend\n"
    file = io.StringIO()
    RunResponse(**JOB).print_logs(since_ms=7, file=file)
    assert file.getvalue() == "begin\nwork\nend\n"
    assert wire.requests[-1]["query"] == {"since_ms": "7"}


def running(polls: int):
    """A job that has ended after so many looks at it."""
    looked = 0

    def answer(request):
        nonlocal looked
        looked += 1
        ended = looked > polls
        return 200, {**JOB, "status": "terminated" if ended else "running", "terminal_status": ended, "finished_job_status": ended}

    return answer


def growing(request):
    """Logs of which there is one more each time; those of the moment that is asked from come again."""
    growing.asked += 1
    since = int(request["query"].get("since_ms", 0))
    logs = [{"message": f"line {number}\n", "timestamp": number // 2} for number in range(growing.asked + 1)]
    return 200, [entry for entry in logs if entry["timestamp"] >= since]


def test_logs_are_tailed_until_the_job_ends_each_line_once(wire, capsys):  # noqa: F811
    growing.asked = 0
    wire.route("GET", "/run/by-id/job-1", running(3))
    wire.route("GET", "/logs/job-1", growing)
    api.job_tail_logs("job-1", refresh_seconds=0.001, sample_logs=False)
    assert capsys.readouterr().out.splitlines() == ["Logs for: job-1", *(f"line {number}" for number in range(5))]


def test_tailing_samples_and_gives_up(wire, capsys):  # noqa: F811
    growing.asked = 0
    wire.route("GET", "/run/by-id/job-1", running(10**9))
    wire.route("GET", "/logs/job-1", growing)
    with pytest.warns(DeprecationWarning, match="get_logs_retries"), pytest.raises(TimeoutError, match="job-1 has not ended after 0"):
        RunResponse(**JOB).tail_logs(refresh_seconds=0.001, timeout=0, get_logs_retries=1)
    assert capsys.readouterr().out == "Logs for: job-1\nline 1\n"


def test_a_job_is_waited_for(wire):  # noqa: F811
    wire.route("GET", "/run/by-id/job-1", running(2))
    assert api.job_wait_for_job("job-1", poll_interval_seconds=0.001).terminal_status
    wire.route("GET", "/run/by-id/job-1", running(10**9))
    with pytest.raises(TimeoutError, match="it has not finished after 0"):
        api.job_wait_for_job("job-1", poll_interval_seconds=0.001, timeout=0)
    # Where the job says that it has finished, its instance may live on.
    wire.route("GET", "/run/by-id/job-1", {**JOB, "terminal_status": False})
    assert api.job_wait_for_job("job-1").job_status == "Done"


def test_results_come_in_the_order_of_their_numbers(wire):  # noqa: F811
    assert [result.data for result in api.job_wait_for_results("job-1")] == [{"from": "2.json"}, {"from": "10.json"}]
    assert RunResponse(**JOB).get_results(1).data == {"from": "10.json"}
    with pytest.raises(IndexError):
        RunResponse(**JOB).get_results(2)
    # Signed places are not told who we are.
    assert {request["authorization"] for request in wire.requests if request["path"].startswith("/results/")} == {None}


def test_jobs_tell_what_they_run(wire):  # noqa: F811
    jobs = api.get_jobs(2)
    assert repr(jobs) == "job-1: Done\njob-2: Done\n"
    assert jobs.refresh() is jobs
    assert jobs.jobs[0].config().input == "s3://bucket/in.parquet"
    assert jobs.jobs[0].steps_config().name == "a_job"
    assert jobs.jobs[0].logs_url.endswith("/workbench/jobs/job-1")


def test_a_status_is_refreshed_in_place(wire):  # noqa: F811
    old = RunResponse(**{**JOB, "status": "running", "terminal_status": False})
    assert old.refresh_status() is old
    assert (old.status, old.terminal_status) == ("terminated", True)
    asked = len(wire.requests)
    old.refresh_status()
    assert repr(old).startswith("RunResponse(job_id='job-1', ")
    assert len(wire.requests) == asked


def test_runs_that_are_nested_too_deep_start_nothing(wire, monkeypatch):  # noqa: F811
    """Recursion: outgoing header is factor + 1; factor above max_recursion_factor (5) -> ValueError, before the request."""
    step = fused.ingest("s3://a")
    monkeypatch.setattr("fused._server.run.get_recursion_factor", lambda: 5)
    step.run_batch()
    assert wire.requests[-1]["recursion"] == "6"
    asked = len(wire.requests)
    monkeypatch.setattr("fused._server.run.get_recursion_factor", lambda: 6)
    with pytest.raises(ValueError, match="nested 6 deep"):
        step.run_batch()
    assert len(wire.requests) == asked


def test_parameters_of_a_jobs_run_go_to_the_udfs_that_declare_them(wire):  # noqa: F811
    job = JobConfig(steps=[UdfJobStepConfig(udf=hello), fused.ingest("s3://a")], name="a_job")
    job.run_batch(a=5, c=6, unknown=7)
    sent = wire.requests[-1]["json"]["config"]
    assert sent["steps"][0]["udf"]["parameters"] == {"a": 5, "b": 2, "c": 6}
    assert [sent["name"], sent["steps"][1]["type"]] == ["a_job", "partition_geospatial"]
    assert job.steps[0].udf.parameters == {"b": 2}
    with pytest.warns(DeprecationWarning, match="output_table"):
        job.run_remote(output_table="t")


def test_steps_are_checked():
    with pytest.raises(ValidationError, match=r"steps\.0\n  must be a step whose type is one of partition_geospatial"):
        JobConfig(steps=[{"type": "nope"}])
    with pytest.raises(ValidationError, match="name\n  must begin with a letter"):
        JobConfig(steps=[], name="a b")
    with pytest.raises(ValidationError):
        UdfJobStepConfig(udf=5)
    step = UdfJobStepConfig(udf=hello, input=[1, 2])
    assert step.set_udf(hello, {"b": 9}).udf.parameters == {"b": 9}
    assert step.set_udf(hello, {"a": 9}, replace_parameters=True).udf.parameters == {"a": 9}
    assert (step.udf.parameters, step.set_input(None).input, step.input) == ({"b": 2}, None, [1, 2])
    assert step.set_input([3], inplace=True) is step
    with pytest.raises(ValueError, match="No UDF code is set"):
        UdfJobStepConfig(udf={"code": "", "entrypoint": "x"}).run_batch()
    assert JobConfig(steps=[step, step], name="j").udfs.hello.name == "hello"
    assert dir(JobConfig(steps=[step]).udfs) == ["hello"]
    with pytest.raises(AttributeError, match="there are hello"):
        JobConfig(steps=[step]).udfs.other  # noqa: B018


@pytest.mark.skipif(sys.platform == "emscripten", reason="the folder is that of a machine")
def test_jobs_are_exported_as_folders_and_archives(tmp_path):
    job = JobConfig(steps=[UdfJobStepConfig(udf=hello)], name="a_job")
    job.export(tmp_path / "job")
    names = {path.name for path in (tmp_path / "job").iterdir()}
    assert names == {"meta.json", "README.md", "hello.py"}
    described = json.loads((tmp_path / "job" / "meta.json").read_text())["job_config"]
    assert described["name"] == "a_job"
    assert {"source": "hello.py", "name": "hello", "headers": [], "metadata": {}}.items() <= described["steps"][0]["udf"].items()
    assert "code" not in described["steps"][0]["udf"]
    assert (tmp_path / "job" / "hello.py").read_text().startswith("import fused\n\n@fused.udf")
    assert (tmp_path / "job" / "README.md").read_text().startswith("# job_hello\n")
    with pytest.raises(FileExistsError, match="already exists"):
        job.export(tmp_path / "job")
    job.steps[0].export(tmp_path / "job", overwrite=True)
    job.export(tmp_path / "job.zip", how="zip")
    assert set(zipfile.ZipFile(tmp_path / "job.zip").namelist()) == names
    buffer = io.BytesIO()
    job.export(buffer, how="zip")
    assert set(zipfile.ZipFile(buffer).namelist()) == names
    for path, how in ((tmp_path / "x", "tar"), (tmp_path / "x.zip", "local"), (buffer, "local")):
        with pytest.raises(ValueError, match="how"):
            job.export(path, how=how)
    outside = UdfJobStepConfig(udf=hello.model_copy(update={"name": "../outside"}))
    with pytest.raises(ValueError, match="no name of a file"):
        outside.export(tmp_path / "y")
    fused.ingest("s3://a").export(tmp_path / "ingest")
    assert json.loads((tmp_path / "ingest" / "meta.json").read_text())["job_config"]["steps"][0]["input"] == "s3://a"


def test_jobs_run_here(monkeypatch):
    step = UdfJobStepConfig(udf=hello, input=[{"a": 10}, {"a": 20}])
    assert JobConfig(steps=[step, step.set_input([30])]).run_local(c=100).udf_results == [112, 132]
    assert step.run_local(5) == 7
    assert UdfJobStepConfig(udf=hello).run_local() == 3


def test_waiting_does_not_ask_all_the_time(wire):  # noqa: F811
    wire.route("GET", "/run/by-id/job-1", running(10**9))
    thread = threading.Thread(target=lambda: pytest.raises(TimeoutError, api.job_wait_for_job, "job-1", 0.05, 0.2))
    begin = time.monotonic()
    thread.start()
    thread.join()
    assert 2 <= len(wire.requests) <= (time.monotonic() - begin) / 0.05 + 2
