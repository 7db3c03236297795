"""A run on a batch instance: a job is started, and its end waited for."""

from typing import Any

from .._global_api import get_api
from .._run_plan import Plan
from ..models.api.job import UdfJobStepConfig
from .parameters import json_value
from .results import show_output, value_of


def run_batch(plan: Plan) -> Any:
    """The first result of the job, or its whole outcome where the plan says so; None where it has none. Prints the job's id.

    Raises RuntimeError where the job did not end well, and what a run raises.
    """
    api = get_api()
    step = UdfJobStepConfig(udf=plan.udf.set_parameters(json_value(plan.given)), name=plan.udf.name)
    job = api.start_job(step, instance_type=plan.instance_type, disk_size_gb=plan.disk_size_gb, region=plan.udf.region,
                        additional_env=None, cache_max_age=plan.cache_max_age)  # fmt: skip
    print(f"Batch job started with ID: {job.job_id}")
    job = api.wait_for_job(job)
    if job.job_status != "Done":
        raise RuntimeError(f"Batch job {job.job_id} has no result: its status is {job.job_status}; "
                           f"fused.api.job_print_logs({job.job_id!r}) shows its logs")  # fmt: skip
    results = api.get_job_results(job)
    if not results:
        return None
    if plan.returns_response:
        return results[0]
    show_output(results[0], plan.is_verbose)
    return value_of(results[0])
