"""`fused.api`: files, jobs, schedules, saved UDFs, and who we are to the server.

Inside an isolate the functions for files use the host's storage; all others, and all of them elsewhere, ask the server that
`fused.options.base_url` names. Without one they raise a RuntimeError that says what to set.
"""

from typing import TYPE_CHECKING, Any

from .._lazy import all_names as _all_names, find_name as _find_name

if TYPE_CHECKING:
    from ._file_functions import (
        delete,
        download,
        get,
        list,
        resolve,
        sign_url,
        sign_url_prefix,
        upload,
    )
    from ._functions import (
        _session_token,
        access_token,
        auth_scheme,
        enable_gcs,
        get_apps,
        get_udfs,
        log,
        logout,
        schedule_list,
        schedule_udf,
        session_token,
        shared_udf_url,
        team_info,
        whoami,
    )
    from ._job_functions import (
        get_jobs,
        job_cancel,
        job_get_exec_time,
        job_get_logs,
        job_get_results,
        job_get_status,
        job_print_logs,
        job_tail_logs,
        job_wait_for_job,
        job_wait_for_results,
    )
    from .api import FusedAPI

# Loaded when first asked for: most code needs files alone.
_HOMES = {
    "FusedAPI": ".api",
    "_session_token": "._functions",
    "access_token": "._functions",
    "auth_scheme": "._functions",
    "delete": "._file_functions",
    "download": "._file_functions",
    "enable_gcs": "._functions",
    "get": "._file_functions",
    "get_apps": "._functions",
    "get_jobs": "._job_functions",
    "get_udfs": "._functions",
    "job_cancel": "._job_functions",
    "job_get_exec_time": "._job_functions",
    "job_get_logs": "._job_functions",
    "job_get_results": "._job_functions",
    "job_get_status": "._job_functions",
    "job_print_logs": "._job_functions",
    "job_tail_logs": "._job_functions",
    "job_wait_for_job": "._job_functions",
    "job_wait_for_results": "._job_functions",
    "list": "._file_functions",
    "log": "._functions",
    "logout": "._functions",
    "resolve": "._file_functions",
    "schedule_list": "._functions",
    "schedule_udf": "._functions",
    "session_token": "._functions",
    "shared_udf_url": "._functions",
    "sign_url": "._file_functions",
    "sign_url_prefix": "._file_functions",
    "team_info": "._functions",
    "upload": "._file_functions",
    "whoami": "._functions",
}

__all__ = [
    "FusedAPI",
    "_session_token",
    "access_token",
    "auth_scheme",
    "delete",
    "download",
    "enable_gcs",
    "get",
    "get_apps",
    "get_jobs",
    "get_udfs",
    "job_cancel",
    "job_get_exec_time",
    "job_get_logs",
    "job_get_results",
    "job_get_status",
    "job_print_logs",
    "job_tail_logs",
    "job_wait_for_job",
    "job_wait_for_results",
    "list",
    "log",
    "logout",
    "resolve",
    "schedule_list",
    "schedule_udf",
    "session_token",
    "shared_udf_url",
    "sign_url",
    "sign_url_prefix",
    "team_info",
    "upload",
    "whoami",
]


def __getattr__(name: str) -> Any:
    return _find_name(globals(), _HOMES, name)


def __dir__() -> Any:
    return _all_names(globals(), _HOMES)
