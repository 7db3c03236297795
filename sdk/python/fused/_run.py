"""`fused.run`: a UDF in this interpreter, through the host in an isolate of its own, or on a server."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Union

from ._options import options
from ._run_local import evaluate, evaluate_async
from ._run_named import run_named, run_named_async
from ._run_outcome import Observed, told_by_host
from ._run_plan import Plan, load_error, make_plan
from ._udf_object import Udf
from .models._instance_types import WHITELISTED_INSTANCE_TYPES

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    import xarray as xr

    from .models.api.job import UdfJobStepConfig
    from .models.api.udf_access_token import UdfAccessToken

InstanceType = Literal[WHITELISTED_INSTANCE_TYPES, "realtime"]
"""Where a run on a server may go."""

ResultType = Union["xr.Dataset", "pd.DataFrame", "gpd.GeoDataFrame"]
"""What most UDFs give; any other value may come, too."""


def run(
    udf: "str | Udf | UdfJobStepConfig | UdfAccessToken | None" = None,
    *,
    x: int | None = None,
    y: int | None = None,
    z: int | None = None,
    sync: bool = True,
    engine: Literal["remote", "local"] | None = None,
    instance_type: InstanceType | None = None,
    type: Literal["tile", "file"] | None = None,
    max_retry: int = 0,
    cache_max_age: str | None = None,
    cache: bool = True,
    parameters: dict[str, Any] | None = None,
    disk_size_gb: int | None = None,
    _return_response: bool | None = False,
    _ignore_unknown_arguments: bool = False,
    _cancel_callback: Callable[[], bool] | None = None,
    _stream_logs: bool = False,
    **kw_parameters: Any,
) -> Any:
    """Runs a UDF and gives its result.

    Args:
        udf: a UDF object; a shared token; a name, an id or anything else that `fused.load` takes.
        x, y, z: together they make it a run of that tile.
        sync: False gives a coroutine of the result.
        engine: "local" is this interpreter, "remote" the server of `fused.options.base_url`, an instance type that instance.
            None is what the UDF says, then `fused.options.default_udf_run_engine`, then the server where there is one. Inside an
            isolate a name that the host knows runs in an isolate of its own, with no more permissions than this run.
        instance_type: "realtime", or a batch instance: a job is started, and its end waited for.
        type: "file" passes x, y and z as ordinary parameters, "tile" insists on a tile.
        max_retry: how often a run is tried again where the server fails; a failure of the UDF itself is never tried again.
        cache_max_age: how old a kept result may be: a number with s, m, h or d. "0" is off. None is the UDF's, or the server's.
        cache: False is the same as the age "0".
        parameters: parameters of the UDF; they win over keywords of the same name.
        disk_size_gb: the size of a batch instance's disk, in GB.
        kw_parameters: parameters of the UDF. `verbose=True` shows what it printed, whether it has such a parameter or not.

    What the UDF prints is dropped, unless it fails, or `verbose` or `fused.options.verbose_udf_runs` is set. With
    `fused.options.pyodide_async_requests` the result is always awaited.

    Raises ValueError for no UDF, one that cannot be loaded and a bad combination of options; TypeError for what is no UDF, for an
    unknown parameter and a missing one; UdfRuntimeError for a failure inside, UdfSerializationError for a result that cannot be
    handed back, UdfTimeoutError; PermissionDeniedError; HTTPError where a server refuses, ServerNotConfiguredError without one.
    """
    given = {**kw_parameters, **(parameters or {})}
    plan = make_plan(udf, {"x": x, "y": y, "z": z}, given, engine=engine, instance_type=instance_type, kind=type,
                     max_retry=max_retry, cache_max_age=cache_max_age, cache=cache, disk_size_gb=disk_size_gb,
                     returns_response=bool(_return_response), ignores_unknown=_ignore_unknown_arguments,
                     is_cancelled=_cancel_callback)  # fmt: skip
    if not sync or options.pyodide_async_requests:
        return _run_async(plan)
    if plan.wants_loading:
        from ._load import load

        try:
            plan.take(load(plan.udf))
        except Exception as error:
            raise load_error(error) from error
    match plan.place:
        case "local":
            return _run_here(plan)
        case "host":
            return told_by_host(plan, run_named(plan.udf, plan.given, plan.tile, plan.cache_max_age))
        case "batch":
            from ._server.batch import run_batch

            return run_batch(plan)
    from ._server.steps import drive

    return drive(plan.steps())


async def run_async(
    udf: "str | Udf | UdfJobStepConfig | UdfAccessToken | None" = None,
    *,
    x: int | None = None,
    y: int | None = None,
    z: int | None = None,
    engine: Literal["remote", "local"] | None = None,
    instance_type: InstanceType | None = None,
    type: Literal["tile", "file"] | None = None,
    max_retry: int = 0,
    cache_max_age: str | None = None,
    cache: bool = True,
    parameters: dict[str, Any] | None = None,
    disk_size_gb: int | None = None,
    _return_response: bool | None = False,
    _ignore_unknown_arguments: bool = False,
    _cancel_callback: Callable[[], bool] | None = None,
    **kw_parameters: Any,
) -> Any:
    """The same as `run`, while other things go on. A local UDF that is not asynchronous still blocks while it runs."""
    return await run(udf, x=x, y=y, z=z, sync=False, engine=engine, instance_type=instance_type, type=type, max_retry=max_retry,
                     cache_max_age=cache_max_age, cache=cache, parameters=parameters, disk_size_gb=disk_size_gb,
                     _return_response=_return_response, _ignore_unknown_arguments=_ignore_unknown_arguments,
                     _cancel_callback=_cancel_callback, **kw_parameters)  # fmt: skip


async def _run_async(plan: Plan) -> Any:
    if plan.wants_loading:
        from ._load import load_async

        try:
            plan.take(await load_async(plan.udf))
        except Exception as error:
            raise load_error(error) from error
    match plan.place:
        case "local":
            return await _run_here_async(plan)
        case "host":
            return told_by_host(plan, await run_named_async(plan.udf, plan.given, plan.tile, plan.cache_max_age))
        case "batch":
            from asyncio import to_thread

            from ._server.batch import run_batch

            return await to_thread(run_batch, plan)
    from ._server.steps import drive_async

    return await drive_async(plan.steps())


def _run_here(plan: Plan) -> Any:
    if plan.is_verbose and not plan.returns_response:
        return _value(plan)
    with Observed(plan) as observed:
        observed.value = _value(plan)
    return observed.answer()


async def _run_here_async(plan: Plan) -> Any:
    if plan.is_verbose and not plan.returns_response:
        return await _value_async(plan)
    with Observed(plan) as observed:
        observed.value = await _value_async(plan)
    return observed.answer()


def _value(plan: Plan) -> Any:
    """The result of a run in this interpreter, or a kept one where somebody wants that."""
    age = _age(plan)
    if age:
        from ._run_kept import is_asynchronous, kept

        if not is_asynchronous(plan.udf):
            return kept(plan.udf, lambda: evaluate(plan.udf, plan.given, plan.tile), [plan.given, plan.tile], age=age, label="run")
    return evaluate(plan.udf, plan.given, plan.tile)


async def _value_async(plan: Plan) -> Any:
    age = _age(plan)
    if not age:
        return await evaluate_async(plan.udf, plan.given, plan.tile)
    from ._run_kept import kept_async

    return await kept_async(plan.udf, lambda: evaluate_async(plan.udf, plan.given, plan.tile), [plan.given, plan.tile],
                            age=age, label="run")  # fmt: skip


def _age(plan: Plan) -> int | None:
    """How old a kept result may be, in seconds: as the call says, else the UDF. None and 0: it is run."""
    if not options.local_engine_cache:
        return None
    return plan.udf.cache_max_age if plan.cache_max_age is None else plan.cache_max_age
