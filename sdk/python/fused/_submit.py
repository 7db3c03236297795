"""`fused.submit`: many runs of one UDF."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any, Literal, overload

from . import _host
from ._age import parse_age
from ._exceptions import UdfSelfRecursionError
from ._submit_arguments import ExecutionType, read_arg_list, read_execution_type, read_max_workers, read_udf
from ._submit_future import Future, Status
from ._submit_pool import JobPool
from ._submit_runs import Runner
from ._udf import Udf

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ExecutionType", "Future", "JobPool", "Status", "submit"]

# Of collected results, where neither the call nor the UDF says: 48 hours.
_DEFAULT_AGE = 48 * 3600
_REALTIME = (None, "local", "remote", "realtime")


@overload
def submit(udf: Any, arg_list: Any, *, engine: str | None = None, instance_type: str | None = None, max_workers: int | None = None,
           n_processes_per_worker: int | None = None, max_retry: int = 2, debug_mode: bool = False, collect: Literal[False],
           execution_type: str = "thread_pool", cache_max_age: str | int | None = None, run_cache_max_age: str | int | None = None,
           cache: bool = True, ignore_exceptions: bool = False, flatten: bool = True, _before_run: float | None = None,
           _before_submit: float | None = 0.01, _isolate_streams: bool = True, drop_index: bool = False,
           **kwargs: Any) -> JobPool: ...  # fmt: skip
@overload
def submit(udf: Any, arg_list: Any, *, engine: str | None = None, instance_type: str | None = None, max_workers: int | None = None,
           n_processes_per_worker: int | None = None, max_retry: int = 2, debug_mode: bool = False, collect: bool = True,
           execution_type: str = "thread_pool", cache_max_age: str | int | None = None, run_cache_max_age: str | int | None = None,
           cache: bool = True, ignore_exceptions: bool = False, flatten: bool = True, _before_run: float | None = None,
           _before_submit: float | None = 0.01, _isolate_streams: bool = True, drop_index: bool = False,
           **kwargs: Any) -> pd.DataFrame | Any: ...  # fmt: skip
def submit(
    udf: Any,
    arg_list: Any,
    *,
    engine: str | None = None,
    instance_type: str | None = None,
    max_workers: int | None = None,
    n_processes_per_worker: int | None = None,
    max_retry: int = 2,
    debug_mode: bool = False,
    collect: bool = True,
    execution_type: str = "thread_pool",
    cache_max_age: str | int | None = None,
    run_cache_max_age: str | int | None = None,
    cache: bool = True,
    ignore_exceptions: bool = False,
    flatten: bool = True,
    _before_run: float | None = None,
    _before_submit: float | None = 0.01,
    _isolate_streams: bool = True,
    drop_index: bool = False,
    **kwargs: Any,
) -> JobPool | pd.DataFrame | Any:
    """Runs a UDF once for each entry of `arg_list`, several at a time: a frame of all results, or with `collect=False` their pool.

    Inside an isolate, each run has one of the host's isolates for itself, with what this run may do and never more. A UDF of this
    file needs no permission for that; one that the host knows by a name needs `run` for the name.

    udf: a Udf object, a function, or a name.
    arg_list: values of the first parameter, or dicts of parameters, or a DataFrame with a column for each parameter.
    engine: "local" or "remote"; default: the UDF's, else `fused.options.default_udf_run_engine`.
    instance_type: the same, of batch runs.
    max_workers: runs under way at once; default 32, at most 1024. Isolates that are there bound it, too.
    n_processes_per_worker: runs at once in one worker; remote engines only.
    max_retry: how often what failed is run again, while somebody waits for it.
    debug_mode: runs the first entry alone, with `fused.run`, and gives its result.
    execution_type: "thread_pool" or "async_loop".
    cache_max_age: how old a collected result may be that is taken in place of new runs: seconds, or a number with s, m, h or d
        ("12h"). Default: the UDF's, else 48 hours. It is kept where the host grants `cache`.
    cache: False neither takes nor keeps one.
    run_cache_max_age: the same for each run, where the engine keeps them; default: `cache_max_age`.
    ignore_exceptions: leaves out what failed in place of raising the first failure.
    flatten: puts results that are frames below each other; False has all results in a column `result`.
    drop_index: numbers the rows by position, in place of an index of the arguments.
    kwargs: parameters that are the same in all runs; they win over those of `arg_list`.

    Raises ValueError for an empty list, values for a UDF without parameters, and options that do not exist or do not go together;
    TypeError for what is no UDF and no list; UdfSelfRecursionError where the UDF submits itself; NotImplementedError for collecting
    batch runs; and with `collect` what the runs raise.
    """
    udf = read_udf(udf, arg_list)
    read_execution_type(execution_type)
    if not cache and cache_max_age is not None:
        raise ValueError("Cannot use cache_max_age together with cache=False")
    if engine is not None and instance_type is not None:
        raise ValueError("Cannot use engine together with instance_type: they mean the same")
    age = parse_age(cache_max_age)
    run_age = parse_age(run_cache_max_age) if run_cache_max_age is not None else age
    engine = instance_type or engine or (udf.engine if isinstance(udf, Udf) else None)
    is_batch = engine not in _REALTIME
    if is_batch and engine not in _instance_types():
        raise ValueError(f"Cannot submit: engine must be 'local', 'remote' or an instance type: received {engine!r}")
    workers = read_max_workers(max_workers, is_batch=is_batch)
    arguments = read_arg_list(udf, arg_list)
    if isinstance(udf, Udf) and _is_running(udf):
        raise UdfSelfRecursionError("Cannot submit the UDF that is running: it would submit itself again and again")
    if debug_mode:
        return _run_one(udf, {**arguments[0], **kwargs}, _run_options(engine, cache, run_age))
    if is_batch:
        return _batch(udf, arguments, kwargs, max_workers=workers, collect=collect,
                      options={"instance_type": engine, "cache_max_age": age if cache else 0})  # fmt: skip
    if engine in ("remote", "realtime"):
        from ._run_plan import is_on_server

        engine = None if is_on_server() else "remote"
    if n_processes_per_worker is not None and n_processes_per_worker > 1:
        warnings.warn("n_processes_per_worker is of no use here: each worker has one run at a time", stacklevel=2)

    def open_pool() -> JobPool:
        runner = _open_runner(udf, kwargs, workers, execution_type, _run_options(engine, cache, run_age))
        return JobPool(udf, arguments, runner, max_retry=max_retry, starts=not _host.connected() or _host.can_wait())

    if not collect:
        return open_pool()

    def compute() -> Any:
        return open_pool().collect(ignore_exceptions=ignore_exceptions, flatten=flatten, drop_index=drop_index)

    if not cache or isinstance(udf, str):
        return compute()
    is_asked = age is not None
    if age is None:
        age = udf.cache_max_age if udf.cache_max_age is not None else _DEFAULT_AGE
    from ._run_kept import kept

    key = [arguments, kwargs, engine, ignore_exceptions, flatten, drop_index]
    return kept(udf, compute, key, age=age, label="submit", is_asked=is_asked)


def _is_running(udf: Udf) -> bool:
    """Whether it is the UDF whose run this is: of the module that runs, the entrypoint."""
    from ._run_local import running

    function = vars(udf).get("_function")
    module, entrypoint = running()
    return module is not None and getattr(function, "__globals__", None) is module.__dict__ and udf.entrypoint == entrypoint


def _instance_types() -> tuple[str, ...]:
    from .models._instance_types import BATCH_INSTANCE_TYPES

    return BATCH_INSTANCE_TYPES


def _run_options(engine: str | None, cache: bool, age: int | None) -> dict[str, Any]:
    options: dict[str, Any] = {"engine": engine, "cache": cache}
    return {**options, "cache_max_age": age} if age is not None and cache else options


def _run_one(udf: Udf | str, arguments: dict[str, Any], options: dict[str, Any]) -> Any:
    from ._run import run

    return run(udf, parameters=arguments, **options)


def _open_runner(udf: Udf | str, constants: dict[str, Any], max_workers: int, execution_type: str,
                 options: dict[str, Any]) -> Runner:  # fmt: skip
    """Who runs it: the host in further isolates, or this Python."""
    if _host.connected() and options["engine"] in (None, "local"):
        from ._submit_isolates import IsolateRunner

        return IsolateRunner(udf, constants, max_workers)
    from ._submit_threads import AsyncRunner, ProcessRunner, SerialRunner, ThreadRunner

    def run_set(arguments: dict[str, Any], **more: Any) -> Any:
        return _run_one(udf, {**arguments, **constants}, {**options, **more})

    # There are no threads in a browser's Python.
    if sys.platform == "emscripten":
        return SerialRunner(run_set)
    if execution_type == "async_loop":
        return AsyncRunner(lambda arguments: run_set(arguments, sync=False), max_workers)
    from ._options import options as settings

    if options["engine"] == "local" and settings.use_process_pool_for_local_submit:
        return ProcessRunner(udf, constants, options, max_workers)
    return ThreadRunner(run_set, max_workers)


def _batch(udf: Udf | str, arguments: list[dict[str, Any]], constants: dict[str, Any], *, max_workers: int, collect: bool,
           options: dict[str, Any]) -> JobPool:  # fmt: skip
    from ._submit_batch import BatchRunner

    if isinstance(udf, str):
        from ._load import load

        udf = load(udf)
    pool = JobPool(udf, arguments, BatchRunner(udf, constants, options, max_workers))
    if collect:
        raise NotImplementedError("Cannot collect batch runs: they have been sent; use collect=False, and results() of the pool")
    return pool
