"""Conversations with a server as generators, so that the blocking and the asynchronous way are the same code.

A generator yields what is to be sent and gets the answer, whatever its status; or it yields seconds to wait.
"""

from collections.abc import Awaitable, Callable, Generator, Mapping
from typing import Any, NamedTuple, TypeVar

from .credentials import auth_header
from .http import Timeout
from .server import address, client_id, client_id_async, exchange, exchange_async

Value = TypeVar("Value")
Step = TypeVar("Step")


class Send(NamedTuple):
    """A request: of a path below the realtime client's part of the server, or of an address where `is_address`."""

    method: str
    path: str
    params: Mapping[str, Any] | None = None
    json: Any = None
    headers: Mapping[str, Any] | None = None
    timeout: Timeout = None
    is_address: bool = False
    client: str | None = None
    """The realtime client; None is the one of the options, or the server's."""

    def arguments(self) -> dict[str, Any]:
        """What an exchange takes, the address left out. Who we are goes to the server and not to addresses that it names."""
        headers = {**({} if self.is_address else auth_header()), **(self.headers or {})}
        return {"params": self.params, "json": self.json, "headers": headers, "timeout": self.timeout}


# What comes back is a Response, or None after a wait.
Steps = Generator[Send | float, Any, Value]


def follow(asking: Generator[Step, Any, Value], act: Callable[[Step], Any]) -> Value:
    """Does what a generator asks for, step by step, and gives its result. What `act` raises is raised in the generator first."""
    try:
        step = next(asking)
        while True:
            try:
                answer = act(step)
            except Exception as error:
                step = asking.throw(error)
            else:
                step = asking.send(answer)
    except StopIteration as end:
        return end.value


async def follow_async(asking: Generator[Step, Any, Value], act: Callable[[Step], Awaitable[Any]]) -> Value:
    """The same, while other things go on."""
    try:
        step = next(asking)
        while True:
            try:
                answer = await act(step)
            except Exception as error:
                step = asking.throw(error)
            else:
                step = asking.send(answer)
    except StopIteration as end:
        return end.value


def drive(steps: Steps[Value]) -> Value:
    """Sends and waits until there is a result. Raises what the generator and `http.request` raise."""
    return follow(steps, _act)


async def drive_async(steps: Steps[Value]) -> Value:
    """The same, while other things go on."""
    return await follow_async(steps, _act_async)


def _act(step: Send | float) -> Any:
    from time import sleep

    if not isinstance(step, Send):
        return sleep(step)
    url = step.path if step.is_address else address(step.path, step.client or client_id())
    return exchange(step.method, url, **step.arguments())


async def _act_async(step: Send | float) -> Any:
    from asyncio import sleep

    if not isinstance(step, Send):
        return await sleep(step)
    url = step.path if step.is_address else address(step.path, step.client or await client_id_async())
    return await exchange_async(step.method, url, **step.arguments())
