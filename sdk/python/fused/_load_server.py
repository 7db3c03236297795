"""UDFs that are saved on a server: by name, by token, from GitHub through the server's code-proxy; and those that an isolate's host reads.

What has to be asked is a generator of requests, so that the blocking and the asynchronous way are the same code.
"""

import re
from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote
from uuid import UUID

from . import _host
from ._load_files import load_body, load_described, load_text, take_place
from ._options import options
from ._run_named import ask, ask_async
from ._udf_fields import UdfFields
from ._udf_object import Udf

_TOKEN = re.compile(r"(UDF_|fsh_|fc_).*|[0-9a-f]{64}", re.DOTALL)
_GISTS = "https://api.github.com/gists/"


class Ask(NamedTuple):
    """A GET of the server."""

    path: str
    params: dict[str, str] | None = None


class AskHost(NamedTuple):
    """A call of the host."""

    method: str
    what: str


Asking = Generator[Ask | AskHost, Any, Udf]


def is_hosts() -> bool:
    """Whether the host is asked, and no server: in an isolate, where none is named."""
    return _host.connected() and not options.base_url


def is_token(text: str) -> bool:
    """Whether a text looks like a shared token."""
    return _TOKEN.fullmatch(text) is not None


def github_udf(url: str) -> Asking:
    """The UDF behind an address on github.com, as the server's code-proxy, or the host, reads it. Raises FileNotFoundError where the host
    finds nothing there."""
    if not is_hosts():
        return load_body((yield Ask("code-proxy/by-url", {"url": url})))
    given = yield AskHost("udfs.github", url)
    if given is None:
        raise FileNotFoundError(f"There is nothing at {url}")
    return _of_host(given)


def _of_host(given: dict[str, Any]) -> Udf:
    entrypoint = given["entrypoint"] or load_text(given["code"]).entrypoint
    return Udf.model_validate({**given, "entrypoint": entrypoint})


def token_udf(token: str) -> Asking:
    """The UDF of a shared token. Raises ValueError where its code may not be read."""
    from ._server.server import HTTPError

    try:
        answer = yield Ask(f"udf/shared/by-token/{_part(token)}")
    except HTTPError:
        raise ValueError("It looks like you tried to load a UDF from a shared token without having access to the source code. "
                         "You may want to call `run` instead of `load`.") from None  # fmt: skip
    return load_body(answer)


def saved_udf(name: str, collection_name: str | None) -> Asking:
    """The UDF of an id, a name of yours, `team/name`, or `user/name` with a handle or an e-mail address."""
    owner, slash, slug = name.partition("/")
    if not slash and _is_id(name):
        return load_body((yield Ask(f"udf/by-id/{name}")))
    where = f"by-collection/{_part(collection_name or 'default')}/by-slug/{_part(slug if slash else name)}"
    if not slash:
        owner = _email((yield Ask("user/self")))
    if owner == "team":
        return load_body((yield Ask(f"udf/exec-env/self/{where}")))
    kind = "email" if "@" in owner else "handle"
    return load_body((yield Ask(f"udf/by-user-{kind}/{_part(owner)}/{where}")))


def drive(asking: Asking) -> Udf:
    """Asks what has to be asked, and waits. Raises what the generator and the server raise."""
    from ._server.server import call
    from ._server.steps import follow

    def answer(asked: Ask | AskHost) -> Any:
        return call("GET", asked.path, params=asked.params) if isinstance(asked, Ask) else ask(*asked)

    return follow(asking, answer)


async def drive_async(asking: Asking) -> Udf:
    """The same, while other things go on."""
    from ._server.server import call_async
    from ._server.steps import follow_async

    async def answer(asked: Ask | AskHost) -> Any:
        if isinstance(asked, Ask):
            return await call_async("GET", asked.path, params=asked.params)
        return await ask_async(*asked)

    return await follow_async(asking, answer)


def load_gist(gist_id: str) -> Udf:
    """The UDF of a GitHub gist. Raises ValueError where it holds none, HTTPError where it cannot be read."""
    from ._server.http import request
    from ._server.server import http_error

    response = request("GET", _GISTS + _part(gist_id))
    if response.status >= 400:
        raise http_error(response)
    answer = response.json()
    listed = answer.get("files") if isinstance(answer, dict) else None
    listed = listed if isinstance(listed, dict) else {}
    files = {
        name: file["content"] for name, file in listed.items() if isinstance(file, dict) and isinstance(file.get("content"), str)
    }
    if "meta.json" in files:
        return load_described(Path(gist_id), files.get)
    sources = [name for name in files if name.endswith(".py")]
    if len(sources) != 1:
        raise ValueError(
            f"Cannot load the gist {gist_id!r}: it must have a meta.json or one Python file: "
            f"its files are {', '.join(files) or 'none'}"
        )
    return load_text(files[sources[0]], sources[0].removesuffix(".py"))


def find_saved(name: str, collection_name: str | None) -> str | None:
    """The id of your UDF of this name, or None where there is none."""
    from ._server.server import HTTPError

    try:
        return (drive(saved_udf(name, collection_name)).metadata or {}).get("fused:id")
    except HTTPError as error:
        if error.response.status == 404:
            return None
        raise


def place_of(collection_name: str | None, create: bool) -> str | None:
    """The id of a collection; None is the default one. Raises ValueError where there is none, and none is to be made."""
    if collection_name in (None, "default"):
        return None
    from ._server.server import HTTPError, call

    try:
        answer = call("GET", f"collection/by-name/{_part(collection_name)}")
    except HTTPError as error:
        if error.response.status != 404:
            raise
        if not create:
            raise ValueError(f"Collection {collection_name!r} not found in server") from None
        answer = call("POST", "collection/new", json={"name": collection_name, "access_scope": "team"})
    return answer["id"]


def take_answer(udf: UdfFields, answer: Any) -> None:
    """Takes over the id that the server gave a UDF when it was saved. Raises RuntimeError for an answer without one."""
    if not isinstance(answer, dict) or not isinstance(answer.get("id"), str):
        raise RuntimeError(f"Cannot read the server's answer: it holds no id of the UDF: received {str(answer)[:200]}")
    take_place(udf, answer)


def _email(answer: Any) -> str:
    email = answer.get("email") if isinstance(answer, dict) else None
    if not isinstance(email, str):
        raise ValueError(
            "could not detect user ID from context, please specify the UDF as 'user@example.com' (or 'user'), 'udf_name'."
        )
    return email


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def _part(text: str) -> str:
    return quote(text, safe="@")
