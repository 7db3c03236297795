"""`@fused.cache`, and runs with an age, outside of an isolate: results are files below the option `cache_directory`."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import finish

import fused
from fused import _cache_here, _guest


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(fused.options, "cache_directory", tmp_path / "kept")
    _guest.result_buffers = []
    return tmp_path / "kept"


def counting(**options: Any) -> Any:
    @fused.cache(cache_verbose=False, **options)
    def f(x: Any, fail: bool = False) -> Any:
        f.runs += 1  # type: ignore[attr-defined]
        if fail:
            raise ValueError("no")
        return [x]

    f.runs = 0
    return f


def results(folder: Path) -> list[Path]:
    return sorted(folder.rglob("result"))


def test_a_result_is_kept_in_the_folder(folder):
    f = counting()
    first, second = f(1), f(1)
    assert first == second == [1] and first is not second and f.runs == 1
    assert f(2) == [2] and len(results(folder)) == 2
    assert {path.relative_to(folder).parts[0] for path in results(folder)} == {"tmp"}
    assert list(folder.rglob("lock")) == []
    assert os.stat(folder).st_mode & 0o077 == 0 or sys.platform == "emscripten"


@pytest.mark.skipif(sys.platform == "emscripten", reason="there are no processes")
def test_another_process_finds_it(folder, tmp_path):
    file = tmp_path / "script.py"
    file.write_text(
        "import fused, sys\n@fused.cache\ndef f(x):\n    print('computed')\n    return {'x': x, 'set': {1, 2}}\nprint(f(3))\n"
    )
    env = {"PYTHONPATH": str(Path(fused.__file__).parent.parent), "FUSED_CACHE_DIRECTORY": str(folder), "HOME": str(tmp_path)}
    shown = [subprocess.run([sys.executable, str(file)], env=env, capture_output=True, text=True, check=True).stdout for _ in range(2)]
    assert shown[0] == "computed\n{'x': 3, 'set': {1, 2}}\n"
    assert shown[1].startswith("'f' returned cached result: ") and shown[1].endswith("{'x': 3, 'set': {1, 2}}\n")


def test_ages_resets_and_failures(folder, monkeypatch):
    f = counting()
    f(1)
    f(1, cache_reset=True)
    f(1, cache_max_age=0)
    assert f.runs == 3
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 7200)
    f(1, cache_max_age="1h")
    assert f.runs == 4
    monkeypatch.setattr(fused.options, "cache_decorator_max_age", 10)
    monkeypatch.setattr(time, "time", lambda: now + 7300)
    f(1)
    assert f.runs == 5
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            f(2, fail=True)
    assert f.runs == 7 and list(folder.rglob("lock")) == []


@pytest.mark.skipif(sys.platform == "emscripten", reason="there are no threads")
def test_several_at_once_compute_it_once(folder):
    runs = []

    @fused.cache(cache_verbose=False)
    def slow(x):
        runs.append(x)
        time.sleep(0.3)
        return x

    threads = [threading.Thread(target=slow, args=(1,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert runs == [1]


def test_a_wait_ends(folder):
    f = counting()
    f(1)
    (entry,) = results(folder)
    (entry.parent / "lock").write_text(str(os.getpid()))
    with pytest.raises(TimeoutError, match="another call has been computing it"):
        f(1, cache_reset=True, concurrent_lock_timeout=0)


@pytest.mark.skipif(os.name != "posix" or sys.platform == "emscripten", reason="processes cannot be asked after")
def test_the_lock_of_a_process_that_is_gone_holds_nobody_up(folder):
    f = counting()
    f(1)
    (entry,) = results(folder)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (entry.parent / "lock").write_text(str(gone.pid))
    assert f(1, cache_reset=True) == [1] and f.runs == 2


def test_what_cannot_be_read_is_computed_again(folder):
    f = counting()
    f(1)
    (entry,) = results(folder)
    for damaged in (b"", b"{}\n", b"nonsense", b'{"format": "pickle", "createdAtMs": 9e15}\nno pickle'):
        entry.write_bytes(damaged)
        assert f(1) == [1]
    assert f.runs == 5


@pytest.mark.skipif(not hasattr(os, "getuid") or sys.platform == "emscripten", reason="files have no owners")
def test_a_folder_of_another_user_is_not_used(folder, monkeypatch, capsys):
    f = counting()
    f(1)
    monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 1)
    assert f(1) == [1] and f.runs == 2
    assert "belongs to another user" in capsys.readouterr().err


def test_bad_names_are_refused(folder):
    for name in ("../a", "/etc", "a//b", "a\\b", ""):
        with pytest.raises(ValueError, match="cache_folder_path"):
            counting(cache_folder_path=name)(1)
    fused.options.cache_directory = None
    with pytest.raises(ValueError, match="there is no such storage here"):
        counting(cache_storage="object")(1)


def test_asynchronous_functions(folder):
    runs = []

    @fused.cache(cache_verbose=False)
    async def later(x):
        runs.append(x)
        return x

    async def both() -> list[int]:
        return [await later(1), await later(1)]

    assert finish(both()) == [1, 1] and runs == [1]


def test_a_run_with_an_age_is_kept_and_one_without_is_not(folder, tmp_path):
    udf = fused.load("import fused\n@fused.udf\ndef udf(path: str):\n    with open(path, 'a') as f: f.write('x')\n    return 1\n")
    path = str(tmp_path / "ran")
    for options in ({}, {"cache": False}, {"cache_max_age": "1h"}):
        for _ in range(2):
            assert fused.run(udf, engine="local", path=path, **options) == 1
    assert Path(path).read_text() == "x" * 5


def test_what_is_collected_is_kept_only_where_that_is_asked_for(folder, tmp_path):
    pytest.importorskip("pandas")
    udf = fused.load("import fused\n@fused.udf\ndef udf(path: str):\n    with open(path, 'a') as f: f.write('x')\n    return 1\n")
    path = str(tmp_path / "ran")
    for options in ({}, {}, {"cache_max_age": "1h"}, {"cache_max_age": "1h"}):
        assert fused.submit(udf, [path], engine="local", **options)["result"].tolist() == [1]
    assert Path(path).read_text() == "x" * 3


def test_its_answers_are_those_of_the_host(folder):
    request = {"key": "k", "name": "f", "folder": "tmp", "storage": "auto", "maxAgeMs": 1000, "reset": False, "lockTimeoutMs": 0}
    lease = _cache_here.ask("cache.begin", request)
    assert lease["state"] == "compute"
    assert _cache_here.ask("cache.commit", lease["lease"], {"format": "json", "body": b"[1]\n[2]"}) is None
    found = _cache_here.ask("cache.begin", request)
    assert (found["state"], found["format"], found["body"]) == ("hit", "json", b"[1]\n[2]")
