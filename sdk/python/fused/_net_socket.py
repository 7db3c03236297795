"""Sockets that carry an HTTP request to the host. In an isolate they take the place of `socket.socket`."""

import errno
import ipaddress
import socket
from types import ModuleType
from typing import Any, NoReturn

from ._host import HostError
from ._net import Answer, fetch, network_error
from ._net_exchange import Exchange, unsupported

# Those that come while a connection is made. What comes later, a library expects while it reads.
_AT_ONCE = frozenset(("dns", "connect", "tls", "url", "size", "busy"))


class Socket(socket.socket):
    """One connection for one request: connects to nothing, and asks the host once a request is complete."""

    # Whether the request is sent when its answer is read: for libraries that set the time-out for it only then.
    is_late = False

    # There is no file descriptor: what the base class would make is not made.
    def __init__(self, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None) -> None:
        if family not in (-1, socket.AF_INET, socket.AF_INET6) or type not in (-1, socket.SOCK_STREAM) or fileno is not None:
            raise OSError(errno.EAFNOSUPPORT, "Only sockets for HTTP and HTTPS can be made in a UDF")
        self._io_refs = 0
        self._closed = False
        self._family = socket.AF_INET if family == -1 else socket.AddressFamily(family)
        self._timeout = socket.getdefaulttimeout()
        self._exchange: Exchange | None = None
        self._peer: tuple[str, int] = ("", 0)
        self._answer: Answer | None = None
        self._failure: Exception | None = None
        self._is_sent = False
        self._waiting: bytes | memoryview = b""

    @property
    def family(self) -> Any:
        """`AF_INET` or `AF_INET6`."""
        return self._family

    @property
    def type(self) -> Any:
        """`SOCK_STREAM`."""
        return socket.SOCK_STREAM

    @property
    def proto(self) -> int:
        """`IPPROTO_TCP`."""
        return socket.IPPROTO_TCP

    @property
    def timeout(self) -> float | None:
        """Seconds that an operation may take."""
        return self._timeout

    def settimeout(self, value: float | None) -> None:
        """Seconds that each wait may take; None is as long as the host allows."""
        if value is not None and value < 0:
            raise ValueError("Timeout value out of range")
        self._timeout = value

    def gettimeout(self) -> float | None:
        """What `settimeout` set."""
        return self._timeout

    def setblocking(self, flag: bool) -> None:
        """Part of the socket's interface."""
        self._timeout = None if flag else 0.0

    def getblocking(self) -> bool:
        """Part of the socket's interface."""
        return self._timeout != 0

    def setsockopt(self, *args: Any) -> None:
        """Does nothing: the host's own connections are not the UDF's to set up."""

    def getsockopt(self, *args: Any) -> int:
        """0 for all options."""
        return 0

    def connect(self, address: Any) -> None:
        """Notes where requests go. Raises OSError for what is no host and port."""
        if self._exchange is not None:
            raise OSError(errno.EISCONN, "The socket is connected already")
        host, port = address[:2] if isinstance(address, tuple) and len(address) >= 2 else (None, None)
        if isinstance(host, (bytes, bytearray)):
            host = bytes(host).decode("ascii")
        if not isinstance(host, str) or not isinstance(port, int) or not 0 < port < 65536:
            raise OSError(errno.EINVAL, f"Cannot connect to {address!r}: it is no pair of a host and a port")
        self._exchange = Exchange(host, port)
        self._peer = (host, port)

    def connect_ex(self, address: Any) -> int:
        """The same, and gives 0."""
        self.connect(address)
        return 0

    def getpeername(self) -> tuple[str, int]:
        """Host and port, as they were given."""
        self._connected()
        return self._peer

    def getsockname(self) -> tuple[str, int]:
        """No address: the connection is the host's."""
        return ("0.0.0.0", 0)

    def send(self, data: Any, flags: int = 0) -> int:
        """Takes all of the data. Raises what sending the request fails with, once it is complete."""
        exchange = self._connected()
        data = bytes(data)
        exchange.feed(data)
        if exchange.is_complete and not self.is_late:
            self._start()
        return len(data)

    def sendall(self, data: Any, flags: int = 0) -> None:
        """The same, and gives nothing."""
        self.send(data)

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """Reads what has come of the answer, or waits for more of it; 0 at its end."""
        target = memoryview(buffer).cast("B")
        room = nbytes or len(target)
        if not self._waiting and not self._receive():
            return 0
        part = self._waiting[:room]
        self._waiting = self._waiting[room:]
        target[: len(part)] = part
        return len(part)

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        """The same, as bytes."""
        if not self._waiting and not self._receive():
            return b""
        part = self._waiting[:bufsize]
        self._waiting = self._waiting[bufsize:]
        return bytes(part)

    def shutdown(self, how: int) -> None:
        """Does nothing: a request ends by itself."""

    def detach(self) -> int:
        """Part of the socket's interface: there is no file descriptor."""
        self._closed = True
        return -1

    def _real_close(self) -> None:
        answer, self._answer = self._answer, None
        self._waiting = b""
        if answer is not None:
            answer.close()

    def _connected(self) -> Exchange:
        if self._closed:
            raise OSError(errno.EBADF, "The socket is closed")
        if self._exchange is None:
            raise OSError(errno.ENOTCONN, "The socket is not connected")
        return self._exchange

    def _start(self) -> None:
        """Sends the request. What a library expects while it reads is kept until then."""
        exchange = self._exchange
        if self._timeout == 0:
            raise unsupported(exchange.authority, "sockets that do not block are not supported")
        url, method, headers, body = exchange.request()
        self._is_sent = True
        try:
            self._answer = fetch(url, method, headers, body, timeout=self._timeout)
        except HostError as error:
            failure = network_error(error)
            if error.type_name != "NetError" or error.code in _AT_ONCE or self.is_late:
                raise failure from None
            self._failure = failure
        else:
            self._waiting = memoryview(exchange.head(self._answer))

    def _receive(self) -> bool:
        """Puts the next bytes into place; False at the end."""
        if self._failure is not None:
            raise self._failure
        if not self._is_sent:
            exchange = self._connected()
            if not exchange.is_complete:
                raise unsupported(exchange.authority, "an answer is awaited, and no HTTP request was sent")
            self._start()
            return True
        if self._answer is None:
            return False
        try:
            self._waiting = memoryview(self._answer.read())
        except HostError as error:
            raise network_error(error) from None
        return bool(self._waiting)

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise OSError(errno.EOPNOTSUPP, "Sockets of a UDF connect to HTTP and HTTPS servers, and do nothing else")

    bind = listen = accept = dup = sendto = sendmsg = sendmsg_afalg = recvmsg = recvmsg_into = recvfrom = recvfrom_into = _refuse


_SERVICES = {"http": 80, "https": 443}


def getaddrinfo(host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> list[tuple]:
    """In place of `socket.getaddrinfo`: names stay names, which the host looks up when a request is sent. Raises gaierror."""
    if isinstance(host, (bytes, bytearray)):
        host = bytes(host).decode("ascii")
    if isinstance(port, str):
        port = _SERVICES.get(port) or (int(port) if port.isdecimal() else None)
        if port is None:
            raise socket.gaierror(socket.EAI_SERVICE, "Only the services http and https are known")
    host, port = host or "localhost", port or 0
    if ":" in host or family == socket.AF_INET6:
        return [(socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port, 0, 0))]
    return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))]


def gethostbyname(hostname: str) -> str:
    """In place of `socket.gethostbyname`: no name is looked up. Raises gaierror for all but addresses and localhost."""
    if hostname == "localhost":
        return "127.0.0.1"
    try:
        return str(ipaddress.IPv4Address(hostname))
    except ValueError:
        text = f"Cannot look up {hostname!r}: the host looks names up when an HTTP request is sent, and shows no addresses"
        raise socket.gaierror(socket.EAI_FAIL, text) from None


def gethostbyname_ex(hostname: str) -> tuple[str, list[str], list[str]]:
    """In place of `socket.gethostbyname_ex`. Raises gaierror."""
    return hostname, [], [gethostbyname(hostname)]


def patch(module: ModuleType) -> None:
    """Puts all of it into the module `socket`, whose own functions then use it."""
    module.socket = Socket
    module.getaddrinfo = getaddrinfo
    module.gethostbyname = gethostbyname
    module.gethostbyname_ex = gethostbyname_ex
