"""Ingestion by the host that this code runs in."""

from typing import Any

from . import _host


def ingest_here(kind: str, config: dict[str, Any]) -> Any:
    """Asks the host's binding `tables` to ingest. Raises NotImplementedError where there is none, PermissionDeniedError."""
    if _host.connected():
        try:
            return _host.call("tables.ingest", kind, config)
        except _host.HostError as error:
            if error.type_name != "UsageError":  # a host without this binding
                raise
    raise NotImplementedError(
        f"Cannot ingest here ({kind}): that takes a runtime or a server with ingestion. Run it inside a UDF of such a runtime, or set "
        "fused.options.base_url to such a server and start it there (run_batch() of a step, or fused.run with engine='remote')"
    )
