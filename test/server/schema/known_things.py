"""Hooks of Schemathesis: half of the requests are about things that are there, and half of the bodies are valid ones.

KNOWN_THINGS names a file of JSON: a list of `{path, method?, parameters?, body?}`. The first rules whose `path` (a regular expression)
and `method` fit an operation say what its parameters and its body may be, each as a list of values.
What is taken is a function of the request as it was generated, so a seed makes the same requests always.
"""

import json
import os
import re
import zlib
from typing import Any, Callable

import schemathesis
from schemathesis import Case

with open(os.environ["KNOWN_THINGS"], encoding="utf-8") as file:
    RULES: list[dict[str, Any]] = json.load(file)


def chooser(case: Case) -> Callable[[int], int]:
    """Gives whole numbers below a bound, which look like random ones."""
    # Where there is no body, an object stands for it, whose text has its address in memory.
    text = re.sub(r" at 0x[0-9a-f]+", "", repr([case.path_parameters, case.query, case.body]))
    state = zlib.crc32(text.encode("utf-8", "backslashreplace"))

    def choose(below: int) -> int:
        nonlocal state
        state = zlib.crc32(state.to_bytes(4, "big"))
        return (state >> 8) % below

    return choose


def known(case: Case) -> dict[str, Any]:
    """What the rules say of the operation of a request."""
    found: dict[str, Any] = {"parameters": {}}
    for rule in RULES:
        if not re.search(rule["path"], case.path) or rule.get("method", case.method) != case.method:
            continue
        found["parameters"] = {**rule.get("parameters", {}), **found["parameters"]}
        if "body" in rule:
            found.setdefault("body", rule["body"])
    return found


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Puts things that are there into a request."""
    choose = chooser(case)
    things = known(case)
    if choose(2) == 0:
        parts = ((case.path_parameters, case.operation.path_parameters), (case.query, case.operation.query))
        for values, declared in parts:
            for name in sorted({parameter.name for parameter in declared} & set(things["parameters"])):
                # What may be left out stays so: a tile, for one, is three parameters or none.
                if isinstance(values, dict) and (name in values or values is case.path_parameters):
                    given = things["parameters"][name]
                    values[name] = given[choose(len(given))]
    if "body" in things and case.operation.body and choose(2) == 0:
        body = things["body"][choose(len(things["body"]))]
        # Half of them with what was generated beside it.
        case.body = {**case.body, **body} if isinstance(case.body, dict) and choose(2) == 0 else dict(body)
