"""What stands in for modules that an isolate lacks."""

import importlib.util
import threading
from concurrent.futures import thread
from types import ModuleType

import pytest

from fused import _optional_deps, _threads


@pytest.fixture
def pool():
    """`ThreadPoolExecutor` as an isolate has it."""
    spec = importlib.util.find_spec(thread.__name__)
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    _threads.patch(module)
    return module.ThreadPoolExecutor


def test_a_pool_runs_what_is_submitted_at_once(pool):
    with pool(4) as executor:
        futures = [executor.submit(divmod, 7, by) for by in (2, 0)]
        assert [future.done() for future in futures] == [True, True]
        assert futures[0].result() == (3, 1)
        with pytest.raises(ZeroDivisionError):
            futures[1].result()
        assert set(executor.map(lambda _: threading.get_ident(), range(3))) == {threading.get_ident()}
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(print)


def test_libraries_and_their_classes(monkeypatch):
    pd = pytest.importorskip("pandas")

    assert (_optional_deps.HAS_PANDAS, _optional_deps.PD_DATAFRAME) == (True, pd.DataFrame)
    monkeypatch.setitem(_optional_deps._LIBRARIES, "HAS_NOTHING", "nonesuch")
    monkeypatch.setitem(_optional_deps._CLASSES, "NOTHING", ("nonesuch", "Nothing"))
    assert (_optional_deps.HAS_NOTHING, _optional_deps.NOTHING) == (False, None)
    with pytest.raises(AttributeError, match="has no attribute 'OTHER'"):
        _optional_deps.OTHER  # noqa: B018
