"""Reading tables that ingestion has written: a folder of Parquet files, one row group a chunk, and a file `_sample` that knows the chunks.

TABLE/{file_id}.parquet    data; the number of a row group is its chunk_id
TABLE/_sample              metadata `fused:format_version` (5) and `fused:_metadata` (base64 of a Parquet file, a row a chunk)
"""

import base64
import binascii
import json
from collections.abc import Iterable
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

from ._host import connected

if TYPE_CHECKING:
    from collections.abc import Iterator

    import geopandas as gpd
    import pyarrow as pa
    import pyarrow.parquet as pq

_BBOX = ("bbox_minx", "bbox_miny", "bbox_maxx", "bbox_maxy")
_ARROW_OPENS = ("s3://", "gs://", "gcs://", "file://", "hdfs://", "abfs://")


def get_chunks_metadata(url: str) -> "gpd.GeoDataFrame":
    """The chunks of a table, a row each: `file_id`, `chunk_id`, the box of its data (`bbox_minx` …, degrees), and `geometry`, that box.

    Args:
        url: the folder of the table: a path or a URL (`s3://`, `gs://`, `file://`, inside an isolate `fd://`, too).

    Raises FileNotFoundError for a folder without `_sample`, ValueError for one that is no such table.
    """
    import geopandas as gpd
    import shapely

    with open_parquet(f"{url.removesuffix('/')}/_sample") as file:
        # A writer may have put it in one of two places.
        metadata = {**(file.metadata.metadata or {}), **(file.schema_arrow.metadata or {})}
    chunks = _read_chunks(url, metadata).to_pandas()
    missing = [name for name in _BBOX if name not in chunks]
    if missing:
        raise KeyError(missing[0])
    return gpd.GeoDataFrame(chunks, geometry=shapely.box(*(chunks[name] for name in _BBOX)), crs="EPSG:4326")


def _read_chunks(url: str, metadata: dict[bytes, bytes]) -> "pa.Table":
    import pyarrow.parquet as pq

    version = metadata.get(b"fused:format_version")
    encoded = metadata.get(b"fused:_metadata")
    if version is None or encoded is None:
        raise ValueError(f"Dataset does not have Fused metadata: {url}")
    if version not in (b"4", b"5"):
        raise ValueError(f"Dataset has an incompatible metadata version: {version.decode(errors='replace')} is neither 4 nor 5: {url}")
    try:
        data = base64.b64decode(encoded)
    except binascii.Error as error:
        raise ValueError(f"Dataset has metadata that is no base64: {url}: {error}") from None
    if version == b"4":
        data = data[:20] + data[40:]  # it has 20 bytes of its own there
    return pq.read_table(BytesIO(data))


def get_chunk_from_table(
    url: str, file_id: str | int | None, chunk_id: int | None, *, columns: Iterable[str] | None = None
) -> "gpd.GeoDataFrame":
    """The rows of a chunk: a GeoDataFrame (EPSG:4326 where the file names no other), or a DataFrame where no geometry is read.

    Args:
        url: the folder of the table, as in `get_chunks_metadata`.
        file_id: the file, as `get_chunks_metadata` has it. None reads `url` itself, a GeoParquet file or a folder of them.
        chunk_id: the chunk, as `get_chunks_metadata` has it. None reads the whole file.
        columns: the columns to read. None is all.

    Raises FileNotFoundError where there is no such file, pyarrow.ArrowInvalid where it has no such chunk.
    """
    import geopandas as gpd

    names = None if columns is None else list(columns)
    if file_id is None:
        frame = gpd.read_parquet(_placed(url), columns=names)
    else:
        with open_parquet(f"{url.removesuffix('/')}/{file_id}.parquet") as file:
            table = file.read(columns=names) if chunk_id is None else file.read_row_group(chunk_id, columns=names)
        frame = _to_frame(table)
    if isinstance(frame, gpd.GeoDataFrame) and frame.crs is None:
        frame = frame.set_crs(4326)
    return frame


def _to_frame(table: "pa.Table") -> Any:
    """A GeoDataFrame where one of the columns is a geometry, else a DataFrame."""
    geometries = _geometry_columns(table)
    if not geometries.intersection(table.column_names):
        return table.to_pandas()
    from geopandas.io import arrow  # the only one that reads GeoParquet's own encodings from a table

    return arrow._arrow_to_geopandas(table)  # pyright: ignore[reportAttributeAccessIssue]


def _geometry_columns(table: "pa.Table") -> set[str]:
    text = (table.schema.metadata or {}).get(b"geo")
    try:
        found = json.loads(text or b"{}")["columns"]
    except (ValueError, KeyError, TypeError):
        return set()
    return set(found) if isinstance(found, dict) else set()


def _placed(url: str) -> str:
    """Where a place of `fd://` lies, outside of an isolate, where the option `fd_prefix` says it; other places stay."""
    from ._options import options

    if connected() or not options.fd_prefix or not url.startswith("fd://"):
        return url
    return f"{options.fd_prefix.rstrip('/')}/{url.removeprefix('fd://').lstrip('/')}"


@contextmanager
def open_parquet(url: str) -> "Iterator[pq.ParquetFile]":
    """A Parquet file, for a `with` block: read on demand where the place allows it. Raises FileNotFoundError."""
    import pyarrow.parquet as pq


    url = _placed(url)
    if "://" in url and connected():
        from ._host_reader import open_host_file

        with open_host_file(url) as source, pq.ParquetFile(source) as file:
            yield file
    elif "://" not in url or url.startswith(_ARROW_OPENS):
        with pq.ParquetFile(url) as file:
            yield file
    elif url.startswith("fd://"):
        from ._global_api import get_api

        with pq.ParquetFile(BytesIO(get_api().get(url))) as file:
            yield file
    else:
        import fsspec

        with fsspec.open(url, "rb") as source, pq.ParquetFile(source) as file:
            yield file
