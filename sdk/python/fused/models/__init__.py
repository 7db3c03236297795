"""The classes of what this package hands out, and takes: jobs, steps of jobs, schedules, tokens, UDFs. Each is imported when first used."""

from typing import TYPE_CHECKING, Any

from .._lazy import all_names as _all_names, find_name as _find_name

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
    "api": "",
    "header": "",
    "internal": "",
    "udf": "",
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


def __getattr__(name: str) -> Any:
    return _find_name(globals(), _HOMES, name)


def __dir__() -> list[str]:
    return _all_names(globals(), _HOMES)
