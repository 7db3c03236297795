"""The arguments of `fused.submit`, checked: a list of keyword sets, one for each run."""

from __future__ import annotations

import warnings
from types import FunctionType
from typing import Any, Literal, get_args

from ._udf import Udf, udf as make_udf
from ._udf_source import positional_parameters

DEFAULT_WORKERS = 32
MOST_WORKERS = 1024
# Of instances that are started for it.
DEFAULT_BATCH_WORKERS = 1
MOST_BATCH_WORKERS = 5

ExecutionType = Literal["thread_pool", "async_loop"]
"""How runs are waited for, several at a time."""

EXECUTION_TYPES: tuple[ExecutionType, ...] = get_args(ExecutionType)


def read_udf(udf: Any, arg_list: Any) -> Udf | str:
    """What is to be run. Raises TypeError for a lambda, and for anything that is no UDF; ValueError where its `arg_list` is for one only."""
    if isinstance(udf, (Udf, str)):
        return udf
    if not isinstance(udf, FunctionType):
        read_arg_list("", arg_list)
        raise TypeError(f"Cannot submit: udf must be a Udf object, a function or a name: received {type(udf).__name__}")
    if udf.__name__ == "<lambda>":
        raise TypeError("Cannot submit a lambda: write a function with @fused.udf in the line before it, and submit that")
    return make_udf(udf)


def read_arg_list(udf: Udf | str, arg_list: Any) -> list[dict[str, Any]]:
    """One keyword set for each run: of a list of values, of keyword sets, or of the rows of a frame.

    Raises ValueError for an empty list and for values where there is no parameter that they could be for, TypeError for no list.
    """
    if hasattr(arg_list, "to_dict") and hasattr(arg_list, "columns"):
        arg_list = arg_list.to_dict("records")
    if len(arg_list) == 0:
        raise ValueError("Cannot submit: arg_list must not be empty")
    entries = list(_sequence(arg_list))
    if isinstance(entries[0], dict):
        for at, entry in enumerate(entries):
            if not isinstance(entry, dict) or not all(isinstance(name, str) for name in entry):
                raise TypeError(f"Cannot submit: entry {at} of arg_list must be a dict of names and values: received {entry!r}")
        return [dict(entry) for entry in entries]
    if isinstance(udf, str):
        raise ValueError("Cannot submit: arg_list must be a list of dicts where the UDF is given by its name. "
                         "A list of values for its first parameter needs a Udf object: fused.load(…)")  # fmt: skip
    names = positional_parameters(udf)
    if not names:
        raise ValueError(f"Cannot submit: arg_list must be a list of dicts: {udf.name} has no parameter for values")
    return [{names[0]: entry} for entry in entries]


def _sequence(values: Any) -> Any:
    """What has an order. Raises TypeError for a set."""
    if isinstance(values, (set, frozenset)) or not hasattr(values, "__getitem__"):
        raise TypeError(f"Cannot submit: arg_list must be a list: received {type(values).__name__}")
    return values.tolist() if hasattr(values, "tolist") else values


def read_execution_type(execution_type: str) -> str:
    """Raises ValueError for one that does not exist."""
    if execution_type not in EXECUTION_TYPES:
        raise ValueError(f"Cannot submit: execution_type must be 'thread_pool' or 'async_loop': received {execution_type!r}")
    return execution_type


def read_max_workers(max_workers: int | None, *, is_batch: bool) -> int:
    """How many runs may be under way at once. Raises ValueError below 1, TypeError for what is no number; warns above the most."""
    default, most, what = (
        (DEFAULT_BATCH_WORKERS, MOST_BATCH_WORKERS, "batch") if is_batch else (DEFAULT_WORKERS, MOST_WORKERS, "realtime"))  # fmt: skip
    if max_workers is None:
        return default
    if not isinstance(max_workers, int):
        raise TypeError(f"Cannot submit: max_workers must be a whole number: received {max_workers!r}")
    if max_workers < 1:
        raise ValueError(f"Cannot submit: max_workers must be above 0: received {max_workers}")
    if max_workers > most:
        warnings.warn(f"max_workers is at most {most} for {what} instance types: received {max_workers}, using {most}", stacklevel=3)
        return most
    return max_workers
