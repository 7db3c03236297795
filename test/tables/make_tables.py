"""Writes tables as ingestion does, and prints what the published client reads of them: run with its Python."""

import base64
import io
import json
import sys
from pathlib import Path

import fused
import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

FIRST_CELL = 0x8928308280FFFFF


def write_sample(folder: Path, chunks: pd.DataFrame) -> None:
    inner = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(chunks), inner, compression="zstd")
    metadata = {"fused:format_version": "5", "fused:_metadata": base64.encodebytes(inner.getvalue()).decode()}
    pq.write_table(pa.table({"x": [1]}).replace_schema_metadata(metadata), folder / "_sample")


def write_places(folder: Path) -> None:
    """Points in two files of two chunks each, with categories, times and missing values."""
    folder.mkdir()
    chunks = []
    for file in range(2):
        x = [file * 10.0 + i for i in range(6)]
        frame = gpd.GeoDataFrame(
            {
                "name": [f"place {file}-{i}" for i in range(6)],
                "kind": pd.Categorical(["a", "b", "a", None, "b", "a"]),
                "when": pd.date_range("2026-01-01", periods=6, tz="UTC"),
                "count": pd.array([1, None, 3, 4, 5, 2**60], dtype="Int64"),
            },
            geometry=shapely.points(x, x),
            crs=4326,
        )
        sink = io.BytesIO()
        frame.to_parquet(sink, index=False)
        table = pq.read_table(io.BytesIO(sink.getvalue()))
        with pq.ParquetWriter(folder / f"part_{file}.parquet", table.schema, compression="zstd" if file else "snappy") as writer:
            for chunk in range(2):
                writer.write_table(table.slice(3 * chunk, 3))
                low, high = x[3 * chunk], x[3 * chunk + 2]
                chunks.append((f"part_{file}", chunk, low, low, high, high, 3))
    names = ["file_id", "chunk_id", "bbox_minx", "bbox_miny", "bbox_maxx", "bbox_maxy", "num_rows"]
    write_sample(folder, pd.DataFrame(chunks, columns=names))


def write_cells(folder: Path) -> None:
    """Cells that rise, in two files of five chunks each."""
    folder.mkdir()
    chunks = []
    for file in range(2):
        cells = [FIRST_CELL + file * 1000 + i for i in range(50)]
        table = pa.table({"hex": pa.array(cells, pa.uint64()), "cnt": pa.array(range(50), pa.int64()), "text": [f"{file}-{i}" for i in range(50)]})
        pq.write_table(table, folder / f"{file}.parquet", row_group_size=10)
        chunks += [(str(file), chunk, 0.0, 0.0, 1.0, 1.0) for chunk in range(5)]
    write_sample(folder, pd.DataFrame(chunks, columns=["file_id", "chunk_id", "bbox_minx", "bbox_miny", "bbox_maxx", "bbox_maxy"]))


def rows(frame: pd.DataFrame) -> list:
    frame = pd.DataFrame(frame)
    if "geometry" in frame:
        frame["geometry"] = [geometry.__geo_interface__ for geometry in frame.geometry]
    return json.loads(frame.to_json(orient="records", date_format="iso"))


root = Path(sys.argv[1])
write_places(root / "places")
write_cells(root / "cells")
(root / "none").mkdir()
places = str(root / "places")
print(
    json.dumps(
        {
            "chunks": rows(fused.get_chunks_metadata(places).drop(columns="geometry")),
            "chunk": rows(fused.get_chunk_from_table(places, "part_1", 1)),
            "columns": rows(fused.get_chunk_from_table(places, "part_0", 0, columns=["name", "count"])),
            "file": rows(fused.get_chunk_from_table(places, "part_0", None)),
            "path": rows(fused.get_chunk_from_table(f"{places}/part_1.parquet", None, None)),
            "cells": rows(fused.get_chunk_from_table(str(root / "cells"), 1, 2)),
        }
    )
)
