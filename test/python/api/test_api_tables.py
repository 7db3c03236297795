"""Tables in the format that ingestion writes: read by ours as by the published client, which is run beside it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import published_client
import pytest
from table_folder import write_table
from wire_fixtures import wire  # noqa: F401

import fused
from fused import h3

pytest.importorskip("geopandas")
pytest.importorskip("pyarrow")

FIRST = 600_000_000_000_000_000


def folder(place: Path, **options: Any) -> Path:
    place.mkdir(parents=True)
    for url, data in write_table("", **options).items():
        (place / url.strip("/")).write_bytes(data)
    return place


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return folder(tmp_path / "table")


@pytest.mark.skipif(sys.platform == "emscripten", reason="there are no processes")
def test_tables_are_read_as_the_published_client_reads_them(tmp_path: Path) -> None:
    """get_chunks_metadata reads URL/_sample: a folder without it -> FileNotFoundError."""
    kinds: dict[str, dict[str, Any]] = {
        "version5": {},
        "version4": {"version": b"4"},
        "version6": {"version": b"6"},
        "plain": {"geometry": False},
        "snappy": {"codec": "snappy"},
    }
    roots = [str(folder(tmp_path / kind, **options)) for kind, options in kinds.items()]
    here = Path(__file__).parent

    def read(python: str, path: str) -> list[Any]:
        done = subprocess.run([python, str(here / "table_reads.py"), *roots], capture_output=True, text=True, timeout=300,
                              env={**os.environ, "PYTHONPATH": path, "HOME": str(tmp_path)})  # fmt: skip
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    theirs = read(published_client.python(), "")
    ours = read(sys.executable, str(here.parents[2] / "sdk" / "python"))
    assert len(ours) == len(theirs) == 65
    different = [(one, other) for one, other in zip(ours, theirs, strict=True) if one != other]
    # Ours says which version, and of what.
    names = ("chunks", "chunks with a slash", "chunks by file URL")
    message = "Dataset has an incompatible metadata version"
    assert [(one[:2], one[2][1].split(":")[0]) for one, _ in different] == [(["version6", name], message) for name in names]


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": [1]}), tmp_path / "_sample")
    with pytest.raises(ValueError, match="does not have Fused metadata"):
        fused.get_chunks_metadata(str(tmp_path))
    metadata = {b"fused:format_version": b"5", b"fused:_metadata": b"***"}
    pq.write_table(pa.table({"a": [1]}).replace_schema_metadata(metadata), tmp_path / "_sample")
    with pytest.raises((ValueError, pa.ArrowInvalid)):
        fused.get_chunks_metadata(str(tmp_path))


def test_a_table_of_the_users_own_files_is_read_through_the_server(wire, table: Path) -> None:  # noqa: F811
    def get(request: dict[str, Any]) -> tuple[int, Any]:
        path = table / request["query"]["path"].removeprefix("fd://t/")
        return (200, path.read_bytes()) if path.exists() else (404, {"detail": "none"})

    wire.route("GET", "/files/get", get)
    assert list(fused.get_chunks_metadata("fd://t")["chunk_id"]) == [0, 1, 0]
    assert list(fused.get_chunk_from_table("fd://t", 1, 0)["name"]) == ["e", "f"]


def test_cells_are_read_by_ranges(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = h3.read_hex_table(str(table), [[FIRST + 1, FIRST + 2], [FIRST + 5, FIRST + 9]], columns=["name"], verbose=True)
    assert found.to_pydict() == {"name": ["b", "c", "f"]}
    assert capsys.readouterr().out.startswith("3 rows of 3 row groups in 2 files")
    found, timing = h3.read_hex_table(str(table), [[FIRST + 4, FIRST + 4]], return_timing_info=True)
    assert (found.column_names, found["name"].to_pylist(), str(found["hex"].type)) == (["name", "hex", "geometry"], ["e"], "uint64")
    # Other row groups were not read.
    assert (timing["num_files"], timing["num_row_groups"]) == (2, 1)
    nothing = h3.read_hex_table(str(table), [[1, 2]], columns=["hex"])
    assert (nothing.num_rows, nothing.column_names) == (0, ["hex"])
    assert h3.read_hex_table(str(table), []).num_rows == 0


def test_ranges_and_columns_that_cannot_be_are_refused(table: Path) -> None:
    for ranges, message in (([[2, 1]], "2 is after 1"), ([[1]], "pairs of cells"), (["ab"], "pairs of cells")):
        with pytest.raises(ValueError, match=message):
            h3.read_hex_table(str(table), ranges)
    with pytest.raises(ValueError, match="no column 'none': it has name, hex"):
        h3.read_hex_table(str(table), [[1, 2]], columns=["none"])


def test_the_users_own_files_lie_where_the_option_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path / "team" / "table")
    monkeypatch.setattr(fused.options, "fd_prefix", f"{tmp_path}/team/")
    chunks = fused.get_chunks_metadata("fd://table/")
    first = chunks.iloc[0]
    assert len(fused.get_chunk_from_table("fd:///table", first.file_id, int(first.chunk_id))) > 0
    assert len(fused.get_chunk_from_table(f"fd://table/{first.file_id}.parquet", None, None)) > 0


def test_so_many_bytes_of_row_groups_are_read_at_a_time(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.parquet as pq

    asked: list[int] = []
    read_row_groups = pq.ParquetFile.read_row_groups

    def counted(self: Any, numbers: list[int], **given: Any) -> Any:
        asked.append(len(numbers))
        return read_row_groups(self, numbers, **given)

    monkeypatch.setattr(pq.ParquetFile, "read_row_groups", counted)
    ranges = [[0, 2**63]]
    whole = h3.read_hex_table(str(table), ranges)
    assert asked == [2, 1]
    assert h3.read_hex_table(str(table), ranges, batch_size=1).equals(whole)
    assert asked[2:] == [1, 1, 1]
    monkeypatch.setattr(fused.options, "row_group_batch_size", 1)
    assert h3.read_hex_table(str(table), ranges).equals(whole)
    assert asked[5:] == [1, 1, 1]
