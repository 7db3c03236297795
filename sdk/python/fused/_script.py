"""The block of metadata in a script's comments. Source: PEP 723, https://packaging.python.org/specifications/inline-script-metadata/"""

import re
from typing import Any

from ._source import Source

_START = "# /// script"
_END = "# ///"
_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


def read_script_block(source: Source) -> dict[str, Any]:
    """The block's TOML, or an empty dict where there is none. Raises LoadProblem with file and line."""
    lines = source.text.splitlines()
    starts = [number for number, line in enumerate(lines) if line.rstrip() == _START]
    if not starts:
        return {}
    if len(starts) > 1:
        raise source.problem(f"there are {len(starts)} blocks '{_START}'; one is allowed", starts[1] + 1)
    start = starts[0]
    # The specification takes the last end line of the run of comments: TOML itself may hold one.
    end = None
    for number in range(start + 1, len(lines)):
        line = lines[number]
        if not (line == "#" or line.startswith("# ")):
            break
        if line.rstrip() == _END:
            end = number
    if end is None:
        raise source.problem(f"the block '{_START}' has no end: write '{_END}' in the line after it", start + 1)
    return _parse(source, [line[2:] for line in lines[start + 1 : end]], start + 2)


def _parse(source: Source, lines: list[str], first_line: int) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError as error:
        place = _TOML_PLACE.search(str(error))
        line = int(place[1]) if place and place[1] else max(len(lines), 1)
        message = _TOML_PLACE.sub("", str(error))
        raise source.problem(f"the block '{_START}' is no TOML: {message}", first_line + line - 1) from None
    except RecursionError:
        raise source.problem(f"the block '{_START}' is nested too deep", first_line) from None
