"""`fused.submit` and its pools in this Python: what the published client does not show, or does otherwise."""

import asyncio
import subprocess
import sys
import threading
import time
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

import fused
from fused._submit import JobPool

pytestmark = pytest.mark.skipif(sys.platform == "emscripten", reason="there are no threads")


@fused.udf
def product(x: int, k: int = 1):
    return x * k


@fused.udf
def failing(x: int):
    print("before", x)
    if x == 1:
        raise KeyError("boom")
    return x


@fused.udf
def slow(x: float):
    import time

    time.sleep(x)
    return x


@fused.udf
def meeting(x: float):
    import threading
    import time

    threading.all_of_the_test.wait(20)
    time.sleep(x)
    return x


@fused.udf
async def later(x: int):
    import asyncio

    await asyncio.sleep(0.01)
    return x + 1


def test_the_names_are_where_the_reference_has_them():
    assert "submit" in fused.__all__
    assert fused.submit.__module__ == "fused._submit"
    assert isinstance(fused.submit(product, [1], collect=False), JobPool)


def test_runs_are_under_way_at_once_and_results_in_order(monkeypatch):
    # None goes on before all are there.
    monkeypatch.setattr(threading, "all_of_the_test", threading.Barrier(4), raising=False)
    pool = fused.submit(meeting, [0.3, 0.2, 0.1, 0.2], collect=False, execution_type="thread_pool")
    assert pool.results() == [0.3, 0.2, 0.1, 0.2]


def test_async_udfs_are_awaited_in_one_loop():
    assert fused.submit(later, [1, 2, 3], collect=False, execution_type="async_loop").results() == [2, 3, 4]


def test_no_more_than_max_workers_run():
    pool = fused.submit(slow, [0.1] * 5, collect=False, max_workers=2)
    while not pool.running():
        time.sleep(0.005)
    assert len(pool.running()) <= 2
    assert len(pool.pending()) >= 3
    pool.wait()
    assert pool.status().to_dict() == {"success": 5}


def test_the_lines_of_a_wait(capsys):
    fused.submit(failing, [0, 1], max_workers=1, max_retry=1, ignore_exceptions=True)
    lines = [line.partition("] ")[2] or line for line in capsys.readouterr().out.splitlines()]
    failure = "Error in first failing job (Run #1): UdfRuntimeError('Run #1\\n{\\n  \"x\": 1\\n}\\nKeyError: \\'boom\\'')"
    at = lines.index(failure)
    assert lines[at + 1] == "Retrying 1 failed jobs (retry #1)..."
    assert lines[at + 2 :] == ["Run #1 error (1 error, 1 success) {'x': 1}", "End of tail", "1 error, 1 success"]


def test_what_runs_print_is_their_log_and_nobody_elses(capsys):
    pool = fused.submit(failing, list(range(2, 30)), collect=False)
    pool.results()
    assert pool.logs() == [f"stdout\n------\nbefore {x}\n" for x in range(2, 30)]
    assert capsys.readouterr().out == ""
    assert sys.stdout.write.__name__ == "write"


def test_after_a_cancel_everything_still_answers(capsys):
    pool = fused.submit(slow, [0.3, 0.3, 0.3], collect=False, max_workers=1)
    while not pool.running():
        time.sleep(0.005)
    pool.cancel()
    assert capsys.readouterr().out == "2 task(s) cancelled successfully, 1 task(s) already in progress and can not be cancelled.\n"
    assert repr(pool) == "<JobPool with 3 jobs [1 running, 2 cancelled]>"
    assert pool.cancelled() == {1: {"x": 0.3}, 2: {"x": 0.3}}
    pool.cancel(wait=True)
    assert pool.status().to_dict() == {"cancelled": 2, "success": 1}
    assert pool.results_now() == {0: 0.3}
    assert [type(value) for value in pool.results(return_exceptions=True)] == [float, CancelledError, CancelledError]
    with pytest.raises(CancelledError, match="Run #1 was cancelled"):
        pool.results()
    assert pool.collect(ignore_exceptions=True, verbose=False)["result"].tolist() == [0.3]
    assert pool.logs_df()["status"].tolist() == ["success", "cancelled", "cancelled"]
    assert pool.retry() is None


def test_a_retry_after_a_cancel_is_refused():
    pool = fused.submit(failing, [1], collect=False, max_retry=0)
    pool.wait()
    pool.cancel()
    with pytest.raises(RuntimeError, match="the pool was cancelled"):
        pool.retry()


def test_the_timeout_of_a_tail_says_what_is_left():
    pool = fused.submit(slow, [0.01, 0.5], collect=False)
    with pytest.raises(fused.types.JobPoolTailTimeoutError) as caught:
        pool.tail(timeout=0.2)
    assert isinstance(caught.value, TimeoutError)
    assert (caught.value.timeout, caught.value.not_succeeded_args) == (0.2, [{"x": 0.5}])
    assert pool.results() == [0.01, 0.5]


def test_a_pool_can_be_awaited():
    async def both():
        pools = [fused.submit(product, [1, 2], k=k, collect=False) for k in (1, 10)]
        return [(await pool).results() for pool in pools]

    assert asyncio.run(both()) == [[1, 2], [10, 20]]


def test_what_the_seed_calls_status_and_results_frames():
    pool = fused.submit(failing, [0, 1], collect=False, max_retry=0)
    results = pool.get_results_df(ignore_exceptions=True)
    assert results.to_dict("records") == [{"x": 0, "result": 0}]
    with pytest.raises(fused.types.UdfRuntimeError):
        pool.get_results_df()
    status = pool.get_status_df()
    assert list(status.columns) == ["x", "status", "time", "logs"]
    assert status["status"].tolist() == ["success", "error"]


def test_a_udf_without_parameters_runs_for_each_empty_dict():
    @fused.udf
    def alone():
        return 1

    frame = fused.submit(alone, [{}, {}])
    assert (frame.index.name, frame["result"].tolist()) == ("arg_pos", [1, 1])


def test_defaults_lie_below_arguments_and_constants_above():
    udf = fused.udf(default_parameters={"k": 7})(product._function)
    assert fused.submit(udf, [{"x": 1}, {"x": 1, "k": 2}], collect=False).results() == [7, 2]
    assert fused.submit(udf, [{"x": 1}, {"x": 1, "k": 2}], k=3, collect=False).results() == [3, 3]


def test_the_results_of_many_runs_are_in_order():
    frame = fused.submit(product, range(2000), max_workers=4)
    assert frame["result"].tolist() == list(range(2000))


def test_no_thread_is_left(capsys):
    fused.submit(product, [1, 2])
    fused.submit(later, [1, 2], collect=False, execution_type="async_loop").results()
    end = time.monotonic() + 5
    while any(thread.name.startswith("fused-submit") for thread in threading.enumerate()):
        assert time.monotonic() < end
        time.sleep(0.01)


WRONG = {
    "entries of two kinds": ([{"x": 1}, 2], TypeError, "entry 1 of arg_list must be a dict"),
    "names that are none": ([{1: 1}], TypeError, "entry 0 of arg_list"),
}


@pytest.mark.parametrize(("arg_list", "error", "message"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_list_is_refused(arg_list, error, message):
    with pytest.raises(error, match=message):
        fused.submit(product, arg_list)


def test_a_wrong_engine_is_refused():
    with pytest.raises(ValueError, match="an instance type: received 'fast'"):
        fused.submit(product, [1], engine="fast")
    with pytest.raises(ValueError, match="they mean the same"):
        fused.submit(product, [1], engine="local", instance_type="small")


def test_processes_in_place_of_threads(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("""
import os, sys
import fused

@fused.udf
def where(x: int):
    import os
    print("in", x)
    if x == 2:
        raise ValueError("boom")
    return [x, os.getpid()]

if __name__ == "__main__":
    fused.options.use_process_pool_for_local_submit = True
    pool = fused.submit(where, [0, 1, 2], engine="local", collect=False, max_retry=0)
    values = pool.results(return_exceptions=True)
    assert [value[0] for value in values[:2]] == [0, 1]
    assert os.getpid() not in (values[0][1], values[1][1])
    assert str(values[2]) == 'Run #2\\n{\\n  "x": 2\\n}\\nValueError: boom', values[2]
    assert pool.logs()[0] == "stdout\\n------\\nin 0\\n"
    print("whole")
""")
    sdk = Path(__file__).parents[3] / "sdk" / "python"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, env={"PYTHONPATH": str(sdk), "HOME": str(tmp_path)})
    assert done.stdout == "whole\n", done.stderr


def test_the_numbers_of_workers():
    """max_workers: 32 by default, at most 1024 on realtime; 1 and 5 on batch instances."""
    from fused._submit_arguments import read_max_workers

    assert [read_max_workers(None, is_batch=is_batch) for is_batch in (False, True)] == [32, 1]
    assert [read_max_workers(3, is_batch=is_batch) for is_batch in (False, True)] == [3, 3]
    for is_batch, most in ((False, 1024), (True, 5)):
        with pytest.warns(UserWarning, match=f"at most {most} for"):
            assert read_max_workers(5000, is_batch=is_batch) == most
    for wrong, kind in ((0, ValueError), (-1, ValueError), ("3", TypeError), (1.5, TypeError)):
        with pytest.raises(kind, match="max_workers"):
            read_max_workers(wrong, is_batch=False)


def test_async_loop_needs_no_further_package(monkeypatch):
    """In the published client it is an ImportError without nest_asyncio."""
    monkeypatch.setitem(sys.modules, "nest_asyncio", None)
    assert fused.submit(product, [1, 2], collect=False, execution_type="async_loop").results() == [1, 2]


def test_logs_have_what_was_printed_where_there_is_any(capsys):
    """Items look like `stdout, a line, …, stderr, a line, …`; absent parts are left out."""

    @fused.udf
    def talks(out: str, err: str):
        import sys

        print(out, end="")
        print(err, end="", file=sys.stderr)

    pool = fused.submit(talks, [{"out": "a\n", "err": "b\n"}, {"out": "", "err": "b\n"}, {"out": "", "err": ""}], collect=False)
    pool.wait()
    assert pool.logs() == ["stdout\n------\na\n\nstderr\n------\nb\n", "\nstderr\n------\nb\n", ""]
