"""Runs cases with the package `fused` that this interpreter has, ours or the published one, and says how each of them ended.

Reads `{"origin": …, "cases": {name: code}}`, writes the same names with what came out of them. `answer` of the code is its value.
"""

import contextlib
import io
import json
import re
import sys
import urllib.request
import warnings

import fused


def described(value):
    """A value as JSON that tells which it is."""
    if hasattr(value, "to_wkt") and hasattr(value, "columns"):
        return ["GeoDataFrame", str(value.crs.to_epsg()), value.to_wkt().to_dict("list")]
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return ["DataFrame", [str(kind) for kind in value.dtypes], value.to_dict("list"), value.index.tolist()]
    if type(value).__name__ == "ndarray":
        return ["array", str(value.dtype), value.tolist()]
    if type(value).__name__ == "UdfEvaluationResult":
        names = ("stdout", "stderr", "has_exception", "exception_class", "error_message", "error_lineno", "error_type", "profile",
                 "is_cached", "original_content", "printed_stdout_len")  # fmt: skip
        fields = {name: described(getattr(value, name)) for name in names}
        cache = value.cache_source and value.cache_source.value
        return [
            "outcome",
            described(value.data),
            fields,
            cache,
            value.udf and value.udf.name,
            type(value.time_taken_seconds).__name__,
        ]
    if isinstance(value, dict):
        return {name: described(item) for name, item in value.items()}
    return repr(value)


def outcome(code):
    scope = {"fused": fused}
    printed = {"stdout": io.StringIO(), "stderr": io.StringIO()}
    try:
        with (
            contextlib.redirect_stdout(printed["stdout"]),
            contextlib.redirect_stderr(printed["stderr"]),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            exec(code, scope)
        ended = {"value": described(scope["answer"])}
    except Exception as error:
        requests = sys.modules.get("requests")
        ended = {"error": type(error).__name__, "message": re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "UUID", str(error)),
                 "of requests": requests is not None and isinstance(error, requests.HTTPError),
                 "child": getattr(error, "child_exception_class", None)}  # fmt: skip
    return {**ended, **{name: stream.getvalue() for name, stream in printed.items()}}


given = json.load(sys.stdin)
origin = given["origin"]
defaults = {
    "base_url": f"{origin}/server/v1",
    "shared_udf_base_url": origin,
    "request_retry_base_delay": 0.01,
    "request_max_retries": 2,
}
outcomes = {}
for name, code in given["cases"].items():
    urllib.request.urlopen(f"{origin}/begin/{name}").close()
    before = {option: getattr(fused.options, option) for option in given["options"]}
    for option, value in defaults.items():
        setattr(fused.options, option, value)
    outcomes[name] = outcome(code)
    for option, value in before.items():
        setattr(fused.options, option, value)
print("OUTCOMES" + json.dumps(outcomes))
