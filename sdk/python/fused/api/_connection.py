"""What all parts of FusedAPI ask a server with."""

import builtins
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from .._options import options
from .._server import server
from .._server.credentials import credentials


class Connection:
    """A server's address, and requests to it. Raises HTTPError where it refuses, ServerNotConfiguredError where there is none."""

    def __init__(self, base_url: str | None, shared_udf_base_url: str | None) -> None:
        self._base_url = base_url and base_url.rstrip("/")
        self._shared_udf_base_url = shared_udf_base_url and shared_udf_base_url.rstrip("/")

    @property
    def base_url(self) -> str:
        """The server's address: the one that was given, else that of the options. Raises ServerNotConfiguredError."""
        return self._base_url or server.base_url()

    @property
    def shared_udf_base_url(self) -> str:
        """Where UDFs run by their tokens: the address that was given, else that of the options. Raises ServerNotConfiguredError."""
        return self._shared_udf_base_url or server.shared_base_url()

    def _call(self, method: str, path: str, *, params: Mapping[str, Any] | None = None, json: Any = None, body: bytes | None = None,
              headers: Mapping[str, Any] | None = None, raw: bool = False, timeout: float | None = None) -> Any:  # fmt: skip
        """A request, below the server's address; `timeout` in seconds, None is the option `request_timeout`."""
        return server.call(method, path, params=params, json=json, body=body, headers=headers, raw=raw,
                           timeout=options.request_timeout if timeout is None else timeout, base=self._base_url)  # fmt: skip

    def _pages(self, path: str, n: int | None, skip: int, per_request: int, max_requests: int | None) -> builtins.list[Any]:
        """What a route lists in pages, until there are `n` or no more of them, or so many pages were asked for."""
        if per_request < 1:
            raise ValueError(f"per_request must be at least 1: received {per_request}")
        found: builtins.list[Any] = []
        asked = 0
        while True:
            page = self._call("GET", path, params={"skip": skip + asked * per_request, "limit": per_request})
            asked += 1
            found += page or []
            if not page or (n is not None and (len(found) >= n or asked == max_requests)):
                return found

    def _client_id(self) -> str:
        """The realtime client of this server. Raises RuntimeError where it has none."""
        return server.client_id(base=self._base_url)

    def _client_id_if_known(self) -> str | None:
        """The same; None where we are nobody, and may ask for what is public alone."""
        if credentials() is None:
            return options.realtime_client_id
        return self._client_id()


def in_path(text: str) -> str:
    """A value as one part of a path."""
    return quote(text, safe="")
