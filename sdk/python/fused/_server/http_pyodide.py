"""Requests from a Pyodide that is none of ours, such as a JupyterLite kernel: by XMLHttpRequest, which can wait, and by fetch."""

from typing import Any

from .http import Response, _longest_wait, _Request


def send(asked: _Request) -> Response:
    """Waits for the answer; the whole thread waits with it. Raises ConnectionError."""
    import js
    from pyodide.ffi import to_js

    exchange = js.XMLHttpRequest.new()
    exchange.open(asked.method, asked.url, False)
    # Bytes can be asked for in workers only; on a page's main thread each comes as one character.
    in_worker = not hasattr(js, "document")
    if in_worker:
        exchange.responseType = "arraybuffer"
        if (wait := _longest_wait(asked.timeout)) is not None:
            exchange.timeout = int(wait * 1000)
    else:
        exchange.overrideMimeType("text/plain; charset=x-user-defined")
    for name, value in asked.headers.items():
        exchange.setRequestHeader(name, value)
    try:
        exchange.send(None if asked.body is None else to_js(asked.body))
    except Exception as error:
        raise ConnectionError(f"Cannot reach {asked.url}: {error}") from None
    if in_worker:
        body = exchange.response.to_bytes()
    else:
        body = bytes(ord(character) & 0xFF for character in exchange.response)
    return Response(exchange.status, _pairs(exchange.getAllResponseHeaders()), body, exchange.responseURL or asked.url)


async def send_async(asked: _Request) -> Response:
    """The same, while other things go on. Raises ConnectionError, and TimeoutError."""
    from asyncio import wait_for

    from pyodide.ffi import to_js
    from pyodide.http import pyfetch

    options: dict[str, Any] = {"method": asked.method, "headers": asked.headers}
    if asked.body is not None:
        options["body"] = to_js(asked.body)

    async def exchange() -> Response:
        answer = await pyfetch(asked.url, **options)
        return Response(answer.status, [*answer.headers.items()], await answer.bytes(), answer.url)

    try:
        return await wait_for(exchange(), _longest_wait(asked.timeout))
    except TimeoutError:
        raise
    except Exception as error:
        raise ConnectionError(f"Cannot reach {asked.url}: {error}") from None


def _pairs(text: str) -> list[tuple[str, str]]:
    pairs = (line.partition(":") for line in text.split("\r\n") if line)
    return [(name.strip(), value.strip()) for name, _, value in pairs]
