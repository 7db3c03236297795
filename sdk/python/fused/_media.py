"""Values that cross as finished documents (PNG, HTML), and geometries, which cross as GeoJSON."""

import re
from io import BytesIO
from typing import TYPE_CHECKING, Any

from ._plain import type_name

if TYPE_CHECKING:
    from ._encode import Writer

# What PNG holds as it is; other modes are converted to the nearest of these.
_PNG_MODES = {"1", "L", "LA", "I;16", "P", "RGB", "RGBA"}
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]{1,100}")
_NEAREST = {"I": "I;16", "F": "L", "La": "LA", "PA": "RGBA", "RGBa": "RGBA"}


def write_image(writer: "Writer", value: Any, depth: int) -> None:
    """Writes a PIL image as PNG."""
    if value.mode not in _PNG_MODES:
        value = value.convert(_NEAREST.get(value.mode, "RGB"))
    file = BytesIO()
    value.save(file, format="PNG")
    _write_media(writer, "image/png", file.getbuffer())


def write_figure(writer: "Writer", value: Any, depth: int) -> None:
    """Writes a matplotlib figure as PNG."""
    file = BytesIO()
    value.savefig(file, format="png")
    _write_media(writer, "image/png", file.getbuffer())


def write_axes(writer: "Writer", value: Any, depth: int) -> None:
    """Writes the figure that matplotlib axes are part of."""
    write_figure(writer, value.figure, depth)


def write_chart(writer: "Writer", value: Any, depth: int) -> None:
    """Writes a plotly figure or an altair chart as a page."""
    _write_html_text(writer, value, value.to_html())


def write_html(writer: "Writer", value: Any, depth: int) -> None:
    """Writes what an object shows in a notebook."""
    _write_html_text(writer, value, value._repr_html_())


def write_response(writer: "Writer", value: Any, depth: int) -> None:
    """Writes what an answer of FastAPI or Starlette holds."""
    body = getattr(value, "body", None)
    if not isinstance(body, bytes):
        writer.fail(f"an object of class {type_name(type(value))} without a body")
    media_type = str(value.media_type).partition(";")[0].strip().lower()
    if _MEDIA_TYPE.fullmatch(media_type):
        _write_media(writer, media_type, body)
    else:
        writer.write(body, depth)


def write_geometry(writer: "Writer", value: Any, depth: int) -> None:
    """Writes a shapely geometry as GeoJSON."""
    from shapely.geometry import mapping

    # shapely 2.0 fails on an empty point.
    plain = {"type": "Point", "coordinates": []} if value.is_empty and value.geom_type == "Point" else _lists(mapping(value))
    writer.write(plain, depth)


def _lists(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_lists(item) for item in value]
    return {key: _lists(item) for key, item in value.items()} if isinstance(value, dict) else value


def _write_html_text(writer: "Writer", value: Any, html: Any) -> None:
    if not isinstance(html, str):
        writer.fail(f"an object of class {type_name(type(value))} without HTML")
    _write_media(writer, "text/html", html.encode("utf-8", "replace"))


def _write_media(writer: "Writer", media_type: str, data: Any) -> None:
    writer.buffer_tag("media", data, f'"type":"{media_type}",')
