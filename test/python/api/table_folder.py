"""A small table in the format that ingestion writes: two files, of two chunks and of one."""

import base64
import io
import json
from typing import Any

ROWS = {"0": [["a", "b"], ["c", "d"]], "1": [["e", "f"]]}


def write_table(url: str, *, version: bytes = b"5", geometry: bool = True, codec: str = "zstd") -> dict[str, bytes]:
    """The files of the table, by their URLs: points whose x is the number of their row."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    import shapely

    files: dict[str, bytes] = {}
    chunks: list[dict[str, Any]] = []
    x = 0
    for file_id, groups in ROWS.items():
        buffer = io.BytesIO()
        metadata = {"geo": json.dumps({"version": "1.0.0", "primary_column": "geometry",
                                       "columns": {"geometry": {"encoding": "WKB", "geometry_types": ["Point"]}}})}  # fmt: skip
        fields = [("name", pa.string()), ("hex", pa.uint64()), *([("geometry", pa.binary())] if geometry else [])]
        schema = pa.schema(fields, metadata=metadata if geometry else None)
        with pq.ParquetWriter(buffer, schema, compression=codec) as writer:
            for chunk_id, names in enumerate(groups):
                points = [shapely.Point(x + at, 50) for at in range(len(names))]
                columns = {"name": names, "hex": [600_000_000_000_000_000 + x + at for at in range(len(names))],
                           "geometry": [shapely.to_wkb(point) for point in points]}  # fmt: skip
                writer.write_table(pa.table({name: columns[name] for name, _ in fields}, schema=schema))
                chunks.append({"file_id": file_id, "chunk_id": chunk_id, "bbox_minx": float(x), "bbox_miny": 50.0,
                               "bbox_maxx": float(x + len(names) - 1), "bbox_maxy": 50.0, "num_rows": len(names)})  # fmt: skip
                x += len(names)
        files[f"{url}/{file_id}.parquet"] = buffer.getvalue()
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(chunks), buffer)
    encoded = buffer.getvalue()
    if version == b"4":
        encoded = encoded[:20] + bytes(20) + encoded[20:]
    sample = io.BytesIO()
    metadata = {b"fused:format_version": version, b"fused:_metadata": base64.encodebytes(encoded)}
    pq.write_table(pa.table({"name": ["a"]}).replace_schema_metadata(metadata), sample)
    files[f"{url}/_sample"] = sample.getvalue()
    return files
