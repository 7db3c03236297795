"""How `@fused.cache` writes down what a function returned: a format and bytes, which are read as a fresh object that equals it.

`json` holds what JSON holds exactly, `bytes` bytes, `arrow` a DataFrame or a pyarrow Table as an Arrow IPC stream, and `pickle` the rest.
A pickle is only ever read in an isolate that runs the UDF that wrote it, on behalf of the same principal: the host sees to that.
"""

import sys
from pickle import dumps, loads
from typing import Any

from ._digest import Digester, NoTokenError
from ._json import loads as loads_json
from ._plain import plain_text, type_module, type_name

# In the schema's metadata: what the table was. A Table may have been a frame once, and still say so.
_KIND = b"fused.cache"


def pack(value: Any) -> tuple[str, Any]:
    """The format of a value and its body. Raises whatever pickle, or the value's own classes, have against it."""
    if type(value) is bytes:
        return "bytes", value
    try:
        text = plain_text(value, 0)
    except RecursionError:  # as deep as pickle may still go
        text = None
    if text is not None:
        return "json", text.encode()
    stream = _pack_table(value)
    return ("pickle", dumps(value, 5)) if stream is None else ("arrow", stream)


def unpack(format_name: str, body: bytes) -> Any:
    """The value of a body. Raises whatever reading it raises."""
    if format_name == "bytes":
        return body
    if format_name == "json":
        return loads_json(body.decode())
    return loads(body) if format_name == "pickle" else _unpack_table(body)


def _pack_table(value: Any) -> Any:
    """An Arrow stream, or None where it would not come back as it was, or where pyarrow would have to be loaded for it."""
    name = (type_module(type(value)).partition(".")[0], type_name(type(value)))
    pa = sys.modules.get("pyarrow")
    if pa is None or name not in (("pandas", "DataFrame"), ("pyarrow", "Table")):
        return None
    try:
        table = value if name[0] == "pyarrow" else pa.Table.from_pandas(value, nthreads=1)
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), _KIND: name[0].encode()})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        body = memoryview(sink.getvalue())
        return body if Digester().of(_unpack_table(body)) == Digester().of(value) else None
    except (pa.ArrowException, NoTokenError, ValueError, TypeError, OverflowError):
        return None


def _unpack_table(body: Any) -> Any:
    import pyarrow as pa

    table = pa.ipc.open_stream(pa.py_buffer(body)).read_all()
    metadata = dict(table.schema.metadata)
    kind = metadata.pop(_KIND)
    table = table.replace_schema_metadata(metadata or None)
    return table if kind == b"pyarrow" else table.to_pandas(use_threads=False)
