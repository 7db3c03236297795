"""Reads of tables, for the published client and for ours alike: `python table_reads.py FOLDER…` prints a line of JSON for each."""

import json
import sys
from typing import Any

import fused


def shown(frame: Any) -> dict[str, Any]:
    """What of a frame must be the same."""
    crs = getattr(frame, "crs", None)
    text = frame.assign(geometry=frame.geometry.to_wkt()) if crs is not None else frame
    return {"type": type(frame).__name__, "crs": str(crs), "columns": list(frame.columns), "dtypes": [str(kind) for kind in frame.dtypes],
            "rows": json.loads(text.to_json(orient="values", default_handler=repr))}  # fmt: skip


READS = {
    "chunks": lambda root: fused.get_chunks_metadata(root),
    "chunks with a slash": lambda root: fused.get_chunks_metadata(root + "/"),
    "chunks by file URL": lambda root: fused.get_chunks_metadata("file://" + root),
    "a chunk": lambda root: fused.get_chunk_from_table(root, "0", 1),
    "a number of a file": lambda root: fused.get_chunk_from_table(root + "/", 0, 0),
    "a whole file": lambda root: fused.get_chunk_from_table("file://" + root, 0, None),
    "columns without the geometry": lambda root: fused.get_chunk_from_table(root, 0, 0, columns=("name",)),
    "columns with the geometry": lambda root: fused.get_chunk_from_table(root, 0, 0, columns=["geometry", "hex"]),
    "the folder": lambda root: fused.get_chunk_from_table(root, None, None),
    "one file by its URL": lambda root: fused.get_chunk_from_table(root + "/1.parquet", None, None, columns=["name", "geometry"]),
    "no such chunk": lambda root: fused.get_chunk_from_table(root, 0, 9),
    "no such file": lambda root: fused.get_chunk_from_table(root, 7, 0),
    "no such table": lambda root: fused.get_chunks_metadata(root + "/none"),
}


def main() -> None:
    for root in sys.argv[1:]:
        for name, read in READS.items():
            try:
                outcome: Any = shown(read(root))
            except Exception as error:
                kind = type(error).__name__
                outcome = [kind, "" if kind == "FileNotFoundError" else str(error)]
            print(json.dumps([root.rsplit("/", 1)[-1], name, outcome]))


if __name__ == "__main__":
    main()
