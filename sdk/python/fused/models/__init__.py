"""The classes of what this package hands out, and takes: jobs, steps of jobs, schedules, tokens, UDFs. Each is imported when first used."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api.job import (
        GeospatialPartitionJobStepConfig,
        JobConfig,
        JobStepConfig,
        NonGeospatialPartitionJobStepConfig,
        PartitionJobStepConfig,
        UdfJobStepConfig,
    )
    from .api.udf_access_token import UdfAccessToken, UdfAccessTokenList
    from .evaluation import UdfEvaluationResult
    from .header import Header
    from .internal.job import JobResponse, Jobs, RunResponse
    from .udf import Udf

_HOMES = {
    "GeospatialPartitionJobStepConfig": ".api.job",
    "Header": ".header",
    "JobConfig": ".api.job",
    "JobResponse": ".internal.job",
    "JobStepConfig": ".api.job",
    "Jobs": ".internal.job",
    "NonGeospatialPartitionJobStepConfig": ".api.job",
    "PartitionJobStepConfig": ".api.job",
    "RunResponse": ".internal.job",
    "Udf": ".udf",
    "UdfAccessToken": ".api.udf_access_token",
    "UdfAccessTokenList": ".api.udf_access_token",
    "UdfEvaluationResult": ".evaluation",
    "UdfJobStepConfig": ".api.job",
}

__all__ = [
    "GeospatialPartitionJobStepConfig",
    "Header",
    "JobConfig",
    "JobResponse",
    "JobStepConfig",
    "Jobs",
    "NonGeospatialPartitionJobStepConfig",
    "PartitionJobStepConfig",
    "RunResponse",
    "Udf",
    "UdfAccessToken",
    "UdfAccessTokenList",
    "UdfEvaluationResult",
    "UdfJobStepConfig",
]


_MODULES = ("api", "header", "internal", "udf")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
