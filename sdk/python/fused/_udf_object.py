"""The UDF as an object."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from ._udf_saved import SavedUdf
from ._udf_source import positional_parameters

if TYPE_CHECKING:
    import pandas as pd

    from ._submit import JobPool
    from .models.evaluation import UdfEvaluationResult


class Udf(SavedUdf):
    """A user-defined function: its code and what a run of it needs. Calling it runs it: alone, without the module around it.

    `@fused.udf` and `fused.load` make one. A name that is no field is a global of its module, which is run for that once
    (`udf.helper(1)`), unless `import_globals` is False or `fused.options.never_import` is set.

    Raises ValidationError (a ValueError) for a field that is missing or wrong.
    """

    @classmethod
    def _of_function(cls, function: Any, **fields: Any) -> "Udf":
        """One of a decorated function. Its code is read when it is first asked for."""
        udf = cls(code="", entrypoint=getattr(function, "__name__", "udf"), **fields)
        own = vars(udf)
        del own["code"]
        own["_function"] = function
        own["__doc__"] = getattr(function, "__doc__", None)
        return udf

    @classmethod
    def _of_name(cls, name: str) -> "Udf":
        """One that the host knows by its name, and runs: its code is not here."""
        udf = cls(name=name, code="", entrypoint=name, import_globals=False)
        vars(udf)["_known_to_host"] = name
        return udf

    def __call__(
        self, *args: Any, engine: str | None = None, cache_max_age: str | None = None, cache: bool = True, **kwargs: Any
    ) -> Any:
        """Runs the UDF in a namespace of its own and gives its result.

        Positional arguments go to the declared parameters in their order; `engine`, `cache_max_age` and `cache` are those of
        `fused.run`.
        Raises TypeError for arguments that it does not declare or that are given twice, and what `fused.run` raises.
        """
        from ._run import run

        names = positional_parameters(self) if args else []
        if len(args) > len(names):
            raise TypeError(f"UDF {self.name} has {len(names)} parameters, but got {len(args)} positional arguments")
        given = dict(zip(names, args, strict=False))
        for name in names[: len(args)]:
            if name in kwargs:
                raise TypeError(f"UDF {self.name} got multiple values for argument {name}")
        # An instance type is an engine here.
        options: dict[str, Any] = {"engine": engine}
        return run(self, cache_max_age=cache_max_age, cache=cache, parameters={**given, **kwargs}, **options)

    def map(
        self,
        arg_list: "Sequence[Any] | pd.DataFrame",
        *,
        engine: str | None = None,
        max_workers: int | None = None,
        worker_concurrency: int | None = None,
        max_retry: int = 2,
        debug_mode: bool = False,
        cache_max_age: str | None = None,
        run_cache_max_age: str | int | None = None,
        cache: bool = True,
        _before_run: float | None = None,
        _before_submit: float | None = 0.01,
        _isolate_streams: bool = True,
        **kwargs: Any,
    ) -> "JobPool":
        """Runs it once for each item of `arg_list` and gives the pool of the runs: `fused.submit(…, collect=False)`.

        An item is the value of the first parameter, or a dict of parameters; `kwargs` are the same in all runs.
        `worker_concurrency` is how many runs one worker has at a time. Raises what `fused.submit` raises.
        """
        from ._submit import submit

        return submit(self, arg_list, engine=engine, max_workers=max_workers, n_processes_per_worker=worker_concurrency,
                      max_retry=max_retry, debug_mode=debug_mode, collect=False, cache_max_age=cache_max_age,
                      run_cache_max_age=run_cache_max_age, cache=cache, _before_run=_before_run, _before_submit=_before_submit,
                      _isolate_streams=_isolate_streams, **kwargs)  # fmt: skip

    async def map_async(self, arg_list: Any, *, engine: str | None = None, max_workers: int | None = None,
                        cache_max_age: str | None = None, cache: bool = True, max_retry: int = 2) -> "JobPool":  # fmt: skip
        """The same in a pool whose runs are tasks of the running event loop."""
        from ._submit import submit

        return submit(self, arg_list, engine=engine, max_workers=max_workers, max_retry=max_retry, collect=False,
                      execution_type="async_loop", cache_max_age=cache_max_age, cache=cache)  # fmt: skip

    def run_local(self, *, inplace: bool = False, validate_imports: bool | None = None, **kwargs: Any) -> "UdfEvaluationResult":
        """Runs it here and gives the whole outcome; a failure is in the result and is not raised.

        Keywords that the UDF does not declare are ignored. `inplace` puts this object into the result, else it is a copy.
        `validate_imports` is taken and ignored.
        """
        from ._run import run
        from ._run_local import declared_parameters

        udf = self if inplace else self.model_copy()
        declared = declared_parameters(udf)
        given = kwargs if declared is None else {name: value for name, value in kwargs.items() if name in declared}
        return run(udf, engine="local", parameters=given, _return_response=True)

    def set_parameters(self, parameters: dict[str, Any], replace_parameters: bool = False, inplace: bool = False) -> Self:
        """A copy with these default parameters on top of those it has; with `replace_parameters` instead of them.

        `inplace` changes this object. Raises TypeError for no dict.
        """
        merged = {**parameters} if replace_parameters else {**self.parameters, **parameters}
        udf = self if inplace else self.model_copy()
        udf.parameters = merged
        return udf

    def eval_schema(self, inplace: bool = False) -> Self:
        """A copy after its code has been run, so that a mistake at module level is found now. `inplace` gives this object.

        Raises what the code raises.
        """
        from ._udf_globals import module_globals

        udf = self if inplace else self.model_copy()
        vars(udf)["_globals"] = module_globals(udf, fresh=True)
        return udf

    @classmethod
    def from_gist(cls, gist_id: str) -> "Udf":
        """The UDF of a GitHub gist: what `to_directory` writes, or one Python file.

        Raises ValueError where the gist holds no UDF, HTTPError where it cannot be read.
        """
        from ._load_server import load_gist

        return load_gist(gist_id)

    @property
    def utils(self) -> Any:
        """The header module called `utils`. Raises ValueError where it has none."""
        if not any(header.module_name == "utils" for header in self.headers):
            raise ValueError("UDF does not have a utils module")
        import importlib

        with self._importable():
            return importlib.import_module("utils")
