"""Running UDFs on a server by a shared token, or by the e-mail address of their owner.

All of these give a UdfEvaluationResult, which also tells of a failure of the UDF; they raise HTTPError where the server refuses, and
ServerNotConfiguredError where there is none. `cache`, `download` and the like are those of `fused`: many UDFs name them here.
"""

from typing import TYPE_CHECKING, Any

from .._lazy import all_names as _all_names, find_name as _find_name
from .._options import options

if TYPE_CHECKING:
    from .._cache import cache
    from .._download import download, file_path
    from .._server.steps import Steps
    from .._tables_format import get_chunk_from_table, get_chunks_metadata
    from ..models.evaluation import UdfEvaluationResult

_LAZY = {
    "cache": ".._cache",
    "download": ".._download",
    "file_path": ".._download",
    "get_chunk_from_table": ".._tables_format",
    "get_chunks_metadata": ".._tables_format",
}

__all__ = [
    "cache",
    "download",
    "file_path",
    "get_chunk_from_table",
    "get_chunks_metadata",
    "run_file",
    "run_file_async",
    "run_shared_file",
    "run_shared_file_async",
    "run_shared_tile",
    "run_shared_tile_async",
    "run_tile",
    "run_tile_async",
]


def __getattr__(name: str) -> Any:
    return _find_name(globals(), _LAZY, name)


def __dir__() -> list[str]:
    return _all_names(globals(), _LAZY)


def run_shared_file(token: str, *, cache_max_age: int | None = None, _format: str | None = None, _profile: bool = False,
                    _run_id: str | None = None, **params: Any) -> "UdfEvaluationResult":  # fmt: skip
    """Runs the UDF of a shared token.

    Args:
        token: the shared token.
        cache_max_age: how old a kept result may be, in seconds; 0 is off. None is the UDF's.
        _format: the formats that the result may come in, the best first. None is that of the options.
        _profile: whether to ask where the time went.
        _run_id: an id for the run, which the server's logs show.
        params: parameters of the UDF; None is left out. `_dtype_out_vector` and `_dtype_out_raster` are the formats of tables and
            rasters.
    """
    return _drive(_shared(token, None, cache_max_age, _format, _profile, _run_id, params))


async def run_shared_file_async(
    token: str,
    *,
    cache_max_age: int | None = None,
    _format: str | None = None,
    _profile: bool = False,
    _run_id: str | None = None,
    **params: Any,
) -> "UdfEvaluationResult":
    """The same as `run_shared_file`, while other things go on."""
    return await _drive_async(_shared(token, None, cache_max_age, _format, _profile, _run_id, params))


def run_shared_tile(token: str, *, x: int, y: int, z: int, cache_max_age: int | None = None, _format: str | None = None,
                    _profile: bool = False, _client_id: str | None = None, _run_id: str | None = None,
                    **params: Any) -> "UdfEvaluationResult":  # fmt: skip
    """Runs the UDF of a shared token for the tile x, y at zoom z. The other arguments are those of `run_shared_file`.

    _client_id: the realtime client that runs it. None is the server's choice.
    """
    return _drive(_shared(token, {"x": x, "y": y, "z": z}, cache_max_age, _format, _profile, _run_id, params, _client_id))


async def run_shared_tile_async(
    token: str,
    *,
    x: int,
    y: int,
    z: int,
    cache_max_age: int | None = None,
    _format: str | None = None,
    _profile: bool = False,
    _run_id: str | None = None,
    **params: Any,
) -> "UdfEvaluationResult":
    """The same as `run_shared_tile`, while other things go on."""
    client = params.pop("_client_id", None)
    return await _drive_async(_shared(token, {"x": x, "y": y, "z": z}, cache_max_age, _format, _profile, _run_id, params, client))


def run_file(email: str, id: str | None = None, *, _dtype_out_vector: str | None = None, _dtype_out_raster: str | None = None,
             _client_id: str | None = None, **params: Any) -> "UdfEvaluationResult":  # fmt: skip
    """Runs a saved UDF.

    Args:
        email: the owner's e-mail address; without an id the name or the id of a UDF, as `fused.load` takes it.
        id: the UDF's name.
        _dtype_out_vector: the format of tables. None is that of the options.
        _dtype_out_raster: the format of rasters. None is that of the options.
        _client_id: the realtime client that runs it. None is the one of the options, or the server's.
        params: parameters of the UDF.
    """
    from .._load import load

    return _drive(_saved(load(_name(email, id)), None, _dtype_out_vector, _dtype_out_raster, _client_id, params))


async def run_file_async(
    email: str,
    id: str | None = None,
    *,
    _dtype_out_vector: str | None = None,
    _dtype_out_raster: str | None = None,
    _client_id: str | None = None,
    **params: Any,
) -> "UdfEvaluationResult":
    """The same as `run_file`, while other things go on."""
    from .._load import load_async

    udf = await load_async(_name(email, id))
    return await _drive_async(_saved(udf, None, _dtype_out_vector, _dtype_out_raster, _client_id, params))


def run_tile(
    email: str,
    id: str | None = None,
    *,
    x: int,
    y: int,
    z: int,
    _dtype_out_vector: str | None = None,
    _dtype_out_raster: str | None = None,
    _client_id: str | None = None,
    **params: Any,
) -> "UdfEvaluationResult":
    """Runs a saved UDF for the tile x, y at zoom z. The other arguments are those of `run_file`."""
    from .._load import load

    tile = {"x": x, "y": y, "z": z}
    return _drive(_saved(load(_name(email, id)), tile, _dtype_out_vector, _dtype_out_raster, _client_id, params))


async def run_tile_async(email: str, id: str | None = None, *, x: int, y: int, z: int, _dtype_out_vector: str | None = None,
                         _dtype_out_raster: str | None = None, _client_id: str | None = None,
                         **params: Any) -> "UdfEvaluationResult":  # fmt: skip
    """The same as `run_tile`, while other things go on."""
    from .._load import load_async

    udf, tile = await load_async(_name(email, id)), {"x": x, "y": y, "z": z}
    return await _drive_async(_saved(udf, tile, _dtype_out_vector, _dtype_out_raster, _client_id, params))


def _shared(
    token: str,
    tile: dict[str, int] | None,
    cache_max_age: int | None,
    formats: str | None,
    profile: bool,
    run_id: str | None,
    params: dict[str, Any],
    client: str | None = None,
) -> "Steps[UdfEvaluationResult]":
    from .._server.run import shared

    vector, raster = params.pop("_dtype_out_vector", None), params.pop("_dtype_out_raster", None)
    return shared(token, params, tile, cache_max_age=cache_max_age, formats=formats or _formats(vector, raster), profile=profile,
                  run_id=run_id, client=client)  # fmt: skip


def _saved(udf: Any, tile: dict[str, int] | None, vector: str | None, raster: str | None, client: str | None,
           params: dict[str, Any]) -> "Steps[UdfEvaluationResult]":  # fmt: skip
    from .._server.run import realtime

    given = {name: value for name, value in params.items() if value is not None}
    return realtime(udf, given, tile, formats=_formats(vector, raster), client=client)


def _name(email: str, id: str | None) -> str:
    return email if id is None else f"{email}/{id}"


def _formats(vector: str | None, raster: str | None) -> str:
    """In order of preference: of rasters, of tables, of all else."""
    rasters, tables = raster or options.default_dtype_out_raster, vector or options.default_dtype_out_vector
    return ",".join((rasters, tables, options.default_dtype_out_simple))


def _drive(steps: "Steps[UdfEvaluationResult]") -> "UdfEvaluationResult":
    from .._server.steps import drive

    return drive(steps)


async def _drive_async(steps: "Steps[UdfEvaluationResult]") -> "UdfEvaluationResult":
    from .._server.steps import drive_async

    return await drive_async(steps)
