"""What the published client does with jobs and schedules, against the server that the command line names."""

import contextlib
import io
import sys
import time

import fused

url = sys.argv[1]
fused.options.base_url = f"{url}/server/v1"
fused.options.shared_udf_base_url = url
api = fused.api.FusedAPI()


def printed(function, *args, **kwargs):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        function(*args, **kwargs)
    return out.getvalue()


@fused.udf
def hello(n: int = 1, text: str = "x"):
    print("hello", n)
    return {"n": n, "text": text}


@fused.udf
def fails(n: int = 1):
    if n == 2:
        raise ValueError("no twos")
    return n


@fused.udf
def slow():
    import time

    for i in range(600):
        print("tick", i)
        time.sleep(0.1)


# A job of three tasks: two dicts of parameters, and a value for the first parameter.
job = hello._to_job_step(arg_list=[{"n": 1}, {"n": 2, "text": "y"}, 3]).run_batch(instance_type="m5.large")
assert (job.job_name, job.instance_type, job.total_tasks) == ("hello", "m5.large", 3), job
done = job.wait_for_job(poll_interval_seconds=0.1, timeout=60)
assert (done.job_status, done.status, done.finished_tasks) == ("Done", "terminated", 3), done
assert [result.data for result in job.get_results()] == [
    {"n": 1, "text": "x"},
    {"n": 2, "text": "y"},
    {"n": 3, "text": "x"},
]
assert job.get_results(1).data == {"n": 2, "text": "y"}
assert "[2] hello 3\n" in printed(job.print_logs)
assert "Job is not running (terminated)" in printed(job.tail_logs, timeout=10)
assert job.get_logs(since_ms=job.get_logs()[-1]["timestamp"]) == []
assert job.get_exec_time().total_seconds() >= 0
assert api.get_job_config(job).steps[0].input == [{"n": 1}, {"n": 2, "text": "y"}, 3]
assert [one.id for one in api.get_jobs(5).jobs] == [job.job_id]

# One that fails: the results of its tasks say which and why.
job = fails._to_job_step(arg_list=[1, 2]).run_batch(instance_type="small")
assert job.wait_for_job(0.1, 60).job_status == "Failed"
first, second = job.get_results()
assert (first.data, first.has_exception) == (1, False), first
assert (second.data, second.has_exception, second.exception_class) == (None, True, "ValueError"), second
assert second.error_message == "ValueError: no twos", second.error_message

# One that is cancelled while its log is followed.
job = slow._to_job_step().run_batch(instance_type="small")
while not any("tick 2" in entry["message"] for entry in job.get_logs()):
    time.sleep(0.05)
try:
    printed(job.tail_logs, refresh_seconds=0.1, sample_logs=False, timeout=0.5)
except TimeoutError:
    pass
assert job.cancel().job_status == "Canceled"
assert job.get_status().terminal_status

# Runs on an instance, one and many.
assert fused.run(hello, n=5, instance_type="small") == {"n": 5, "text": "x"}
pool = fused.submit(hello, [{"n": i} for i in range(4)], instance_type="small", max_workers=2, collect=False)
printed(pool.tail, timeout=60)
assert pool.all_succeeded()
assert [one["n"] for one in pool.results()] == [0, 1, 2, 3]

# A schedule.
hello.to_fused(overwrite=True)
schedule = hello.schedule(minute=5, hour=[1, 2], udf_args={"n": 9})
assert [one.id for one in hello.get_schedule()] == [schedule.id]
again = fused.api.schedule_udf(hello, minute=6, hour=3, day_of_week=[1], enabled=False)
assert again.id == schedule.id
assert [(one.minute, one.hour, one.enabled) for one in fused.api.schedule_list()] == [([6], [3], False)]
schedule.minute = [30]
schedule.update()
assert schedule.refresh_from_api().minute == [30]
assert type(schedule).from_id(schedule.id).day_of_week == list(range(7))
run = schedule.run_now()
assert schedule.last_run is not None
assert run.wait_for_job(0.1, 60).job_status == "Done"
assert [result.data for result in run.get_results()] == [{"n": 9, "text": "x"}]
schedule.delete()
assert len(fused.api.schedule_list()) == 0
