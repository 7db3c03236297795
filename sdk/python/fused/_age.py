"""Cache ages as people write them."""

import re

_AGE = re.compile(r"\s*(\d+)\s*([smhd])\s*", re.IGNORECASE | re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_age(age: str | int | None) -> int | None:
    """Reads `'12h'`, `'7d'`, `30` (seconds) or `0` (off) as seconds. Raises ValueError for anything else."""
    if age is None:
        return None
    if type(age) is int and age >= 0:
        return age
    if isinstance(age, str):
        if age.strip() == "0":
            return 0
        if match := _AGE.fullmatch(age):
            return int(match[1]) * _SECONDS[match[2].lower()]
    raise ValueError(f"Cannot read cache_max_age: it must be a number and s, m, h or d ('12h'), or seconds: received {age!r}")
