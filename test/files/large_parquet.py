"""Makes a Parquet file of 2 GB that takes 64 MB of disk: one column is zeros, and where those would lie the file has holes.

    python large_parquet.py FILE

Prints as JSON what a test must know: `{"size", "rows", "footer": [start, end], "column": [start, end], "sum", "first"}`, the last
three of the column `value` in row group GROUP.
"""

import json
import os
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

GROUPS = 16
ROWS = 512 * 1024
FILLER_BYTES = 256
GROUP = 11
BLOCK = bytes(64 * 1024)


class SparseFile:
    """Takes what is written, and leaves out blocks of zeros."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "wb")
        self.closed = False

    def write(self, data: object) -> int:
        """Writes, or moves on."""
        view = memoryview(data).cast("B")
        for start in range(0, len(view), len(BLOCK)):
            block = view[start : start + len(BLOCK)]
            if bytes(block) == BLOCK[: len(block)]:
                self._file.seek(len(block), os.SEEK_CUR)
            else:
                self._file.write(block)
        return len(view)

    def tell(self) -> int:
        """Bytes so far."""
        return self._file.tell()

    def flush(self) -> None:
        """Part of the protocol."""
        self._file.flush()

    def close(self) -> None:
        """Ends the file."""
        if not self.closed:
            self.closed = True
            self._file.close()


def values(group: int) -> np.ndarray:
    """The column `value` of a row group."""
    return np.arange(ROWS, dtype="float64") + group * ROWS


def main(path: str) -> None:
    """Makes the file."""
    filler = pa.FixedSizeBinaryArray.from_buffers(pa.binary(FILLER_BYTES), ROWS, [None, pa.py_buffer(bytes(ROWS * FILLER_BYTES))])
    schema = pa.schema([("filler", pa.binary(FILLER_BYTES)), ("value", pa.float64())])
    sink = SparseFile(path)
    plain = {"compression": "none", "use_dictionary": False, "write_statistics": False, "data_page_size": ROWS * FILLER_BYTES}
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, **plain) as writer:
        for group in range(GROUPS):
            writer.write_table(pa.table([filler, values(group)], schema=schema), row_group_size=ROWS)
    sink.close()
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        file.seek(size - 8)
        footer = int.from_bytes(file.read(4), "little") + 8
    chunk = pq.read_metadata(path).row_group(GROUP).column(1)
    start = chunk.data_page_offset
    column = values(GROUP)
    print(json.dumps({"size": size, "rows": ROWS, "group": GROUP, "footer": [size - footer, size],
                      "column": [start, start + chunk.total_compressed_size], "sum": float(column.sum()), "first": float(column[0])}))  # fmt: skip


main(sys.argv[1])
