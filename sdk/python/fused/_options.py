"""`fused.options`: what this package does by default. Each option is the first of: what was assigned, the environment variable
`FUSED_NAME` (`FUSED_AUTH_NAME`, `FUSED_SHOW_NAME` for the nested ones), `~/.fused/settings.toml`, its default.

The environment and the file are read when an option is first asked for; inside an isolate there is no such file.
"""

import os
from pathlib import Path
from typing import Any, Literal

from . import _host
from ._option_group import (
    Group,
    Option,
    duration,
    folder,
    group,
    natural,
    option,
    optional_flag,
    optional_text,
    path,
    settings_path,
    storage,
    temporary,
)
from ._validation import ValidationError, integer, list_of, number, optional, strict_flag, text, text_mapping

__all__ = ["AuthOptions", "Options", "ShowOptions", "ValidationError", "options"]

_SHARED_TEMPORARY = "/mount/fused-system/tmp"


class AuthOptions(Group):
    """How to log in where a server wants a login by a browser; there is no such server by default."""

    _variables = "FUSED_AUTH_"
    authorize_url: str = option(text, "", "The page that asks for the login.")
    oauth_token_url: str = option(text, "", "Where tokens are given and renewed.")
    logout_url: str = option(text, "", "The page that logs out.")
    client_id: str = option(text, "", "What this program is called there.")
    audience: str = option(text, "fused-python-api", "What the tokens are for.")
    local_redirect_url: str = option(text, "http://localhost:3000", "Where the page sends its answer.")
    scopes: list[str] = option(list_of(text), lambda: ["openid", "email", "name", "offline_access"], "What is asked for.")
    credentials_path: str = option(text, "~/.fused/credentials", "The file that keeps the login.")


class ShowOptions(Group):
    """How things are shown."""

    _variables = "FUSED_SHOW_"
    open_browser: bool | None = option(
        optional_flag, None, "Whether a page is opened in the browser; None: where there is no notebook."
    )
    show_widget: bool | None = option(optional_flag, None, "Whether a notebook shows a widget; None: where there is one.")
    enable_tqdm: bool = option(strict_flag, True, "Whether progress bars are shown.")


class Options(Group):
    """All options. Assigning checks and converts ("5" becomes 5).

    Raises ValidationError, a ValueError, for an unknown name or a bad value.
    """

    base_url: str = option(text, "", "The server's address, for example http://127.0.0.1:8000/server/v1; empty: none.")
    shared_udf_base_url: str = option(text, "", "Where UDFs run by their shared tokens; empty: scheme and host of base_url.")
    auth: AuthOptions = option(group(AuthOptions), AuthOptions, "How to log in.")
    show: ShowOptions = option(group(ShowOptions), ShowOptions, "How things are shown.")
    max_workers: int = option(integer, 16, "Has no effect, as in the published client: submit has an argument of that name.")
    run_timeout: float = option(number, 130, "Seconds that a run on a server may take.")
    request_timeout: float | tuple[float, float] | None = option(
        optional(duration), 5, "Seconds for other requests; two: to connect, to read; None: no limit."
    )
    metadata_request_timeout: float = option(number, 60.0, "Has no effect: tables say themselves what they hold, no server is asked for that.")
    request_max_retries: int = option(integer, 5, "How often a request that failed is tried again.")
    request_retry_base_delay: float = option(number, 1.0, "Seconds before the first further try; then each time twice as long.")
    realtime_client_id: str | None = option(optional_text, None, "The realtime client to run on; None: the server says which.")
    job_id: str | None = option(optional_text, None, "The job that this process is part of.")
    max_recursion_factor: int = option(integer, 5, "How deep runs on a server may be nested.")
    save_user_settings: bool = option(strict_flag, True, "Whether logins are kept in files.")
    default_udf_run_engine: str | None = option(
        optional_text, None, "local or remote; None: remote where base_url is set, else local."
    )
    prompt_to_login: bool = option(strict_flag, False, "Has no effect: importing the package asks for nothing.")
    no_login: bool = option(strict_flag, False, "Whether to go without a login.")
    pyodide_async_requests: bool = option(strict_flag, False, "In another Pyodide: whether run and load give awaitables.")
    cache_directory: Path | None = option(
        optional(path), None, "The folder of kept results outside of an isolate; None: cached_data in the folder of the storage."
    )
    data_directory: Path = option(folder, lambda: folder(_SHARED_TEMPORARY), "The folder of downloads, if it is writable.")
    temp_directory: Path = option(path, temporary, "The folder of temporary files.")
    never_import: bool = option(strict_flag, False, "Whether the code of a loaded UDF is never run to look at its names.")
    gcs_secret: str = option(text, "gcs_fused", "The secret with the credentials for Google Cloud Storage.")
    gcs_filename: str = option(text, lambda: str(temporary() / ".gcs.fused"), "The file that they are written to.")
    gcp_project_name: str | None = option(optional_text, None, "The project of Google Cloud.")
    logging: bool = option(strict_flag, False, "Has no effect: nothing is logged.")
    verbose_udf_runs: bool = option(strict_flag, False, "Whether fused.run prints what the UDF printed.")
    default_run_headers: dict[str, str] | None = option(
        optional(text_mapping), lambda: {"X-Fused-Cache-Disable": "true"}, "Headers of runs."
    )
    fused_cache_disable_stream: bool = option(strict_flag, True, "Whether a server is to send results whole.")
    default_dtype_out_vector: str = option(text, "parquet", "The format of tables that a server sends.")
    default_dtype_out_raster: str = option(text, "npy,tiff", "The format of rasters that a server sends.")
    default_dtype_out_simple: str = option(text, "json", "The format of other values that a server sends.")
    fd_prefix: str | None = option(optional_text, None, "Where fd:// lies, for tables that are read outside of an isolate; None: on the server.")
    verbose_cached_functions: bool = option(strict_flag, True, "Whether @fused.cache says that a result was kept.")
    local_engine_cache: bool = option(strict_flag, True, "Whether results of local runs are kept where an age is given.")
    default_send_status_email: bool = option(strict_flag, True, "Whether jobs send an e-mail when they end.")
    cache_storage: Literal["auto", "mount", "local", "object"] = option(
        storage, "auto", "Where @fused.cache keeps results: auto, mount, local or object."
    )
    use_process_pool_for_local_submit: bool = option(strict_flag, False, "Whether local submits use processes, not threads.")
    h3_extract_processes: int | None = option(optional(natural), None, "The processes that read rasters; None: one a core.")
    row_group_batch_size: int = option(integer, 1048576, "Bytes of a table's row groups that are read at once.")
    cache_decorator_max_age: int = option(integer, 172800, "Seconds that @fused.cache keeps a result by default.")
    default_conflict_overwrite_choice: str = option(text, "no", "What to answer where a file is there already.")
    default_validate_imports: bool = option(strict_flag, False, "Has no effect: imports are not validated before a run.")

    @property
    def base_web_url(self) -> str:
        """Scheme and host of `base_url`; read-only."""
        return origin_of(self.base_url)

    def _read_stored(self) -> dict[str, Any]:
        if self._stored is None:
            vars(self)["_stored"] = _read_settings()
        return self._stored or {}

    def _found(self, name: str, option: Option) -> Any:
        if name not in ("auth", "show"):
            return super()._found(name, option)
        group, stored = option.default(), self._read_stored().get(name)
        vars(group)["_stored"] = stored if isinstance(stored, dict) else {}
        return group

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "base_web_url":
            raise AttributeError("base_web_url follows base_url and cannot be assigned")
        super().__setattr__(name, value)

    def save(self) -> None:
        """Writes the options that differ from their defaults and are not None to `~/.fused/settings.toml`, for the next process.

        Raises OSError where that file cannot be written.
        """
        from ._toml import write_toml

        file = settings_path()
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(f".{os.getpid()}.part")
        part.write_text(write_toml(self._changed()), encoding="utf-8")
        os.replace(part, file)


def origin_of(url: str) -> str:
    """Scheme and host of an address; empty for an empty one."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def _read_settings() -> dict[str, Any]:
    if _host.connected():
        return {}
    try:
        data = settings_path().read_bytes()
    except OSError:
        return {}
    import tomllib

    try:
        return tomllib.loads(data.decode())
    except ValueError as error:
        from warnings import warn

        warn(f"{settings_path()} is not used: it is no TOML: {error}", stacklevel=5)
        return {}


options: Options = Options()
