"""`fused.ingest`, `fused.ingest_nongeospatial` and `fused.h3`: what they describe, and whom they ask."""

import sys

import pytest
from wire_fixtures import nowhere, wire  # noqa: F401

import fused
from fused import _host
from fused._validation import ValidationError
from fused.models.api import GDALOpenConfig, GeospatialPartitionJobStepConfig, NonGeospatialPartitionJobStepConfig

PLACE = "s3://bucket/in.parquet"


def test_ingest_returns_a_config_and_run_remote_is_run_batch(wire):  # noqa: F811
    """ingest returns a config; run_remote is run_batch. `.execute` and `output_table`, `ignore_no_output` of the reference are gone in the
    client (TypeError): ours takes them, as the reference says, with a warning."""
    step = fused.ingest(PLACE, "s3://bucket/out")
    assert isinstance(step, GeospatialPartitionJobStepConfig)
    assert isinstance(fused.ingest_nongeospatial(PLACE), NonGeospatialPartitionJobStepConfig)
    assert step.run_remote("m5.large").job_id == "job-1"
    with pytest.warns(DeprecationWarning, match="execute is deprecated"):
        assert step.execute(overwrite=True).job_id == "job-1"
    assert wire.requests[-1]["json"]["config"]["steps"][0]["overwrite"] is True
    assert step.overwrite is False
    with pytest.warns(DeprecationWarning, match="have no effect"):
        step.run_batch(output_table="t", ignore_no_output=True)
    with pytest.raises(TypeError):
        step.run_batch(unknown=1)


def test_gdal_config_drops_unknown_keys_silently():
    """gdal_config drops unknown keys silently."""
    step = fused.ingest(PLACE, gdal_config={"layer": "l", "open_options": {"A": "b"}, "unknown": 1})
    assert step.gdal_config == GDALOpenConfig(layer="l", open_options={"A": "b"})
    assert fused.ingest(PLACE).gdal_config.model_dump() == {"open_options": {}, "layer": None}
    with pytest.raises(ValidationError, match="gdal_config.layer\n  must be a text: received 5"):
        fused.ingest(PLACE, gdal_config={"layer": 5})


def test_as_udf_returns_a_udf(monkeypatch):
    """as_udf=True returns a Udf."""
    from fused.models.udf import Udf

    udf = fused.ingest(PLACE, "s3://bucket/out", as_udf=True, lonlat_cols=("x", "y"), gdal_config={"layer": "l"})
    assert (type(udf), udf.name, udf.entrypoint) == (Udf, "udf", "udf")
    with pytest.raises(ValueError, match="not yet supported"):
        fused.ingest(PLACE, as_udf=True, schema={})
    # It runs the very step, where something can.
    run = []
    monkeypatch.setattr(GeospatialPartitionJobStepConfig, "run_local", lambda self: run.append(self))
    fused.run(udf, engine="local", cache=False)
    assert run == [fused.ingest(PLACE, "s3://bucket/out", lonlat_cols=("x", "y"), gdal_config={"layer": "l"})]


def test_a_bad_instance_type_or_method_is_a_validation_error(wire):  # noqa: F811
    """A bad instance_type or method -> pydantic ValidationError (ours: a ValueError of the same name)."""
    with pytest.raises(ValidationError, match="StartJobRequest\ninstance_type\n  must be one of 'm5.large'"):
        fused.ingest(PLACE).run_batch("huge")
    with pytest.raises(ValidationError, match="partitioning_method\n  must be one of 'area', 'length', 'coords', 'rows': received 'magic'"):
        fused.ingest(PLACE, partitioning_method="magic")
    assert wire.requests == []


BAD = {
    "force_utm": {"partitioning_force_utm": "zone"},
    "ratio": {"partitioning_max_width_ratio": "2"},
    "chunks": {"target_num_chunks": 1.5},
    "per file": {"partitioning_maximum_per_file": 0.5},
    "flags": {"explode_geometries": 1},
    "columns": {"lonlat_cols": ("x",)},
    "load_columns": {"load_columns": [1]},
}


@pytest.mark.parametrize("values", BAD.values(), ids=BAD.keys())
def test_bad_values_are_refused(values):
    with pytest.raises(ValidationError, match=next(iter(values))):
        fused.ingest(PLACE, **values)


def test_inputs_of_this_machine_are_uploaded(wire, tmp_path):  # noqa: F811
    local = tmp_path / "a.csv"
    local.write_text("x,y\n1,2\n")
    temporary = "fused_intermediary://tmp/1"
    assert fused.ingest([str(local), PLACE, local]).input == [temporary, PLACE, temporary]
    assert fused.ingest(PLACE, partitioning_schema_input=str(local)).partitioning_schema_input == temporary
    sent = [request["form"]["file"][0] for request in wire.requests if request["path"] == "/upload-here"]
    assert sent == ["x,y\n1,2\n"] * 3
    with pytest.raises(TypeError, match="Unsupported input type"):
        fused.ingest(5)


def test_a_refused_upload_is_an_error(wire, tmp_path):  # noqa: F811
    wire.route("POST", "/upload-here", {"detail": "too large"}, 413)
    (tmp_path / "a").write_text("x")
    with pytest.raises(OSError, match="too large"):
        fused.ingest(tmp_path / "a")


@pytest.fixture
def host(monkeypatch):
    """A host with a binding `tables` that notes what it is asked, in place of the one that ingests."""
    asked = []

    def call(name, *args):
        asked.append((name, *args))
        return "done"

    monkeypatch.setattr(_host, "connected", lambda: True)
    monkeypatch.setattr(_host, "call", call)
    return asked


def test_inside_an_isolate_the_host_is_asked_to_ingest(host):
    assert NonGeospatialPartitionJobStepConfig(input=PLACE, output="fd://out").run_local() == "done"
    name, kind, config = host[0]
    assert (name, kind, config["input"], config["output"]) == ("tables.ingest", "partition_nongeospatial", PLACE, "fd://out")
    assert fused.h3.run_ingest_raster_to_h3("s3://a", "s3://b", res=9, max_workers=3) == "done"
    name, kind, config = host[1]
    assert (name, kind) == ("tables.ingest", "run_ingest_raster_to_h3")
    assert {
        "input_path": "s3://a",
        "output_path": "s3://b",
        "metrics": "cnt",
        "res": 9,
        "max_workers": 3,
        "extract_max_workers": 256,
    }.items() <= config.items()
    assert set(config) == {name for name in fused.h3.run_ingest_raster_to_h3.__wrapped__.__code__.co_varnames[:25]} | {"max_workers"}


def test_a_host_without_ingestion_is_told_apart(monkeypatch):
    def call(name, *args):
        raise _host.HostError("There is no binding tables", "UsageError")

    monkeypatch.setattr(_host, "connected", lambda: True)
    monkeypatch.setattr(_host, "call", call)
    with pytest.raises(NotImplementedError, match="a runtime or a server with ingestion"):
        NonGeospatialPartitionJobStepConfig(input=PLACE).run_local()


def test_h3_src_path_is_input_path_and_kwargs_still_work_but_warn(host):
    """h3: src_path (seed) is input_path; *_kwargs still work but warn."""
    with pytest.warns(DeprecationWarning, match="src_path is deprecated: use input_path"):
        fused.h3.run_ingest_raster_to_h3(src_path="s3://a", output_path="s3://b")
    with pytest.warns(fused.warnings.FusedDeprecationWarning, match="extract_kwargs"):
        fused.h3.run_ingest_raster_to_h3("s3://a", "s3://b", extract_kwargs={"max_workers": 2})
    assert [config["input_path"] for _, _, config in host] == ["s3://a"] * 2
    assert host[1][2]["extract_kwargs"] == {"max_workers": 2}
    with pytest.raises(TypeError, match="got both input_path and src_path"), pytest.warns(DeprecationWarning, match="src_path"):
        fused.h3.run_ingest_raster_to_h3("s3://a", "s3://b", src_path="s3://c")


RASTER = fused.h3.run_ingest_raster_to_h3
PARTITION = fused.h3.run_partition_to_h3
WRONG = {
    "step": (RASTER, {"steps": ["extract", "magic"]}, ValueError, "Invalid step 'magic'"),
    "cnt with others": (RASTER, {"metrics": ["cnt", "avg"]}, ValueError, "cannot be combined"),
    "too fine": (RASTER, {"res": 15}, ValueError, "make 16"),
    "no resolution": (RASTER, {"res": 16}, ValueError, "from 0 to 15"),
    "fine overview": (RASTER, {"res": 7, "overview_res": [3, 7]}, ValueError, "lower than the target"),
    "sum of rings": (RASTER, {"metrics": ["sum"], "k_ring": 2, "res_offset": 2}, NotImplementedError, "'sum' metric"),
    "partition without res": (PARTITION, {}, ValueError, "res must be specified"),
    "partition without hex": (PARTITION, {"res": 5, "groupby_cols": ["a"]}, ValueError, "must contain 'hex'"),
}


@pytest.mark.parametrize(("function", "values", "kind", "message"), WRONG.values(), ids=WRONG.keys())
def test_arguments_that_cannot_be_are_refused_before_anything_is_asked(host, function, values, kind, message):
    with pytest.raises(kind, match=message):
        function("s3://a", "s3://b", **values)
    assert host == []


@pytest.mark.skipif(sys.platform == "emscripten", reason="there are no servers")
def test_outside_of_an_isolate_the_server_runs_it(wire):  # noqa: F811
    def start(request):
        return 200, {"ran": request["json"]["step_config"]}

    wire.route("POST", "/realtime/client-2/api/v1/run/udf/start", start)
    answer = fused.h3.run_partition_to_h3("s3://a", "s3://b", res=5)
    assert "fused.h3.run_partition_to_h3(**arguments)" in answer["ran"]
    assert "s3://b" in answer["ran"]
