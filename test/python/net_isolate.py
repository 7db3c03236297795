"""An isolate for tests: CPython whose UDFs reach the network as in an isolate, through a host at the other end of two pipes.

Lines of JSON. In: `{"udf": …, "parameters": {…}}`, and the answers of the host. Out: the result, and the calls of the host.
"""

import asyncio
import base64
import json
import os
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "sdk" / "python"))

from fused import _guest, _host, _net, _net_asyncio, _net_imports
from fused._encode import encode

# Before sockets are ours: its own are real.
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
_net_imports.install()
# In place of Pyodide's loop.
_net_asyncio.patch(SimpleNamespace(WebLoop=type(loop)))

lines = os.fdopen(os.dup(0), "r")
out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


class Bytes:
    """A buffer as Pyodide hands it over."""

    def __init__(self, text: str) -> None:
        self.text = text

    def to_bytes(self) -> bytes:
        return base64.b64decode(self.text)


def write(message: dict[str, Any]) -> None:
    out.write(json.dumps(message) + "\n")
    out.flush()


# Here pyarrow has threads.
lock = threading.Lock()


def call(name: str, text: str, buffers: list[Any]) -> list[Any]:
    with lock:
        write({"call": name, "text": text, "buffers": [base64.b64encode(buffer).decode() for buffer in buffers]})
        answer = json.loads(lines.readline())
    return [answer["text"], [Bytes(buffer) for buffer in answer["buffers"]]]


async def call_async(name: str, text: str, buffers: list[Any]) -> list[Any]:
    await asyncio.sleep(0)
    return call(name, text, buffers)


_host.connect(call, call_async, "a test")
for line in lines:
    message = json.loads(line)
    _net._warned = False  # as when memory is put back
    reply = _guest.prepare(json.dumps({"udf": message["udf"]}))
    if json.loads(reply)["ok"]:
        text, buffers = encode(message["parameters"])
        reply = _guest.run(json.dumps({"parameters": text, "tile": None}), buffers)
        if not isinstance(reply, str):
            reply = loop.run_until_complete(reply)
    write({"reply": reply, "buffers": [base64.b64encode(buffer).decode() for buffer in _guest.result_buffers]})
