"""The instance types that a job can ask for."""

from typing import Literal, get_args

WHITELISTED_INSTANCE_TYPES = Literal[
    "m5.large",
    "m5.xlarge",
    "m5.2xlarge",
    "m5.4xlarge",
    "m5.8xlarge",
    "m5.12xlarge",
    "m5.16xlarge",
    "r5.large",
    "r5.xlarge",
    "r5.2xlarge",
    "r5.4xlarge",
    "r5.8xlarge",
    "r5.12xlarge",
    "r5.16xlarge",
    "t3.small",
    "t3.medium",
    "t3.large",
    "t3.xlarge",
    "t3.2xlarge",
    "c2-standard-4",
    "c2-standard-8",
    "c2-standard-16",
    "c2-standard-30",
    "c2-standard-60",
    "m3-ultramem-32",
    "m3-ultramem-64",
    "agent",
    "small",
    "medium",
    "large",
]
"""Instances on which jobs run."""

BATCH_INSTANCE_TYPES: tuple[str, ...] = get_args(WHITELISTED_INSTANCE_TYPES)
"""The same, as values."""
