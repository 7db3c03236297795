"""The body of a result by its content type."""

from io import BytesIO
from typing import Any


def decode_result(body: bytes, content_type: str) -> Any:
    """The value that a body stands for; None for an empty one. What says nothing else is Parquet.

    Raises ValueError for a body that is not what its type says, ImportError where the package that reads it is missing.
    """
    if not body:
        return None
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        return _json(body)
    if kind == "text/html":
        return body.decode("utf-8", "replace")
    if kind == "application/x-numpy-data":
        return _array(body)
    if kind in ("image/png", "image/tiff"):
        return _raster(body)
    if kind == "application/zip":
        return _several(body)
    return _table(body, kind)


def _json(body: bytes) -> Any:
    import json

    from .._json import parse

    return parse(body.decode("utf-8-sig"), json.loads)


def _missing(what: str, error: ImportError) -> ImportError:
    return ImportError(f"Cannot read the result: {what} needs the package {error.name}: install it", name=error.name)


def _array(body: bytes) -> Any:
    try:
        import numpy
    except ImportError as error:
        raise _missing("an array", error) from None
    # Objects would be unpickled, and so run a server's code.
    return numpy.load(BytesIO(body), allow_pickle=False)


def _table(body: bytes, kind: str) -> Any:
    if body[:4] != b"PAR1":
        raise ValueError("Cannot read the result: it should be Parquet and is not "
                         f"(content type {kind or 'missing'}, {len(body)} bytes)")  # fmt: skip
    try:
        from pyarrow import parquet

        table = parquet.read_table(BytesIO(body))
        if b"geo" not in (table.schema.metadata or {}):
            return table.to_pandas()
        import geopandas
    except ImportError as error:
        raise _missing("a table", error) from None
    return geopandas.read_parquet(BytesIO(body))


def _raster(body: bytes) -> Any:
    """A raster as an xarray.Dataset with one variable `image`; what was an array before it was sent as one is one again."""
    if body.startswith(b"\x89PNG"):
        return _picture(body)
    try:
        import rioxarray
        from rasterio.io import MemoryFile

        with MemoryFile(body) as file, file.open() as source:
            tags = source.tags(ns="fused")
            data = rioxarray.open_rasterio(source, masked=True).load()
    except ImportError as error:
        raise _missing("a raster", error) from None
    if tags.get("orig_type") == "xarray.DataArray":
        return data
    if tags.get("orig_type") != "numpy.ndarray":
        return data.rename("image").to_dataset(promote_attrs=False)
    array, shape, bounds = data.values, _numbers(tags.get("shape")), _numbers(tags.get("bounds"))
    if shape is not None:
        array = array.reshape(shape)
    return array if bounds is None else (array, bounds)


def _picture(body: bytes) -> Any:
    try:
        import numpy
        import xarray
        from PIL import Image

        with Image.open(BytesIO(body), formats=["PNG"]) as image:
            data = numpy.asarray(image)
    except ImportError as error:
        raise _missing("a picture", error) from None
    if data.ndim == 3:
        return xarray.Dataset({"image": (("band", "y", "x"), numpy.moveaxis(data, 2, 0))})
    return xarray.Dataset({"image": (("y", "x"), data)})


def _numbers(text: str | None) -> list[Any] | None:
    if text is None:
        return None
    value = _json(text.encode())
    if not isinstance(value, list) or not all(isinstance(item, int | float) for item in value):
        raise ValueError(f"Cannot read the result: a tag of its raster must be a list of numbers: received {text[:100]!r}")
    return value


def _several(body: bytes) -> dict[str, Any]:
    from zipfile import BadZipFile, ZipFile

    try:
        with ZipFile(BytesIO(body)) as archive:
            files = _json(archive.read("meta.json"))["files"]
            return {name: decode_result(archive.read(name), about["content_type"]) for name, about in files.items()}
    except (BadZipFile, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"Cannot read the result: it is no archive of results: {error}") from None
