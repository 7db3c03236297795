"""The models whose methods ask a server: steps of jobs, schedules, tokens, files. Each is loaded when first asked for."""

from typing import TYPE_CHECKING, Any

from ..._lazy import all_names as _all_names, find_name as _find_name

if TYPE_CHECKING:
    from ._cronjob import CronJob, CronJobSequence
    from ._list import ListDetails
    from .collection import AccessScope, Collection, SessionToken, SharedUdfUrl
    from .job import (
        GDALOpenConfig,
        GeospatialPartitionJobStepConfig,
        JobConfig,
        JobStepConfig,
        NonGeospatialPartitionJobStepConfig,
        PartitionJobStepConfig,
        UdfJobStepConfig,
    )
    from .udf_access_token import UdfAccessToken, UdfAccessTokenList

_HOMES = {
    "AccessScope": ".collection",
    "Collection": ".collection",
    "CronJob": "._cronjob",
    "CronJobSequence": "._cronjob",
    "GDALOpenConfig": ".job",
    "GeospatialPartitionJobStepConfig": ".job",
    "JobConfig": ".job",
    "JobStepConfig": ".job",
    "ListDetails": "._list",
    "NonGeospatialPartitionJobStepConfig": ".job",
    "PartitionJobStepConfig": ".job",
    "SessionToken": ".collection",
    "SharedUdfUrl": ".collection",
    "UdfAccessToken": ".udf_access_token",
    "UdfAccessTokenList": ".udf_access_token",
    "UdfJobStepConfig": ".job",
}

__all__ = [
    "AccessScope",
    "Collection",
    "CronJob",
    "CronJobSequence",
    "GDALOpenConfig",
    "GeospatialPartitionJobStepConfig",
    "JobConfig",
    "JobStepConfig",
    "ListDetails",
    "NonGeospatialPartitionJobStepConfig",
    "PartitionJobStepConfig",
    "SessionToken",
    "SharedUdfUrl",
    "UdfAccessToken",
    "UdfAccessTokenList",
    "UdfJobStepConfig",
]


def __getattr__(name: str) -> Any:
    return _find_name(globals(), _HOMES, name)


def __dir__() -> list[str]:
    return _all_names(globals(), _HOMES)
