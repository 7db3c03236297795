"""Scenarios of the published client: each is a function with a title, run one after the other in one process."""

import contextlib
import dataclasses
import io
import json
import os
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import fused

SCENARIOS: dict[str, Callable[[], None]] = {}
"""All of them, in the order in which they run."""

SKIPPED: list[str] = []
"""Titles of those that need libraries that the distribution does not have."""


@dataclasses.dataclass
class Place:
    """What the suite has set up."""

    url: str
    """Where the server is."""
    files_url: str
    """Where a server is that UDFs may download from."""
    teammate_token: str
    """Of another user in the same team, whose handle is `mate`."""
    stranger_token: str
    """Of a user in another team, whose handle is `stranger`."""
    has_geo: bool
    """Whether UDFs have geopandas, shapely and xarray."""


PLACE = Place(**json.loads(os.environ["SERVER_PLACE"]))


def scenario(title: str, needs_geo: bool = False) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Adds a function to the scenarios."""

    def add(function: Callable[[], None]) -> Callable[[], None]:
        if title in SCENARIOS:
            raise ValueError(f"There are two scenarios {title!r}")
        if needs_geo and not PLACE.has_geo:
            SKIPPED.append(title)
        else:
            SCENARIOS[title] = function
        return function

    return add


LIBRARIES = ("geopandas", "numpy", "pandas", "pillow", "pyarrow", "shapely") if PLACE.has_geo else ("numpy", "pandas", "pillow", "pyarrow")
"""What runs of `run` declare: all the same, so that one isolate runs them all."""


def source(body: str, parameters: str = "", imports: str = "", decorator: str = "@fused.udf") -> str:
    """The text of a UDF. `body` is what stands in its function."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    head = f"{imports}\n" if imports else ""
    return f"{head}import fused\n\n{decorator}\ndef udf({parameters}):\n{lines}"


def run(body: str, parameters: str = "", imports: str = "", **options: Any) -> Any:
    """Runs a UDF that is a text; one that imports something has all libraries."""
    header = f"# /// script\n# dependencies = {json.dumps(LIBRARIES)}\n# ///\n" if imports else ""
    return fused.run(header + source(body, parameters, imports), **options)


def name(stem: str) -> str:
    """A name that no other scenario has."""
    return f"{stem}_{uuid.uuid4().hex[:8]}"


def save(body: str, parameters: str = "", imports: str = "", decorator: str = "@fused.udf", collection_name: str | None = None) -> Any:
    """Saves a UDF under a name of its own, and gives it back as the client has it."""
    udf = fused.load(source(body, parameters, imports, decorator))
    udf.name = name("udf")
    return udf.to_fused(collection_name=collection_name)


def id_of(udf: Any) -> str:
    """The id under which a UDF is saved."""
    return udf._get_metadata_safe("fused:id")


def fails(kind: type[BaseException] | str, text: str, function: Callable[..., Any], *args: Any, **options: Any) -> BaseException:
    """Calls a function that must raise, and gives back what it raised."""
    try:
        value = function(*args, **options)
    except BaseException as error:
        kinds = [base.__name__ for base in type(error).__mro__]
        wanted = kind if isinstance(kind, str) else kind.__name__
        assert wanted in kinds, f"{kinds[0]} was raised, not {wanted}: {error}"
        assert text in str(error), f"{text!r} is not in {str(error)!r}"
        return error
    raise AssertionError(f"it raised nothing and gave {value!r}")


@contextlib.contextmanager
def printed() -> Iterator[io.StringIO]:
    """What is printed meanwhile."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        yield out


def equal(found: Any, wanted: Any) -> None:
    """They are the same, and of one type."""
    assert type(found) is type(wanted), f"{found!r} is a {type(found).__name__}, not a {type(wanted).__name__}"
    assert found == wanted, f"{found!r} is not {wanted!r}"


def ask(method: str, path: str, body: Any = None, token: str | None = None) -> Any:
    """Asks a route of the wire in the name of somebody else; without a token in nobody's."""
    headers = {"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{PLACE.url}{path}", data, headers, method=method)
    with urllib.request.urlopen(request) as response:
        content = response.read()
        return json.loads(content) if response.headers["content-type"].startswith("application/json") and content else content


def save_as(token: str, stem: str, code: str, **fields: Any) -> str:
    """Saves a UDF in the name of somebody else. Gives back its name."""
    slug = name(stem)
    body = json.dumps({"name": slug, "type": "geopandas_v2", "code": code, "headers": [], "metadata": {}, "entrypoint": "udf"})
    ask("POST", "/server/v1/udf/new", {"slug": slug, "udf_body": body, "udf_type": "auto", **fields}, token)
    return slug
