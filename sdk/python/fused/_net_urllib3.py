"""urllib3 on our sockets. In an isolate this file is also `urllib3.contrib.emscripten`, whose way through JavaScript is closed."""

import socket
from types import ModuleType
from typing import Any


def inject_into_urllib3() -> None:
    """Leaves urllib3's own connections in place, which `patch` has put on our sockets."""


def patch(module: ModuleType) -> None:
    """Changes `urllib3.connection`: a request is sent when its answer is awaited, as only then its time-out is known."""
    from urllib3 import exceptions

    connection = module.HTTPConnection
    new_conn, getresponse = connection._new_conn, connection.getresponse
    not_found = getattr(exceptions, "NameResolutionError", None)

    def _new_conn(self: Any) -> Any:
        sock = new_conn(self)
        sock.is_late = True
        return sock

    def get_response(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return getresponse(self, *args, **kwargs)
        except socket.gaierror as error:
            if not_found is not None:
                raise not_found(self.host, self, error) from error
            raise exceptions.NewConnectionError(self, f"Failed to establish a new connection: {error}") from error
        except ConnectionRefusedError as error:
            raise exceptions.NewConnectionError(self, f"Failed to establish a new connection: {error}") from error

    connection._new_conn = _new_conn
    connection.getresponse = get_response
