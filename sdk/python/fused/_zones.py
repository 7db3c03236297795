"""Time zones as Arrow names them."""

import datetime
from typing import Any

from ._layouts import UnfitError


def zone_name(zone: Any) -> str:
    """The name of a zone in the database, else its offset, `+01:00`. Raises UnfitError where it has neither."""
    if zone == datetime.timezone.utc:
        return "UTC"
    if type(zone) is not datetime.timezone:
        # zoneinfo, pytz, dateutil
        for attribute in ("key", "zone"):
            name = getattr(zone, attribute, None)
            if type(name) is str:
                return name
        file = getattr(zone, "_filename", None)
        if type(file) is str and "zoneinfo/" in file:
            return file.partition("zoneinfo/")[2]
    offset = zone.utcoffset(None)
    if offset is None:
        raise UnfitError(f"its time zone {zone!r} has no name")
    minutes, rest = divmod(offset.total_seconds(), 60)
    if rest:
        raise UnfitError(f"its time zone {zone!r} is no whole number of minutes from UTC")
    size = abs(int(minutes))
    if size == 0 and type(zone) is not datetime.timezone:
        return "UTC"
    return f"{'-' if minutes < 0 else '+'}{size // 60:02d}:{size % 60:02d}"
