"""Without a server: the error says what to set."""

import pytest
from wire_fixtures import nowhere  # noqa: F401

import fused
from fused import api
from fused._server.server import ServerNotConfiguredError

NEEDS_A_SERVER = {
    "whoami": api.whoami,
    "team_info": api.team_info,
    "list": lambda: api.list("s3://bucket/a"),
    "get": lambda: api.get("fd://a"),
    "download": lambda: api.download("fd://a", "/nowhere"),
    "upload": lambda: api.upload(b"", "fd://a"),
    "delete": lambda: api.delete("fd://a"),
    "sign_url": lambda: api.sign_url("fd://a"),
    "sign_url_prefix": lambda: api.sign_url_prefix("fd://a"),
    "resolve": lambda: api.resolve("fd://a"),
    "get_udfs": api.get_udfs,
    "get_apps": api.get_apps,
    "get_jobs": api.get_jobs,
    "job_get_logs": lambda: api.job_get_logs("job-1"),
    "job_print_logs": lambda: api.job_print_logs("job-1"),
    "job_tail_logs": lambda: api.job_tail_logs("job-1"),
    "job_get_status": lambda: api.job_get_status("job-1"),
    "job_cancel": lambda: api.job_cancel("job-1"),
    "job_get_exec_time": lambda: api.job_get_exec_time("job-1"),
    "job_wait_for_job": lambda: api.job_wait_for_job("job-1"),
    "job_get_results": lambda: api.job_get_results("job-1"),
    "job_wait_for_results": lambda: api.job_wait_for_results("job-1"),
    "schedule_list": api.schedule_list,
    "log": api.log,
    "enable_gcs": api.enable_gcs,
    "FusedAPI.auth_token": lambda: api.FusedAPI().auth_token(),
    "secrets": lambda: fused.secrets["A"],
    "secrets by attribute": lambda: fused.secrets.A,
    "secrets set": lambda: fused.secrets.__setitem__("A", "b"),
    "secrets listed": lambda: list(fused.secrets),
    "user_secrets": lambda: fused.user_secrets["A"],
    "find_dataset": lambda: fused.find_dataset("s3://a"),
    "register_dataset": lambda: fused.register_dataset("s3://a"),
    "run_batch": lambda: fused.ingest("s3://a").run_batch(),
}


@pytest.mark.parametrize("call", NEEDS_A_SERVER.values(), ids=NEEDS_A_SERVER.keys())
def test_what_needs_a_server_says_what_to_set(nowhere, call):  # noqa: F811
    with pytest.raises(ServerNotConfiguredError, match=r"fused\.options\.base_url.*FUSED_BASE_URL.*fuselet serve"):
        call()


@pytest.mark.parametrize("call", [api.access_token, api.auth_scheme])
def test_without_a_token_there_is_none(nowhere, monkeypatch, tmp_path, call):  # noqa: F811
    monkeypatch.delenv("FUSED_AUTH_TOKEN", raising=False)
    monkeypatch.setattr("fused._server.credentials.credentials_path", lambda: tmp_path / "none")
    with pytest.raises(RuntimeError, match="FUSED_AUTH_TOKEN"):
        call()


def test_ingestion_here_says_where_it_can_run(nowhere):  # noqa: F811
    step = fused.ingest("s3://bucket/in.parquet", "s3://bucket/out")
    for call in (step.run_local, lambda: fused.ingest_nongeospatial("s3://a").run_local(),
                 lambda: fused.h3.run_ingest_raster_to_h3("s3://a", "s3://b", res=5),
                 lambda: fused.h3.run_partition_to_h3("s3://a", "s3://b", res=5),
                 lambda: fused.h3.persist_hex_table_metadata("s3://a")):  # fmt: skip
        with pytest.raises(NotImplementedError, match=r"a runtime or a server with ingestion.*fused\.options\.base_url"):
            call()


def test_local_context_facts_without_a_server(nowhere):  # noqa: F811
    """Local: get_headers {}, get_header None, recursion factor 0 (not None), in_realtime and in_batch False, global context is never
    None."""
    context = fused.context
    assert (context.get_headers(), context.get_header("X"), context.get_recursion_factor()) == ({}, None, 0)
    assert (context.in_realtime(), context.in_batch()) == (False, False)
    assert context.get_global_context() is not None
    assert (context.get_user_email(), context.get_realtime_client_id(), context.get_execution_environment_id()) == (None, None, None)
