"""Pools of threads where there are no threads: what is submitted is run at once, one after another."""

from types import ModuleType
from typing import Any


def patch(module: ModuleType) -> None:
    """Changes `concurrent.futures.thread`."""

    def submit(self: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        if self._shutdown:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future = module._base.Future()
        future.set_running_or_notify_cancel()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future

    module.ThreadPoolExecutor.submit = submit
