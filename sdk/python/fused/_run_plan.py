"""What a call of `fused.run` comes to: what is run, where, and with what."""

from collections.abc import Callable
from time import perf_counter
from typing import Any, Literal

from . import _host
from ._age import parse_age
from ._exceptions import PermissionDeniedError, UdfRuntimeError, UdfSerializationError, parameter_error
from ._options import options
from ._udf_object import Udf

Place = Literal["local", "host", "realtime", "token", "batch"]
"""This interpreter, an isolate of its own, a server's realtime client, a server by a shared token, a batch instance."""


class Plan:
    """A run before it begins. `take` and `place` are settled once a UDF that was named has been loaded."""

    def __init__(self, udf: Any, given: dict[str, Any], tile: dict[str, int] | None) -> None:
        self.began = perf_counter()
        self.udf: Any = udf
        self.given = given
        self.tile = tile
        self.engine: str | None = None
        self.instance_type: str | None = None
        self.disk_size_gb: int | None = None
        self.cache_max_age: int | None = None
        self.max_retry = 0
        self.is_verbose = False
        self.returns_response = False
        self.ignores_unknown = False
        self.is_cancelled: Callable[[], bool] | None = None
        self.place: Place = "local"
        self.wants_loading = False

    def take(self, udf: Udf) -> None:
        """Settles where the UDF runs. Raises ValueError for what does not go together, TypeError for an unknown parameter."""
        self.udf = udf
        self.wants_loading = False
        if (name := udf._host_name()) is not None:
            self.udf, self.place = name, "host"
            self._take_verbose()
            return
        self.place = self._place_of(udf)
        if self.disk_size_gb is not None and self.place != "batch":
            raise ValueError("Specifying disk size is only supported for batch instance types.")
        if self.place == "batch" and self.tile is not None:
            raise ValueError("Cannot run a tile on a batch instance: leave x, y and z out, or say type='file'")
        if "verbose" in self.given or self.place != "local":
            self._check_parameters(udf)

    def _take_verbose(self) -> None:
        """For a UDF of which the parameters are not known here: `verbose` is ours."""
        self.is_verbose = bool(self.given.pop("verbose", self.is_verbose))

    def _place_of(self, udf: Udf) -> Place:
        if self.instance_type is None and self.engine is None and udf.engine is not None:
            self.engine, self.instance_type = _engine_of(udf.engine, None)
            self.disk_size_gb = udf.disk_size_gb if self.disk_size_gb is None else self.disk_size_gb
        if self.instance_type not in (None, "realtime"):
            return "batch"
        is_remote = self.instance_type is not None or (self.engine or default_engine()) == "remote"
        return "realtime" if is_remote and not is_on_server() else "local"

    def _check_parameters(self, udf: Udf) -> None:
        from ._bind import unknown_parameter
        from ._run_local import declared_parameters

        declared = declared_parameters(udf)
        self.is_verbose = bool(self.given.get("verbose", self.is_verbose))
        if declared is not None and "verbose" not in declared:
            self.given.pop("verbose", None)
        unknown = next((name for name in self.given if name not in declared), None) if declared is not None else None
        if unknown is not None and self.place != "local" and not self.ignores_unknown:
            problem = unknown_parameter(udf.name, udf.entrypoint, unknown, declared)
            raise parameter_error(problem.message, problem.raised)

    def steps(self) -> Any:
        """The conversation with the server, for `drive` and `drive_async`: it ends with the result, or the whole outcome."""
        from uuid import uuid4

        from ._server.results import show_output, value_of
        from ._server.run import realtime, shared

        tried, run_id = 0, str(uuid4())
        while True:
            try:
                if self.place == "token":
                    outcome = yield from shared(self.udf, self.given, self.tile, cache_max_age=self.cache_max_age)
                else:
                    outcome = yield from realtime(self.udf, self.given, self.tile, cache_max_age=self.cache_max_age,
                                                  run_id=run_id, is_cancelled=self.is_cancelled)  # fmt: skip
                if self.returns_response:
                    return outcome
                show_output(outcome, self.is_verbose)
                return value_of(outcome)
            except _FINAL:
                raise
            except Exception as error:
                if tried >= self.max_retry:
                    raise
                wait = options.request_retry_base_delay * 2**tried
                _warn(f"UDF execution failed, retrying in {wait} seconds (error: {error})")
            tried += 1
            yield float(wait)


# To try again would come to the same.
_FINAL = (UdfRuntimeError, UdfSerializationError, PermissionDeniedError, ValueError, TypeError, ImportError)


def make_plan(udf: Any, place: dict[str, int | None], given: dict[str, Any], *, engine: str | None, instance_type: str | None,
              kind: str | None, max_retry: int, cache_max_age: str | int | None, cache: bool, disk_size_gb: int | None,
              returns_response: bool, ignores_unknown: bool, is_cancelled: Callable[[], bool] | None) -> Plan:  # fmt: skip
    """Checks what `fused.run` was given. Raises ValueError and TypeError."""
    if udf is None:
        raise ValueError("No UDF specified")
    if not isinstance(udf, Udf | str):
        udf, given = _unwrapped(udf, given)
    if instance_type is not None and (engine or options.default_udf_run_engine) == "local":
        raise ValueError("Specifying an instance type is only supported for the 'remote' engine.")
    engine, instance_type = _engine_of(engine, instance_type)
    if not cache and cache_max_age is not None:
        raise ValueError("Cannot specify both `cache_max_age` and `cache=False`")
    if kind not in (None, "tile", "file"):
        raise ValueError(f"Cannot use type: it must be 'tile' or 'file': received {kind!r}")
    coordinates = {name: value for name, value in place.items() if value is not None}
    if kind == "tile" and len(coordinates) < 3:
        raise ValueError("x, y, z not specified but type is 'tile', which is an invalid configuration. "
                         "You must specify x, y, and z.")  # fmt: skip
    tile = coordinates if len(coordinates) == 3 and kind != "file" else None
    plan = Plan(udf, given if tile else {**coordinates, **given}, tile)
    plan.engine, plan.instance_type, plan.disk_size_gb = engine, instance_type, disk_size_gb
    plan.cache_max_age = parse_age(cache_max_age) if cache else 0
    plan.max_retry, plan.is_cancelled = max_retry, is_cancelled
    plan.is_verbose, plan.returns_response, plan.ignores_unknown = options.verbose_udf_runs, returns_response, ignores_unknown
    if isinstance(udf, Udf):
        plan.take(udf)
    else:
        _settle_text(plan, udf)
    return plan


def _settle_text(plan: Plan, udf: str) -> None:
    """Whether a text is a token that runs without being loaded, or something to load."""
    from ._load_server import is_token

    has_server = bool(options.base_url or options.shared_udf_base_url)
    if is_token(udf) and plan.engine != "local" and (has_server or not _host.connected()):
        if plan.instance_type not in (None, "realtime") or plan.disk_size_gb is not None:
            raise ValueError("UDF shared tokens can only be run with the 'realtime' instance type")
        plan._take_verbose()
        plan.place = "token"
    elif is_token(udf) and not has_server:
        plan._take_verbose()
        plan.place = "host"
    else:
        plan.wants_loading = True


def default_engine() -> str:
    """Where UDFs run by default: as the option says, else on the server where there is one. Raises ValueError."""
    chosen = options.default_udf_run_engine
    if chosen is None:
        return "remote" if options.base_url else "local"
    return _engine_of(chosen, None)[0] or "remote"


def is_on_server() -> bool:
    """Whether this run is one of a server, and no other is named: "remote" is here, then."""
    if options.base_url or not _host.can_wait():
        return False
    from .context import in_batch, in_realtime

    return in_realtime() or in_batch()


def _engine_of(engine: str | None, instance_type: str | None) -> tuple[str | None, str | None]:
    """An engine ("local", "remote" or None) and an instance type; an engine may be an instance type. Raises ValueError."""
    if instance_type is None:
        if engine in (None, "local", "remote"):
            return engine, None
        if engine == "realtime":
            return "remote", None
    from .models._instance_types import BATCH_INSTANCE_TYPES

    if instance_type not in (None, "realtime", *BATCH_INSTANCE_TYPES):
        raise ValueError("Invalid instance type specified. Must be 'realtime', or one of the whitelisted instance types "
                         f"({list(BATCH_INSTANCE_TYPES)}).")  # fmt: skip
    if engine in BATCH_INSTANCE_TYPES and instance_type in (None, engine):
        return "remote", engine
    if engine not in (None, "local", "remote", "realtime"):
        raise ValueError("Invalid engine specified. Must be 'local' or 'remote'.")
    return "remote" if engine == "realtime" else engine, instance_type


def _unwrapped(udf: Any, given: dict[str, Any]) -> tuple[Udf | str, dict[str, Any]]:
    """The UDF of a job's step, or the token of a token object. Raises TypeError for anything else."""
    from .models.api.job import UdfJobStepConfig
    from .models.api.udf_access_token import UdfAccessToken

    if isinstance(udf, UdfAccessToken):
        return udf.token, given
    if isinstance(udf, UdfJobStepConfig):
        return udf.udf, given
    raise TypeError("Could not detect UDF from first parameter. It should be a string or Udf object.")


def load_error(error: Exception) -> Exception:
    """What is raised where a UDF cannot be loaded; a denial stays one."""
    if isinstance(error, PermissionDeniedError):
        return error
    return ValueError('Could not load UDF. Make sure the UDF is available locally when using `engine="local"`.\n'
                      f'Error loading the UDF: "{error}"')  # fmt: skip


def _warn(message: str) -> None:
    from warnings import warn

    from .warnings import FusedWarning

    warn(message, FusedWarning, stacklevel=3)
