"""Runs on a server: what is sent, and how its end is waited for."""

import json
from collections.abc import Callable, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from .._exceptions import UdfTimeoutError
from .._options import options
from ..context import get_recursion_factor
from ..models.evaluation import UdfEvaluationResult
from .credentials import credentials
from .http import Response
from .parameters import json_value, query_parameters, wire_parameters
from .results import evaluation
from .server import shared_base_url
from .steps import Send, Steps

if TYPE_CHECKING:
    from .._udf_object import Udf

# Between two looks, in seconds: at first soon, as most runs are short; later no more often than needs be.
_FIRST_WAIT = 0.02
_LONGEST_WAIT = 1.0


def realtime(udf: "Udf", parameters: Mapping[str, Any], tile: Mapping[str, int] | None, *, cache_max_age: int | None = None,
             run_id: str | None = None, formats: str | None = None, client: str | None = None,
             is_cancelled: Callable[[], bool] | None = None) -> Steps[UdfEvaluationResult]:  # fmt: skip
    """A run of a UDF on the realtime client; its code is sent along.

    cache_max_age: in seconds; 0 is off, None the server's. formats, client: None are those of the options.

    Raises ValueError where runs are nested too deep, UdfTimeoutError after options.run_timeout seconds, HTTPError, and TypeError
    for a parameter that cannot be sent.
    """
    from ..models.api.job import UdfJobStepConfig

    began, run_id = monotonic(), run_id or str(uuid4())
    sent = udf.set_parameters(wire_parameters(parameters))
    step = UdfJobStepConfig(udf=sent, name=udf.name)
    step_config = json.dumps(json_value(step.model_dump(mode="json")))
    body = {"step_config": step_config, "format": formats or _formats(), "profile": False}
    headers = {**run_headers(), "Fused-Run-Id": run_id}
    path = "run/udf/start" + (f"/tiles/{tile['z']}/{tile['x']}/{tile['y']}" if tile else "")
    answer = yield Send("POST", path, params=_cache_params(cache_max_age), json=body, headers=headers,
                        timeout=options.run_timeout, client=client)  # fmt: skip
    wait = _FIRST_WAIT
    while answer.status == 202:
        if is_cancelled is not None and is_cancelled():
            from concurrent.futures import CancelledError

            raise CancelledError(f"UDF run {run_id} was cancelled")
        if monotonic() - began > options.run_timeout:
            raise UdfTimeoutError(f"UDF run {run_id} timed out")
        yield wait
        wait = min(wait * 1.5, _LONGEST_WAIT)
        answer = yield Send("GET", f"run/udf/get/{run_id}", headers=headers, timeout=options.run_timeout, client=client)
    return (yield from _evaluation(answer, began, udf))


def shared(token: str, parameters: Mapping[str, Any], tile: Mapping[str, int] | None, *, cache_max_age: int | None = None,
           formats: str | None = None, profile: bool = False, run_id: str | None = None,
           client: str | None = None) -> Steps[UdfEvaluationResult]:  # fmt: skip
    """A run by a shared token. Raises what `realtime` raises; ServerNotConfiguredError where there is no server."""
    from urllib.parse import quote

    began, found = monotonic(), credentials()
    headers = {**run_headers(), "Fused-Run-Id": run_id, "Authorization": None if found is None else f"Bearer {found[1]}"}
    params = {"format": formats or _formats(), "profile": profile, "client_id": client, **_cache_params(cache_max_age),
              **query_parameters(parameters)}  # fmt: skip
    path = f"tiles/{tile['z']}/{tile['x']}/{tile['y']}" if tile else "file"
    answer = yield Send("GET", f"{shared_base_url()}/{quote(token, safe='')}/run/{path}", params=params, headers=headers,
                        timeout=options.run_timeout, is_address=True)  # fmt: skip
    return (yield from _evaluation(answer, began, None))


def _evaluation(answer: Response, began: float, udf: "Udf | None") -> Steps[UdfEvaluationResult]:
    content = None
    place = answer.headers.get("x-fused-redirect")
    if place is not None and answer.status < 400:
        content = yield Send("GET", place, timeout=options.run_timeout, is_address=True)
        if content.status >= 400:
            from .server import http_error

            raise http_error(content)
    return evaluation(answer, content=content, udf=udf, seconds=monotonic() - began)


def run_headers() -> dict[str, str]:
    """The headers of every run. Raises ValueError where runs are nested deeper than options.max_recursion_factor."""
    depth, most = (get_recursion_factor() or 0) + 1, options.max_recursion_factor
    if depth > most + 1:
        raise ValueError(f"Cannot run on the server: runs are nested {depth - 1} deep, "
                         f"and fused.options.max_recursion_factor is {most}")  # fmt: skip
    return {**(options.default_run_headers or {}), "Fused-Recursion": str(depth)}


def _formats() -> str:
    """In order of preference: of rasters, of tables, of all else."""
    return ",".join((options.default_dtype_out_raster, options.default_dtype_out_vector, options.default_dtype_out_simple))


def _cache_params(cache_max_age: int | None) -> dict[str, Any]:
    return {"cache_max_age": cache_max_age, "fused_cache_disable_stream": options.fused_cache_disable_stream or None}
