"""What runs later or for long: fused.submit, batch jobs, schedules."""

import contextlib
import io
import time

import fused
from scenarios import equal, fails, name, printed, save, scenario, source

api = fused.api.FusedAPI()


@fused.udf
def row(n: int = 1):
    import pandas as pd

    return pd.DataFrame({"n": [n], "square": [n * n]})


@fused.udf
def square(n: int = 1):
    if n == 13:
        raise ValueError("unlucky 13")
    return n * n


@fused.udf
def slow():
    import time

    for at in range(600):
        print("tick", at)
        time.sleep(0.1)


@scenario("fused.submit of 50, in order")
def _() -> None:
    pool = fused.submit(square, [{"n": n} for n in range(20, 70)], max_workers=8, collect=False)
    equal(pool.results(), [n * n for n in range(20, 70)])
    assert pool.all_succeeded()


@scenario("fused.submit collects tables")
def _() -> None:
    frame = fused.submit(row, [{"n": n} for n in range(4)], max_workers=2)
    equal(sorted(frame.square.tolist()), [0, 1, 4, 9])


@scenario("fused.submit: one fails, the others do not")
def _() -> None:
    pool = fused.submit(square, [{"n": n} for n in (12, 13, 14)], max_retry=0, collect=False)
    pool.wait()
    equal(sorted(pool.errors()), [1])
    assert "unlucky 13" in str(pool.first_error())
    equal(pool.success(), {0: 144, 2: 196})


@scenario("fused.submit of a saved UDF")
def _() -> None:
    udf = save("return n + 1", "n: int = 1")
    equal(fused.submit(fused.load(udf.name), [{"n": n} for n in (1, 2, 3)], collect=False).results(), [2, 3, 4])


@scenario("a batch job: status, logs, results")
def _() -> None:
    udf = fused.load(source("print('at', n)\nreturn {'n': n}", "n: int = 1"))
    job = udf._to_job_step(arg_list=[{"n": 1}, {"n": 2}]).run_batch(instance_type="m5.large")
    done = job.wait_for_job(poll_interval_seconds=0.1, timeout=60)
    equal((done.job_status, done.finished_tasks), ("Done", 2))
    equal([result.data for result in job.get_results()], [{"n": 1}, {"n": 2}])
    with printed() as out:
        job.print_logs()
    assert "at 2" in out.getvalue(), out.getvalue()


@scenario("a batch job in which a task fails")
def _() -> None:
    job = square._to_job_step(arg_list=[1, 13]).run_batch(instance_type="small")
    equal(job.wait_for_job(0.1, 60).job_status, "Failed")
    equal([result.exception_class for result in job.get_results()], [None, "ValueError"])


@scenario("a batch job is cancelled while it runs")
def _() -> None:
    job = slow._to_job_step().run_batch(instance_type="small")
    until = time.monotonic() + 60
    while not any("tick" in entry["message"] for entry in job.get_logs()):
        assert time.monotonic() < until
        time.sleep(0.05)
    equal(job.cancel().job_status, "Canceled")
    assert job.get_status().terminal_status


@scenario("jobs are listed")
def _() -> None:
    job = square._to_job_step(arg_list=[2]).run_batch(instance_type="small")
    assert job.job_id in [one.id for one in api.get_jobs(5).jobs]
    job.wait_for_job(0.1, 60)


@scenario("a job that there is none of")
def _() -> None:
    fails("HTTPError", "", api.get_status, "no-such-job")


@scenario("a run on an instance")
def _() -> None:
    with contextlib.redirect_stderr(io.StringIO()):
        equal(fused.run(square, n=5, instance_type="small"), 25)


@scenario("a schedule: made, listed, read")
def _() -> None:
    udf = save("return n", "n: int = 1")
    schedule = udf.schedule(minute=5, hour=[1, 2], udf_args={"n": 9})
    equal([one.id for one in udf.get_schedule()], [schedule.id])
    assert schedule.id in [one.id for one in fused.api.schedule_list()]
    equal(api.get_cronjob(schedule.id).hour, [1, 2])


@scenario("a schedule: changed and disabled")
def _() -> None:
    schedule = save("return 1").schedule(minute=5, hour=1)
    schedule.minute, schedule.enabled = [30], False
    schedule.update()
    again = schedule.refresh_from_api()
    equal((again.minute, again.enabled), ([30], False))


@scenario("a schedule fires when it is told to")
def _() -> None:
    schedule = save("return {'n': n}", "n: int = 1").schedule(minute=5, hour=1, udf_args={"n": 9})
    run = schedule.run_now()
    equal(run.wait_for_job(0.1, 60).job_status, "Done")
    equal([result.data for result in run.get_results()], [{"n": 9}])
    assert schedule.last_run is not None


@scenario("a schedule of a UDF by its name")
def _() -> None:
    udf = save("return 1")
    schedule = fused.api.schedule_udf(udf.name, minute=6, hour=3, day_of_week=[1], enabled=False)
    equal((schedule.day_of_week, schedule.enabled), ([1], False))


@scenario("a schedule is deleted, and runs nothing without its UDF")
def _() -> None:
    udf = save("return 1")
    schedule = udf.schedule(minute=5, hour=1)
    schedule.delete()
    equal(len(udf.get_schedule()), 0)
    again = udf.schedule(minute=5, hour=1)
    udf.delete_saved()
    fails("HTTPError", "of the schedule was not found", again.run_now)


@scenario("a schedule of a UDF that there is none of")
def _() -> None:
    fails(Exception, "", fused.api.schedule_udf, name("none"), minute=1, hour=1)
