"""Connections of asyncio that carry an HTTP request to the host: what aiohttp and asyncio's streams stand on."""

import asyncio
import socket
from types import ModuleType
from typing import Any

from ._host import HostError
from ._net import Answer, fetch_async, network_error, warn_unverified
from ._net_exchange import Exchange, unsupported
from ._net_socket import Socket, getaddrinfo

_SILENT_SECONDS = 5
"""After so long without a word of the client, it is one that waits for the server to speak first."""


class Transport(asyncio.Transport):
    """One connection for one request, which is sent once it is complete."""

    def __init__(self, loop: Any, protocol: Any, exchange: Exchange, extra: dict[str, Any]) -> None:
        super().__init__(extra)
        self._loop, self._protocol, self._exchange = loop, protocol, exchange
        self._is_closing = False
        self._task: Any = None
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._silence = loop.call_later(_SILENT_SECONDS, self._end_silence)

    def get_protocol(self) -> Any:
        """Who hears of the answer."""
        return self._protocol

    def set_protocol(self, protocol: Any) -> None:
        """Changes who hears of it."""
        self._protocol = protocol

    def write(self, data: Any) -> None:
        """Takes bytes of a request. What is none ends the connection."""
        if self._is_closing:
            return
        try:
            self._exchange.feed(bytes(data))
        except OSError as error:
            self._end(error)
            return
        if self._exchange.is_complete and self._task is None:
            self._task = self._loop.create_task(self._talk())

    def can_write_eof(self) -> bool:
        """A request ends by itself."""
        return False

    def pause_reading(self) -> None:
        """Brings no more of the answer for now."""
        self._may_read.clear()

    def resume_reading(self) -> None:
        """Goes on with it."""
        self._may_read.set()

    def is_reading(self) -> bool:
        """Whether the answer is brought as it comes."""
        return self._may_read.is_set()

    def is_closing(self) -> bool:
        """Whether it is over."""
        return self._is_closing

    def get_write_buffer_size(self) -> int:
        """Nothing waits to be taken."""
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Does nothing: all is taken at once."""

    def close(self) -> None:
        """Ends it, and gives up the rest of an answer."""
        if not self._is_closing:
            if self._task is not None:
                self._task.cancel()
            self._end(None)

    abort = close

    async def _talk(self) -> None:
        answer = None
        error: Exception | None = None
        try:
            answer = await fetch_async(*self._exchange.request())
            await self._pass_on(answer)
        except HostError as failure:
            error = network_error(failure)
        except Exception as failure:
            error = failure
        finally:
            if answer is not None:
                await answer.close_async()
        if not self._is_closing:
            if error is None:
                self._protocol.eof_received()
            self._end(error)

    async def _pass_on(self, answer: Answer) -> None:
        self._protocol.data_received(self._exchange.head(answer))
        while part := await answer.read_async():
            await self._may_read.wait()
            self._protocol.data_received(part)
        await self._may_read.wait()

    def _end_silence(self) -> None:
        if self._exchange.is_empty and not self._is_closing:
            self._end(unsupported(self._exchange.authority, "an answer is awaited, and no HTTP request was sent"))

    def _end(self, error: Exception | None) -> None:
        if not self._is_closing:
            self._is_closing = True
            self._silence.cancel()
            self._loop.call_soon(self._protocol.connection_lost, error)


async def _create_connection(self: Any, protocol_factory: Any, host: Any = None, port: Any = None, *, ssl: Any = None, sock: Any = None,
                             server_hostname: str | None = None, **options: Any) -> tuple[Transport, Any]:  # fmt: skip
    """In place of a loop's `create_connection`. Raises OSError for what is no host and port."""
    if sock is None:
        sock = Socket()
        sock.connect(getaddrinfo(host, port)[0][4])
    elif not isinstance(sock, Socket):
        raise ValueError(f"Cannot use the socket {sock!r}: it was not made in this UDF")
    exchange = sock._connected()
    extra = {"socket": sock, "peername": sock.getpeername(), "sockname": sock.getsockname()}
    if ssl:
        exchange.is_secure = True
        if getattr(ssl, "verify_mode", 2) == 0:
            warn_unverified()
        extra["sslcontext"] = None if ssl is True else ssl
    protocol = protocol_factory()
    transport = Transport(self, protocol, exchange, extra)
    protocol.connection_made(transport)
    return transport, protocol


async def _sock_connect(self: Any, sock: Socket, address: Any) -> None:
    sock.connect(address)


async def _getaddrinfo(self: Any, host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> list:
    return getaddrinfo(host, port, family, type, proto, flags)


async def _getnameinfo(self: Any, sockaddr: Any, flags: int = 0) -> tuple[str, str]:
    raise socket.gaierror(socket.EAI_FAIL, "The host looks names up when an HTTP request is sent, and shows none")


def patch(module: ModuleType) -> None:
    """Changes the loop of `pyodide.webloop`."""
    loop = module.WebLoop
    loop.create_connection, loop.sock_connect = _create_connection, _sock_connect
    loop.getaddrinfo, loop.getnameinfo = _getaddrinfo, _getnameinfo
