"""Fixtures for the network: servers, a host, and an isolate between which nothing else lies."""

import base64
import json
import re
import ssl
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from net_host import Host
from net_servers import Server, serve

_CERTIFICATES = Path(__file__).parents[2] / "host" / "net" / "fixtures" / "certificates.ts"


def certificate(name: str) -> str:
    """A certificate or key of the host's own tests."""
    return re.search(rf"export const {name} = `([^`]+)`", _CERTIFICATES.read_text())[1]


class Isolate:
    """A process that runs UDFs; its calls are answered by a host here."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("net_isolate.py")
        self._process = subprocess.Popen([sys.executable, "-B", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.host = Host()

    def run(self, code: str, **parameters: Any) -> Any:
        """Runs a UDF and gives its result, which is data. Raises Failure."""
        from conftest import value_of
        from fused._decode import decode

        udf = {"name": "hello", "code": textwrap.dedent(code), "file": "hello.py", "headers": [], "entrypoint": None}
        self._write({"udf": udf, "parameters": parameters})
        while True:
            message = json.loads(self._process.stdout.readline())
            if "reply" in message:
                break
            buffers = [base64.b64decode(buffer) for buffer in message["buffers"]]
            self._write(self.host.answer(message["call"], message["text"], buffers))
        value_of(message["reply"])
        text = message["reply"].removeprefix('{"ok":true,"value":').removesuffix("}")
        return decode(text, [base64.b64decode(buffer) for buffer in message["buffers"]])

    def body(self, body: str, **parameters: Any) -> Any:
        """Runs the body of a UDF whose parameter `url` is the server's."""
        names = "".join(f"{name}, " for name in parameters)
        return self.run(f"import fused\n@fused.udf\ndef hello({names}):\n{textwrap.indent(textwrap.dedent(body), '    ')}", **parameters)

    def body_async(self, body: str, **parameters: Any) -> Any:
        """The same, of an asynchronous UDF."""
        names = "".join(f"{name}, " for name in parameters)
        return self.run(f"import fused\n@fused.udf\nasync def hello({names}):\n{textwrap.indent(textwrap.dedent(body), '    ')}", **parameters)

    def _write(self, message: dict[str, Any]) -> None:
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """Ends the process."""
        self._process.stdin.close()
        self._process.wait(10)


@pytest.fixture(scope="session")
def _process() -> Iterator[Isolate]:
    if sys.platform == "emscripten":
        pytest.skip("there are no processes")
    isolate = Isolate()
    yield isolate
    isolate.close()


@pytest.fixture
def isolate(_process: Isolate) -> Isolate:
    """The isolate, with a host that grants everything."""
    _process.host = Host(authority=certificate("AUTHORITY"))
    return _process


@pytest.fixture(scope="session")
def _plain(_process: Isolate) -> Iterator[Server]:
    with serve() as server:
        yield server


@pytest.fixture(scope="session")
def _secure(_process: Isolate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("tls")
    for name in ("SIGNED", "KEY"):
        (folder / name).write_text(certificate(name))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "SIGNED", folder / "KEY")
    with serve(context) as server:
        yield server


@pytest.fixture
def server(_plain: Server) -> Server:
    """A server that nobody has asked anything."""
    _plain.requests.clear()
    return _plain


@pytest.fixture
def secure(_secure: Server) -> Server:
    """The same with TLS; its certificate is trusted by the isolate's host."""
    _secure.requests.clear()
    return _secure
