"""`pyodide.http` without JavaScript: pyfetch, open_url and pyxhr by way of the host."""

from types import ModuleType, SimpleNamespace
from typing import Any

from ._host import HostError
from ._net import Answer, fetch, fetch_async

_DEFAULT_TYPE = ("content-type", "text/plain;charset=UTF-8")


class NetworkError(OSError):
    """What `XMLHttpRequest.send` throws."""

    name = "NetworkError"


class XMLHttpRequest:
    """The part of JavaScript's class that Pyodide uses, for requests that wait."""

    def __init__(self) -> None:
        self._headers: list[tuple[str, str]] = []

    @classmethod
    def new(cls) -> "XMLHttpRequest":
        """Makes one, as from JavaScript."""
        return cls()

    def open(self, method: str, url: str, is_async: bool = False) -> None:
        """Says what will be requested."""
        self._method, self._url = method, url

    def setRequestHeader(self, name: str, value: str) -> None:
        """Adds a header."""
        self._headers.append((name, value))

    def send(self, body: Any = None) -> None:
        """Sends the request and waits for the answer. Raises NetworkError and PermissionDeniedError."""
        data, headers = _body(body, self._headers)
        try:
            answer = fetch(self._url, self._method, headers, data, redirect="follow")
            self.responseText = self.response = answer.read_all().decode("utf-8", "replace")
        except HostError as error:
            raise NetworkError(str(error)) from None
        self.status, self.statusText, self.responseURL = answer.status, answer.reason, answer.url
        self._answer = answer

    def getAllResponseHeaders(self) -> str:
        """The answer's headers, one a line."""
        return "".join(f"{name}: {text}\r\n" for name, text in self._answer.headers)


def _body(body: Any, headers: list[tuple[str, str]]) -> tuple[bytes | None, list[tuple[str, str]]]:
    """Body and headers as `fetch` of JavaScript sends them."""
    if body is None:
        return None, headers
    if isinstance(body, str):
        has_type = any(name.lower() == "content-type" for name, _ in headers)
        return body.encode(), headers if has_type else [*headers, _DEFAULT_TYPE]
    try:
        return bytes(memoryview(body)), headers
    except TypeError:
        raise TypeError(f"The body of a request must be a text or bytes: received {type(body).__name__}") from None


def patch(module: ModuleType) -> None:
    """Changes `pyodide.http`."""
    response_class = _response_class(module)

    async def pyfetch(request: str = "", /, **options: Any) -> Any:
        """Fetches a URL as JavaScript's `fetch` does. Raises AbortError where that fails, and PermissionDeniedError."""
        url = options.pop("url", request)
        headers = options.get("headers") or {}
        pairs = list(headers.items() if hasattr(headers, "items") else headers)
        data, pairs = _body(options.get("body"), [(str(name), str(text)) for name, text in pairs])
        try:
            answer = await fetch_async(url, options.get("method", "GET"), pairs, data, redirect=options.get("redirect", "follow"))
        except HostError as error:
            raise _abort_error(error) from None
        return response_class(url, answer)

    def _abort_error(error: HostError) -> Exception:
        return module.AbortError(SimpleNamespace(message=str(error)))

    module.pyfetch = pyfetch
    module.FetchResponse = response_class
    module.XMLHttpRequest = XMLHttpRequest
    if hasattr(module, "pyxhr"):
        module.pyxhr.XMLHttpRequest, module.pyxhr.JsException = XMLHttpRequest, NetworkError


def _response_class(module: ModuleType) -> type:
    class FetchResponse(module.FetchResponse):
        """An answer; its body is read once."""

        def __init__(self, url: str, answer: Answer) -> None:
            self._url = url
            self._answer = answer
            self._body: bytes | None = None
            self.abort_controller = self.abort_signal = None
            self.js_response = SimpleNamespace(
                bodyUsed=False, ok=200 <= answer.status < 300, redirected=answer.redirected, status=answer.status,
                statusText=answer.reason, type="basic", url=answer.url)  # fmt: skip

        @property
        def headers(self) -> dict[str, str]:
            """Names in lower case; repeated ones are one list."""
            headers: dict[str, str] = {}
            for name, text in self._answer.headers:
                headers[name] = f"{headers[name]}, {text}" if name in headers else text
            return headers

        async def _load(self) -> bytes:
            if self._body is None:
                try:
                    self._body = await self._answer.read_all_async()
                except HostError as error:
                    raise module.AbortError(SimpleNamespace(message=str(error))) from None
            return self._body

        async def bytes(self) -> bytes:
            """The body."""
            self._raise_if_failed()
            self.js_response.bodyUsed = True
            return await self._load()

        async def text(self) -> str:
            """The body as text, which is UTF-8."""
            return (await self.bytes()).decode("utf-8-sig", "replace")

        async def memoryview(self) -> Any:
            """The body as a memoryview."""
            return memoryview(await self.bytes())

        async def buffer(self) -> Any:
            """The body as an object of JavaScript."""
            from pyodide.ffi import to_js

            return to_js(await self.bytes())

        def clone(self) -> "FetchResponse":
            """Another one with the same body, to be read once more."""
            if self.js_response.bodyUsed:
                raise module.BodyUsedError
            return _Clone(self)

        async def _into_file(self, f: Any) -> None:
            f.write(await self.bytes())

        async def _create_file(self, path: str) -> None:
            with open(path, "xb") as file:
                await self._into_file(file)

        async def unpack_archive(self, *, extract_dir: str | None = None, format: str | None = None) -> None:
            """Unpacks the body, an archive that shutil knows. Raises ValueError for another."""
            import shutil
            import tempfile

            with tempfile.NamedTemporaryFile(suffix=self._url.rpartition("/")[2]) as file:
                file.write(await self.bytes())
                file.flush()
                shutil.unpack_archive(file.name, extract_dir, format)

    class _Clone(FetchResponse):
        """Reads by way of the response that it was made of."""

        def __init__(self, original: FetchResponse) -> None:
            super().__init__(original._url, original._answer)
            self._original = original

        async def _load(self) -> bytes:
            return await self._original._load()

    return FetchResponse
