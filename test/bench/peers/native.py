"""The functions of udfs/work.py and tile.py as native handlers of FastAPI. Prints its port."""

import importlib.util
import socket
import sys
import types
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Response

# The UDFs' files import it for its decorator.
sys.modules["fused"] = types.SimpleNamespace(udf=lambda function: function, types=types.SimpleNamespace(Bounds=list))


def load(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent.parent / "udfs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.udf


app = FastAPI()
work = load("work")
tile = load("tile")


@app.get("/work")
def run_work(n: int = 300):
    return work(n)


@app.get("/tile/{z}/{x}/{y}.png")
def run_tile(z: int, x: int, y: int):
    return Response(tile([x / 2**z * 360 - 180, 0, 0, 0]), media_type="image/png")


listening = socket.socket()
listening.bind(("127.0.0.1", 0))
listening.listen(1024)
print(listening.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listening])
