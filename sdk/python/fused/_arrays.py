"""numpy and xarray across the wall. Arrays are .npy files, version 1.0: numpy/lib/format.py."""

import ast
import re
from typing import TYPE_CHECKING, Any

from ._json import shorten

if TYPE_CHECKING:
    from ._encode import Writer

_MAGIC = b"\x93NUMPY\x01\x00"
# numpy pads the header so that the data is aligned to 64 bytes.
_ALIGNMENT = 64
# Plain dtypes: no objects, no fields, no raw bytes.
_DESCR = re.compile(r"[<>|]?(?:[biufcSU][0-9]{1,9}|[mM]8(?:\[[0-9]{0,9}[a-zA-Z]{1,2}\])?)")


def write_array(writer: "Writer", value: Any, depth: int) -> None:
    """Writes an array row by row in little-endian order, copying it once."""
    import numpy

    dtype = value.dtype
    if dtype.hasobject:
        writer.fail("an array of dtype object", "Give it a dtype, or return array.tolist().")
    if dtype.names is not None:
        writer.fail(f"a structured array ({shorten(str(dtype))})", "Return a DataFrame of it, or its fields one by one.")
    dtype = dtype.newbyteorder("<")
    if not _DESCR.fullmatch(dtype.str) or dtype.str[1:] in ("f16", "c32"):
        writer.fail(f"an array of dtype {shorten(str(dtype))}", "Convert it with astype.")
    shape = tuple(int(length) for length in value.shape)
    header = repr({"descr": dtype.str, "fortran_order": False, "shape": shape}).encode()
    padding = -(len(_MAGIC) + 2 + len(header) + 1) % _ALIGNMENT
    header += b" " * padding + b"\n"
    head = _MAGIC + len(header).to_bytes(2, "little") + header
    file = bytearray(len(head) + value.size * dtype.itemsize)
    file[: len(head)] = head
    numpy.ndarray(shape, dtype, buffer=file, offset=len(head))[...] = numpy.asarray(value)
    writer.buffer_tag("ndarray", file)


def read_array(file: Any) -> Any:
    """Reads a .npy file as an array of its own memory. Raises ValueError where it is none."""
    import numpy

    view = memoryview(file).cast("B")
    if view[:6] != _MAGIC[:6] or len(view) < 12 or view[6] not in (1, 2):
        raise ValueError("an array is no .npy file")
    start = 10 if view[6] == 1 else 12
    end = start + int.from_bytes(view[8:start], "little")
    if end > len(view) or end - start > 65_536:
        raise ValueError("the header of an array is cut off")
    try:
        header = ast.literal_eval(bytes(view[start:end]).decode("latin-1").strip())
        descr, order, shape = header["descr"], "F" if header["fortran_order"] else "C", header["shape"]
    except (SyntaxError, ValueError, TypeError, KeyError, MemoryError, RecursionError):
        raise ValueError("the header of an array cannot be read") from None
    if type(descr) is not str or not _DESCR.fullmatch(descr):
        raise ValueError(f"an array has the dtype {shorten(repr(descr))}")
    if type(shape) is not tuple or any(type(length) is not int or length < 0 for length in shape):
        raise ValueError(f"an array has the shape {shorten(repr(shape))}")
    dtype = numpy.dtype(descr)
    size = dtype.itemsize
    for length in shape:
        size *= length
    if size != len(view) - end:
        raise ValueError(f"an array of {size} bytes has {len(view) - end}")
    return numpy.ndarray(shape, dtype, buffer=view, offset=end, order=order).copy(order="K")


def write_masked(writer: "Writer", value: Any, depth: int) -> None:
    """Writes a masked array as lists, null where it is masked."""
    if value.dtype.hasobject or value.dtype.names is not None:
        writer.fail(f"a masked array of dtype {shorten(str(value.dtype))}")
    writer.write(value.astype("M8[us]").tolist() if value.dtype.kind == "M" else value.tolist(), depth)


def write_scalar(writer: "Writer", value: Any, depth: int) -> None:
    """Writes a numpy scalar as the Python value that it stands for."""
    import numpy

    kind = value.dtype.kind
    if kind in "mM":
        if numpy.isnat(value):
            writer.write(None, depth)
            return
        value = value.astype(f"{kind}8[us]")
    plain = value.item()
    if isinstance(plain, numpy.generic):  # longdouble has no Python type
        plain = complex(plain) if kind == "c" else float(plain)
    if kind == "V" or (kind in "mM" and isinstance(plain, int)):
        writer.fail(f"a numpy value of dtype {shorten(str(value.dtype))}")
    writer.write(plain, depth)


def write_xarray(writer: "Writer", value: Any, depth: int) -> None:
    """Writes an xarray object as xarray's own dict of it (dims, coords, attrs, data), its arrays as arrays."""
    writer.write(value.to_dict(data="array"), depth)
