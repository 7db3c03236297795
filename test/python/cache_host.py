"""A host that keeps results in memory, and answers as host/cache does; with fixtures for the tests of `fused.cache`."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from time import time
from typing import Any

import pytest

import fused
from fused import _guest, _host
from fused._decode import decode
from fused._encode import encode


class Bytes:
    """A buffer as Pyodide hands it over."""

    def __init__(self, buffer: Any) -> None:
        self.buffer = buffer

    def to_bytes(self) -> bytes:
        return bytes(self.buffer)


class FakeHost:
    """Keeps results; notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.kept: dict[str, dict[str, Any]] = {}
        self.leases: dict[int, str] = {}
        self.now = time
        self.off: str | None = None
        self.errors: dict[str, dict[str, Any]] = {}

    @property
    def keys(self) -> list[str]:
        """The keys that were asked for, in order."""
        return [args[0]["key"] for name, args in self.asked if name == "cache.begin"]

    @property
    def formats(self) -> list[str]:
        return [args[1]["format"] for name, args in self.asked if name == "cache.commit"]

    @property
    def verbs(self) -> list[str]:
        return [name.removeprefix("cache.") for name, _ in self.asked]

    def answer(self, name: str, args: list[Any]) -> Any:
        if name == "cache.begin":
            (request,) = args
            if self.off:
                return {"state": "off", "reason": self.off}
            assert re.fullmatch("[0-9a-f]{64}", request["key"])
            entry = self.kept.get(request["key"])
            max_age_ms = 172_800_000 if request["maxAgeMs"] is None else request["maxAgeMs"]
            if entry and not request["reset"] and self.now() * 1000 - entry["createdAtMs"] < max_age_ms:
                return {"state": "hit", **entry}
            lease = len(self.asked)
            self.leases[lease] = request["key"]
            return {"state": "compute", "lease": lease}
        key = self.leases.pop(args[0])
        if name == "cache.commit":
            self.kept[key] = {"createdAtMs": self.now() * 1000, "format": args[1]["format"], "body": bytes(args[1]["body"])}
        return None

    def call(self, name: str, text: str, buffers: Any) -> Any:
        if name == "packages.provider":
            return ['{"ok":true,"value":null}', []]
        args = decode(text, buffers)
        self.asked.append((name, args))
        if name in self.errors:
            return [json.dumps({"ok": False, "error": self.errors[name]}), []]
        answer, parts = encode(self.answer(name, args))
        return [f'{{"ok":true,"value":{answer}}}', [Bytes(part) for part in parts]]

    async def call_async(self, name: str, text: str, buffers: Any) -> Any:
        await asyncio.sleep(0)
        return self.call(name, text, buffers)


@pytest.fixture
def new_run() -> Callable[[], None]:
    """Begins another run, as far as what is remembered for one goes."""

    def begin() -> None:
        _guest.result_buffers = []

    return begin


@pytest.fixture
def host(new_run: Callable[[], None]) -> Iterator[FakeHost]:
    fake = FakeHost()
    new_run()
    _host.connect(fake.call, fake.call_async, "a test")
    yield fake
    _host.connect(None, None, "this interpreter is in no isolate")


def kept(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """The decorator, silent."""
    return fused.cache(function, cache_verbose=False, **options)
