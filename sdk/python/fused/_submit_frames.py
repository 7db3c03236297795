"""What the runs of a pool gave, as one frame."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

RESULT = "result"
POSITION = "arg_pos"


def import_pandas() -> Any:
    """Raises ImportError that says what to do where pandas is not there."""
    try:
        import pandas
    except ImportError:
        raise ImportError("Cannot make a table of the results: pandas is not here. Add `import pandas` to the UDF, "
                          "or use collect=False and take results() of the pool", name="pandas") from None  # fmt: skip
    return pandas


def collect(arguments: list[dict[str, Any]], results: dict[int, Any], *, flatten: bool, drop_index: bool) -> pd.DataFrame:
    """A frame of results by the position of their arguments.

    Frames are put one below the other, and their own index is the last level of its index; anything else goes into a column `result`.
    The levels before that are the arguments by name, or with `drop_index` the position.
    """
    pd = import_pandas()
    positions = list(results)
    values = list(results.values())
    levels = _levels(arguments, positions, drop_index)
    if flatten and values and all(isinstance(value, pd.DataFrame) for value in values):
        return _concatenated(levels, values)
    frame = pd.DataFrame({RESULT: _column(values)})
    if not levels:
        return frame
    frame.index = levels[0] if len(levels) == 1 else pd.MultiIndex.from_arrays(levels)
    return frame


def arguments_frame(arguments: list[dict[str, Any]]) -> pd.DataFrame:
    """The arguments as they were given, a row for each run."""
    return import_pandas().DataFrame(arguments)


def _levels(arguments: list[dict[str, Any]], positions: list[int], drop_index: bool) -> list[Any]:
    """One index for each name among the arguments, with what the runs at these positions were given."""
    pd = import_pandas()
    if drop_index or not any(arguments):
        return [pd.Index(positions, name=POSITION)]
    given = pd.DataFrame([{name: _label(value) for name, value in entry.items()} for entry in arguments]).iloc[positions]
    return [pd.Index(given[name], name=name) for name in given.columns]


def _label(value: Any) -> Any:
    """An argument as an index can hold it: a list or a dict as JSON."""
    if isinstance(value, (list, dict, tuple)):
        return json.dumps(value, default=str)
    try:
        hash(value)
    except TypeError:
        return str(value)
    return value


def _concatenated(levels: list[Any], frames: list[Any]) -> pd.DataFrame:
    pd = import_pandas()
    lengths = [len(frame) for frame in frames]
    whole = pd.concat(frames)
    own = whole.index
    last = [own.get_level_values(level) for level in range(own.nlevels)]
    whole.index = pd.MultiIndex.from_arrays([*(level.repeat(lengths) for level in levels), *last])
    return whole


def _column(values: list[Any]) -> Any:
    """A column of values: with the type that pandas finds for them where they are plain, else of objects."""
    import numpy as np

    pd = import_pandas()
    if values and all(value is None or isinstance(value, (str, int, float, bool, np.generic)) for value in values):
        return pd.Series(values)
    # One by one: pandas would look into lists and frames.
    column = np.empty(len(values), dtype=object)
    for at, value in enumerate(values):
        column[at] = value
    return column
