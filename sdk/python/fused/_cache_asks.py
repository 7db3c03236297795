"""Who keeps results: the host, or outside of an isolate files of this user's."""

from typing import Any

from . import _host


def can_wait() -> bool:
    """Whether there is an answer without `await`."""
    return _host._blocking is not None or not _host.connected() or _host._can_suspend()


def can_await() -> bool:
    """Whether there is one with it."""
    return _host._asynchronous is not None or not _host.connected()


def ask(name: str, *args: Any) -> Any:
    """Calls the binding `cache`, or what stands for it. Raises HostError."""
    if _host.connected():
        return _host.call(name, *args)
    from ._cache_here import ask as ask_here

    return ask_here(name, *args)


async def ask_async(name: str, *args: Any) -> Any:
    """The same, while other things go on."""
    if _host.connected():
        return await _host.call_async(name, *args)
    from ._cache_here import ask_async as ask_here

    return await ask_here(name, *args)
