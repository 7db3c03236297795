"""The driver, called the way the engine's guest calls it: JSON text in, JSON text out, buffers beside it."""

import json
import sys
import textwrap
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "sdk" / "python"))

from fused import _guest  # noqa: E402
from fused._decode import decode  # noqa: E402
from fused._encode import encode  # noqa: E402
from net_fixtures import _plain, _process, _secure, isolate, secure, server  # noqa: E402, F401


class Failure(Exception):
    """A run, a preparation or an inspection that failed; the fields are those of the reply."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['kind']}: {error['type']}: {error['message']}")
        self.__dict__.update(error)


def value_of(reply: str) -> Any:
    """The value of a reply, still encoded. Raises Failure."""
    parsed = json.loads(reply)
    if not parsed["ok"]:
        raise Failure(parsed["error"])
    return parsed.get("value")


def finish(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Runs a coroutine that waits for nothing but its turn; works where no event loop can be run (in Pyodide)."""
    try:
        while True:
            coroutine.send(None)
    except StopIteration as end:
        return end.value


def request(code: str, headers: dict[str, str], entrypoint: str | None, name: str = "hello") -> str:
    """What the host sends to prepare or to inspect a UDF."""
    sent = [{"moduleName": key.removesuffix(".py").replace("/", ".").removesuffix(".__init__"), "code": text, "file": key}
            for key, text in headers.items()]  # fmt: skip
    udf = {"name": name, "code": textwrap.dedent(code), "file": f"{name}.py", "headers": sent, "entrypoint": entrypoint}
    return json.dumps({"udf": udf})


@pytest.fixture
def prepare() -> Callable[..., None]:
    """Prepares a UDF, or raises Failure."""

    def call(code: str, *, headers: dict[str, str] | None = None, entrypoint: str | None = None) -> None:
        value_of(_guest.prepare(request(code, headers or {}, entrypoint)))

    return call


@pytest.fixture
def run(prepare: Callable[..., None]) -> Callable[..., Any]:
    """Prepares a UDF, runs it and decodes what it returned, or raises Failure. Keywords are the parameters."""

    def call(code: str, *, _headers: dict[str, str] | None = None, _entrypoint: str | None = None,
             _tile: tuple[int, int, int] | None = None, **parameters: Any) -> Any:  # fmt: skip
        prepare(code, headers=_headers, entrypoint=_entrypoint)
        text, buffers = encode(parameters)
        tile = None if _tile is None else dict(zip("zxy", _tile, strict=True))
        reply = _guest.run(json.dumps({"parameters": text, "tile": tile}), buffers)
        if not isinstance(reply, str):
            reply = finish(reply)
        value_of(reply)
        encoded = reply.removeprefix('{"ok":true,"value":').removesuffix("}")
        return decode(encoded, _guest.result_buffers)

    return call


@pytest.fixture
def inspect() -> Callable[..., dict[str, Any]]:
    """Inspects a UDF, or raises Failure."""

    def call(code: str, *, headers: dict[str, str] | None = None, entrypoint: str | None = None) -> dict[str, Any]:
        return value_of(_guest.inspect(request(code, headers or {}, entrypoint)))

    return call


@pytest.fixture
def failure() -> Callable[..., Failure]:
    """Calls and gives the Failure that it must raise."""

    def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Failure:
        with pytest.raises(Failure) as caught:
            function(*args, **kwargs)
        return caught.value

    return call
