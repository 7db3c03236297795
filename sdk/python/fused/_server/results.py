"""A server's answer to a run: the value, the output, the failure."""

import sys
from typing import TYPE_CHECKING, Any

from .._exceptions import UdfRuntimeError, UdfSerializationError, UdfTimeoutError
from ..models.evaluation import CacheSources, UdfEvaluationResult
from .decode_result import decode_result
from .http import Headers, Response
from .server import http_error

if TYPE_CHECKING:
    from .._udf_object import Udf


def evaluation(answer: Response, *, content: Response | None = None, udf: "Udf | None" = None,
               seconds: float = 0.0) -> UdfEvaluationResult:  # fmt: skip
    """What an answer says of the run. content: the answer that has the body, where the server redirected to that.

    Raises HTTPError where the server refused or failed before there was a run, ValueError for a body that cannot be read,
    ImportError where the package that reads it is missing.
    """
    metadata = _metadata(answer.headers)
    if answer.status >= 400 and (metadata is None or "x-fused-error" in answer.headers):
        raise http_error(answer)
    metadata = metadata or {}
    headers = dict(answer.headers)
    if answer.status >= 400 or metadata.get("has_exception") is True:
        failed = _outcome(metadata, seconds, headers, has_exception=True)
        if answer.status >= 400 and isinstance(metadata.get("errormsg"), str):
            where = "" if failed.error_lineno is None else f" in line {failed.error_lineno}"
            failed.error_message = f"The UDF returned the following error{where}:\n{metadata['errormsg']}"
        return failed
    content = content or answer
    made = _outcome(metadata, seconds, headers)
    made.udf, made.original_content = udf, content.body
    made.data = decode_result(content.body, content.headers.get("content-type", ""))
    made.cache_source = _cache_source(answer.headers)
    made.is_cached = made.cache_source is not None
    return made


def evaluation_of_file(content: Response | None, metadata: Any) -> UdfEvaluationResult:
    """The same for a result of a job: a file, and what another file says of the run (a dict, or None)."""
    metadata = metadata if isinstance(metadata, dict) else {}
    if metadata.get("has_exception") is True:
        return _outcome(metadata, 0.0, None, has_exception=True)
    made = _outcome(metadata, 0.0, dict(content.headers) if content else None)
    if content is not None:
        made.original_content = content.body
        made.data = decode_result(content.body, content.headers.get("content-type", ""))
    return made


def _metadata(headers: Headers) -> dict[str, Any] | None:
    if "x-fused-metadata" not in headers:
        return None
    from .._json import loads

    try:
        value = loads(headers["x-fused-metadata"])
    except ValueError as error:
        raise ValueError(f"Cannot read the server's answer: its header x-fused-metadata is no JSON: {error}") from None
    return value if isinstance(value, dict) else None


def _outcome(metadata: dict[str, Any], seconds: float, headers: dict[str, str] | None,
             has_exception: bool = False) -> UdfEvaluationResult:  # fmt: skip
    def text(name: str) -> str | None:
        value = metadata.get(name)
        return value if isinstance(value, str) else None

    line = metadata.get("lineno")
    made = UdfEvaluationResult(time_taken_seconds=seconds, stdout=text("stdout"), stderr=text("stderr"), original_headers=headers,
                               profile=metadata.get("profile"), has_exception=has_exception)  # fmt: skip
    if has_exception:
        made.exception_class, made.error_type = text("exception_class"), text("error_type")
        made.error_lineno = line if isinstance(line, int) else None
        made.error_message = text("errormsg") or text("exception") or "The UDF failed, and the server does not say why"
    return made


def _cache_source(headers: Headers) -> CacheSources | None:
    if "x-fused-cached" in headers:
        return CacheSources.OBJECT_STORAGE
    return CacheSources.MEMORY if headers.get("x-cache", "").lower() == "hit" else None


def show_output(outcome: UdfEvaluationResult, verbose: bool) -> None:
    """Prints what a run printed where somebody wants to know: of a failure always."""
    if not verbose and not outcome.has_exception:
        return
    sys.stdout.write((outcome.stdout or "")[outcome.printed_stdout_len :])
    sys.stderr.write((outcome.stderr or "")[outcome.printed_stderr_len :])
    if outcome.is_cached:
        name = f" {outcome.udf.name!r}" if outcome.udf is not None else ""
        print(f"UDF{name} returned cached result")


def value_of(outcome: UdfEvaluationResult) -> Any:
    """The result of a run. Raises UdfRuntimeError, UdfSerializationError or UdfTimeoutError for one that failed."""
    if not outcome.has_exception:
        return outcome.data
    message = outcome.error_message or ""
    match outcome.error_type:
        case "serialization_error":
            raise UdfSerializationError(message)
        case "timeout_error":
            raise UdfTimeoutError(message)
    raise UdfRuntimeError(message, child_exception_class=outcome.exception_class)
