"""The functions of `fused.api` for the user, for what is saved, and for logs."""

import os
from typing import TYPE_CHECKING, Any, Literal

from .._global_api import get_api, reset_api
from .._options import options
from .._server.credentials import credentials, forget
from ..models.api._cronjob import CronJob, CronJobSequence
from ..models.api.collection import Collection, SessionToken, SharedUdfUrl
from ._connection import in_path

if TYPE_CHECKING:
    from ..models.udf import Udf


def whoami() -> Any:
    """What the server knows of you: `email`, `handle`, `execution_environment_id` … Inside a UDF, who is signed in to the run.

    Raises HTTPError where the server refuses, RuntimeError without one.
    """
    return get_api()._whoami()


def team_info() -> dict[str, Any]:
    """What the server knows of your team. Raises HTTPError where the server refuses, RuntimeError without one."""
    return get_api()._team_info()


def access_token() -> str:
    """The token that requests to the server carry. Raises RuntimeError where there is none."""
    return _credentials()[1]


def auth_scheme() -> str:
    """The word before the token in the header `Authorization`, like `Bearer`. Raises RuntimeError where there is no token."""
    return _credentials()[0]


def _credentials() -> tuple[str, str]:
    found = credentials()
    if found is None:
        raise RuntimeError("There is no access token: set the environment variables FUSED_AUTH_TOKEN and FUSED_AUTH_TOKEN_TYPE")
    return found


def logout() -> None:
    """Deletes the credentials on the disk, and forgets the FusedAPI that the functions of this module use."""
    forget()
    reset_api()


def get_udfs(n: int | None = None, *, skip: int = 0, by: Literal["name", "id", "slug"] = "name",
             whose: Literal["self", "public", "community", "team"] = "self", collection_name: str | None = None) -> dict[str, Any]:  # fmt: skip
    """UDFs that are saved on the server: a dict whose keys are `COLLECTION/NAME`, and whose items are attributes where names allow it.

    Args:
        n: how many. None is all.
        skip: how many to leave out.
        by: what the keys have behind the collection: the name, the id or the slug.
        whose: your own, those of your team, public ones, or those of the community.
        collection_name: those of this collection only.

    Raises ValueError for another `by` or `whose`, HTTPError where the server refuses, RuntimeError without one.
    """
    return get_api().get_udfs(n=n, skip=skip, by=by, whose=whose, collection_name=collection_name)


def get_apps(n: int | None = None, *, skip: int = 0, by: Literal["name", "id", "slug"] = "name",
             whose: Literal["self", "public"] = "self") -> dict[str, Any]:  # fmt: skip
    """Apps that are saved on the server. The arguments are those of `get_udfs`."""
    return get_api().get_apps(n=n, skip=skip, by=by, whose=whose)


def schedule_udf(udf: "Udf | str", minute: list[int] | int, hour: list[int] | int,
                 day_of_month: list[int] | int | None = None, month: list[int] | int | None = None,
                 day_of_week: list[int] | int | None = None, udf_args: dict[str, Any] | None = None, enabled: bool = True,
                 _create_udf: bool = True, **kwargs: Any) -> CronJob:  # fmt: skip
    """Runs a UDF at given times. One that already has a schedule gets this one in its place.

    Args:
        udf: the UDF, or anything that `fused.load` takes. It is saved first where it is not.
        minute: 0 to 59, one only.
        hour: 0 to 23, one or a list; in UTC.
        day_of_month: 1 to 31, one or a list. None is every day.
        month: 1 to 12, one or a list. None is every month.
        day_of_week: 0 (Sunday) to 6, one or a list. None is every day.
        udf_args: the parameters of the runs.
        enabled: whether it runs at all.

    Raises ValueError where the UDF cannot be saved, ValidationError for times that do not exist, HTTPError where the server refuses,
    RuntimeError without one.
    """
    return CronJob.from_udf(udf, minute, hour, day_of_month, month, day_of_week, udf_args, enabled, _create_udf=_create_udf, **kwargs)


def schedule_list() -> CronJobSequence:
    """The schedules of your team. Raises HTTPError where the server refuses, RuntimeError without one."""
    return get_api().list_cronjobs()


def enable_gcs() -> None:
    """Gives libraries access to Google Cloud Storage: the secret that the option `gcs_secret` names is written to the file that
    `gcs_filename` names, for its owner alone, and the environment variable GOOGLE_APPLICATION_CREDENTIALS is set to it."""
    from .._secrets import secrets

    secret = secrets[options.gcs_secret]
    if not secret:
        return
    with open(options.gcs_filename, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(secret)
    os.environ["GOOGLE_APPLICATION_CREDENTIALS"] = str(options.gcs_filename)


def log(id: str | None = None, *, udf_id: str | None = None, udf_name: str | None = None, shared_token: str | None = None,
        exec_env: bool = False, distinct: bool = False, distinct_type: Literal["names", "ids"] | None = None,
        start_timestamp: str | None = None, end_timestamp: str | None = None, limit: int = 100, scan_forward: bool = True,
        page_token: str | None = None, max_records_to_scan: int = 1000) -> dict[str, Any]:  # fmt: skip
    """The server's log of runs.

    Args:
        id: one entry.
        udf_id: those of a saved UDF.
        udf_name: those of UDFs of this name.
        shared_token: those of a shared token.
        exec_env: those of the team, else your own.
        distinct: only which UDFs ran.
        distinct_type: "names" or "ids", with `distinct`.
        start_timestamp: from when on, as ISO text.
        end_timestamp: until when, as ISO text.
        limit: how many entries.
        scan_forward: the oldest first.
        page_token: where to go on, from the answer before.
        max_records_to_scan: how many entries to look through, with `distinct`.

    Raises ValueError for more than one of id, udf_id, udf_name and shared_token, or for `distinct` without its type.
    """
    api = get_api()
    chosen = {"by-id": id, "by-udf-id": udf_id, "by-udf-name": udf_name, "by-shared-token": shared_token}
    paths = [f"{route}/{in_path(value)}" for route, value in chosen.items() if value is not None]
    if len(paths) > 1:
        raise ValueError("Only one of id, udf_id, udf_name, or shared_token can be specified")
    team = "exec-env/" if exec_env else ""
    if distinct:
        routes = {"names": "distinct-udf-names", "ids": "distinct-udf-id"}
        if distinct_type not in routes:
            raise ValueError('distinct_type must be "names" or "ids" when distinct=True')
        return api._log(f"{routes[distinct_type]}/{team}self", start_timestamp=start_timestamp, end_timestamp=end_timestamp,
                        max_records_to_scan=max_records_to_scan)  # fmt: skip
    if id is not None:
        return api._log(paths[0])
    return api._log(paths[0] if paths else f"{team}self", start_timestamp=start_timestamp, end_timestamp=end_timestamp,
                    page_token=page_token, limit=limit, scan_forward=scan_forward)  # fmt: skip


def session_token(session_max_age: str | int = "1h") -> SessionToken:
    """A token that lets its holder use the shared collection of the UDF that is running: the run's own, else a new one.

    Args:
        session_max_age: how long a new one lasts, like `1h`, or in seconds.

    Raises ValueError outside of a UDF, HTTPError where the server refuses.
    """
    return get_api().session_token(session_max_age)


def _session_token(collection: Collection | str, session_max_age: str | int = "1h") -> SessionToken:
    """The same for any shared collection, or its share token (`fc_…`)."""
    return get_api()._session_token(collection, session_max_age)


def shared_udf_url(udf_name: str | None = None, *, session_max_age: str | int = "1h") -> SharedUdfUrl:
    """The link that runs a UDF of the shared collection of the UDF that is running; `str()` of it is the link.

    Args:
        udf_name: the UDF. None is the one that is running.
        session_max_age: how long a new session token lasts, like `1h`, or in seconds.

    Raises RuntimeError outside of a UDF, ValueError where its collection is not shared, HTTPError where the server refuses.
    """
    return get_api().shared_udf_url(udf_name, session_max_age=session_max_age)
