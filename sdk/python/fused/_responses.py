"""Answers of FastAPI and Starlette, in which UDFs give documents (`Response(page, media_type="text/html")`).

In an isolate this file is `fastapi`, `starlette.responses` and the like, where no package has these.
"""

import json
from typing import Any

__path__: list[str] = []


class Response:
    """A document: its bytes and their media type."""

    media_type: str | None = None

    def __init__(self, content: Any = None, status_code: int = 200, headers: Any = None, media_type: str | None = None, **_: Any) -> None:
        self.status_code = status_code
        self.headers = dict(headers or {})
        if media_type is not None:
            self.media_type = media_type
        self.body = self.render(content)

    def render(self, content: Any) -> bytes:
        """The bytes of what was given."""
        if content is None:
            return b""
        return content.encode() if isinstance(content, str) else bytes(content)


class HTMLResponse(Response):
    """A page."""

    media_type = "text/html"


class PlainTextResponse(Response):
    """A text."""

    media_type = "text/plain"


class JSONResponse(Response):
    """A value as JSON."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The text of the value."""
        return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
