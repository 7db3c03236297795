"""The module `ssl` of an isolate: contexts, constants and errors, without any cryptography.

TLS is the host's: it checks every certificate against its own authorities, whatever a context says. A wrapped socket sends its
request with https in place of http.
"""

import os
from base64 import decodebytes, encodebytes
from collections import namedtuple
from typing import Any, NoReturn

from fused._net import warn_unverified
from fused._net_socket import Socket
from fused._net_ssl_names import *  # noqa: F403
from fused._net_ssl_names import (
    CERT_NONE,
    CERT_REQUIRED,
    PROTOCOL_TLS,
    PROTOCOL_TLS_CLIENT,
    Options,
    Purpose,
    SSLError,
    TLSVersion,
    VerifyFlags,
    VerifyMode,
    _SSLMethod,
)

def _no_certificate(*args: Any) -> NoReturn:
    raise SSLError(1, "A UDF sees no certificates and has none of its own: TLS is the host's")


class SSLContext:
    """Settings for TLS. They are kept and have no effect: the host has its own."""

    sslsocket_class: type
    sni_callback = None
    keylog_filename = None
    post_handshake_auth = False
    hostname_checks_common_name = True
    security_level = 2
    num_tickets = 2

    def __init__(self, protocol: int | None = None) -> None:
        self.protocol = _SSLMethod(PROTOCOL_TLS if protocol is None else protocol)
        self.options = Options.OP_ALL | Options.OP_NO_SSLv3 | Options.OP_NO_COMPRESSION
        self.verify_flags = VerifyFlags.VERIFY_X509_TRUSTED_FIRST
        self.minimum_version = TLSVersion.TLSv1_2
        self.maximum_version = TLSVersion.MAXIMUM_SUPPORTED
        is_client = protocol == PROTOCOL_TLS_CLIENT
        self._check_hostname = is_client
        self._verify_mode = CERT_REQUIRED if is_client else CERT_NONE
        self._alpn_protocols: tuple[str, ...] = ()

    @property
    def check_hostname(self) -> bool:
        """Whether the name has to be in the certificate. The host always checks it."""
        return self._check_hostname

    @check_hostname.setter
    def check_hostname(self, value: bool) -> None:
        self._check_hostname = bool(value)
        if value and self._verify_mode == CERT_NONE:
            self._verify_mode = CERT_REQUIRED

    @property
    def verify_mode(self) -> VerifyMode:
        """Whether a certificate is asked for. The host always checks it."""
        return self._verify_mode

    @verify_mode.setter
    def verify_mode(self, value: int) -> None:
        if value == CERT_NONE and self._check_hostname:
            raise ValueError("Cannot set verify_mode to CERT_NONE when check_hostname is enabled.")
        self._verify_mode = VerifyMode(value)

    def set_alpn_protocols(self, alpn_protocols: Any) -> None:
        """Notes them; requests are HTTP/1.1 here, whatever the host speaks."""
        self._alpn_protocols = tuple(alpn_protocols)

    def load_verify_locations(self, cafile: Any = None, capath: Any = None, cadata: Any = None) -> None:
        """Checks that the files are there. Raises FileNotFoundError."""
        if cafile is None and capath is None and cadata is None:
            raise TypeError("cafile, capath and cadata cannot be all omitted")
        for path in (cafile, capath):
            if path is not None:
                os.stat(path)

    def _keep_nothing(self, *args: Any, **kwargs: Any) -> None:
        """Part of a context's interface."""

    load_default_certs = set_default_verify_paths = set_ciphers = set_npn_protocols = _keep_nothing
    set_ecdh_curve = load_dh_params = set_servername_callback = _keep_nothing
    load_cert_chain = _no_certificate

    def get_ca_certs(self, binary_form: bool = False) -> list:
        """None: they are the host's."""
        return []

    def get_ciphers(self) -> list:
        """None: they are the host's."""
        return []

    def cert_store_stats(self) -> dict[str, int]:
        """No certificates: they are the host's."""
        return {"x509": 0, "crl": 0, "x509_ca": 0}

    def wrap_socket(self, sock: Any, server_side: bool = False, do_handshake_on_connect: bool = True,
                    suppress_ragged_eofs: bool = True, server_hostname: Any = None, session: Any = None) -> "SSLSocket":  # fmt: skip
        """Takes a connection over, whose request is sent with https. Raises ValueError without a host name where it is checked."""
        if server_side or not isinstance(sock, Socket):
            raise SSLError(1, "Only connections to HTTPS servers can be wrapped in a UDF")
        if self._check_hostname and not server_hostname:
            raise ValueError("check_hostname requires server_hostname")
        return self.sslsocket_class._over(sock, self, server_hostname)

    def wrap_bio(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raises SSLError: there is no TLS in memory."""
        raise SSLError(1, "TLS is the host's: a UDF can wrap sockets, and no other streams")


class SSLSocket(Socket):
    """A connection to an HTTPS server."""

    context: SSLContext
    server_hostname: str | None = None
    server_side = False
    session = None
    session_reused = False

    @classmethod
    def _over(cls, sock: Socket, context: SSLContext, server_hostname: str | None) -> "SSLSocket":
        exchange = sock._connected()
        if not exchange.is_empty:
            raise SSLError(1, "TLS has to start before anything else is sent: STARTTLS is not supported")
        if context.verify_mode == CERT_NONE:
            warn_unverified()
        wrapped = cls()
        wrapped.__dict__.update(sock.__dict__)
        wrapped.context, wrapped.server_hostname, wrapped._sslobj = context, server_hostname, wrapped
        exchange.is_secure = True
        sock.detach()
        return wrapped

    def do_handshake(self, block: bool = False) -> None:
        """Does nothing: the host does."""

    def selected_alpn_protocol(self) -> str | None:
        """What libraries shall speak here."""
        return "http/1.1" if "http/1.1" in self.context._alpn_protocols else None

    def _nothing(self, *args: Any) -> None:
        """Not known in a UDF."""

    selected_npn_protocol = cipher = compression = shared_ciphers = version = get_channel_binding = _nothing
    get_verified_chain = get_unverified_chain = _no_certificate

    def getpeercert(self, binary_form: bool = False) -> dict[str, Any]:
        """What is known of it: the name, which the host checks. Raises SSLError for the certificate itself."""
        if binary_form:
            _no_certificate()
        name = self.server_hostname or self.getpeername()[0]
        kind = "IP Address" if ":" in name or name.replace(".", "").isdecimal() else "DNS"
        return {"subject": ((("commonName", name),),), "subjectAltName": ((kind, name),)}

    def pending(self) -> int:
        """Bytes that can be read at once."""
        return len(self._waiting)

    def read(self, len: int = 1024, buffer: Any = None) -> Any:
        """As `recv`, or `recv_into` the buffer."""
        return self.recv(len) if buffer is None else self.recv_into(buffer, len)

    def write(self, data: Any) -> int:
        """As `send`."""
        return self.send(data)

    def unwrap(self) -> "SSLSocket":
        """Ends TLS, which changes nothing."""
        return self


SSLContext.sslsocket_class = SSLSocket


class SSLObject:
    """TLS without a socket: there is none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise TypeError("SSLObject does not have a public constructor. Instances are returned by SSLContext.wrap_bio().")


class SSLSession:
    """A session of TLS: there is none to see."""


class MemoryBIO:
    """Bytes between a program and TLS."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._ended = False

    @property
    def pending(self) -> int:
        """Bytes that are there."""
        return len(self._data)

    @property
    def eof(self) -> bool:
        """Whether it has ended and all is read."""
        return self._ended and not self._data

    def write(self, data: Any) -> int:
        """Adds bytes."""
        self._data += data
        return len(data)

    def write_eof(self) -> None:
        """Ends it."""
        self._ended = True

    def read(self, size: int = -1) -> bytes:
        """Takes bytes out."""
        part = bytes(self._data[: size if size >= 0 else None])
        del self._data[: len(part)]
        return part


def create_default_context(purpose: Purpose = Purpose.SERVER_AUTH, *, cafile: Any = None, capath: Any = None,
                           cadata: Any = None) -> SSLContext:  # fmt: skip
    """A context for clients."""
    context = SSLContext(PROTOCOL_TLS_CLIENT)
    if cafile or capath or cadata:
        context.load_verify_locations(cafile, capath, cadata)
    return context


def _create_unverified_context(*args: Any, **kwargs: Any) -> SSLContext:
    return SSLContext(PROTOCOL_TLS)


_create_default_https_context = create_default_context
_create_stdlib_context = _create_unverified_context

DefaultVerifyPaths = namedtuple("DefaultVerifyPaths", "cafile capath openssl_cafile_env openssl_cafile openssl_capath_env openssl_capath")


def get_default_verify_paths() -> DefaultVerifyPaths:
    """None: the authorities are the host's."""
    return DefaultVerifyPaths(None, None, "SSL_CERT_FILE", "", "SSL_CERT_DIR", "")


def get_protocol_name(protocol_code: int) -> str:
    """The name of a protocol."""
    return _SSLMethod(protocol_code).name


get_server_certificate = _no_certificate


def DER_cert_to_PEM_cert(der_cert_bytes: bytes) -> str:
    """A certificate as text."""
    return f"-----BEGIN CERTIFICATE-----\n{encodebytes(der_cert_bytes).decode().replace(chr(10), '')}\n-----END CERTIFICATE-----\n"


def PEM_cert_to_DER_cert(pem_cert_string: str) -> bytes:
    """A certificate as bytes. Raises ValueError."""
    text = pem_cert_string.strip()
    start, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    if not (text.startswith(start) and text.endswith(end)):
        raise ValueError(f"Invalid PEM encoding; must start with {start} and end with {end}")
    return decodebytes(text[len(start) : -len(end)].encode())


def RAND_bytes(n: int) -> bytes:
    """Random bytes."""
    return os.urandom(n)


def RAND_status() -> bool:
    """There is always enough randomness."""
    return True


def RAND_add(string: Any, entropy: float) -> None:
    """Does nothing."""
