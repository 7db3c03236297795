"""`FusedAPI`: all that can be asked of a server."""

from .._global_api import set_api
from .._server.credentials import credentials
from ._files import FilesApi
from ._jobs import JobsApi
from ._tokens import TokensApi


class FusedAPI(FilesApi, JobsApi, TokensApi):
    """What can be asked of a server: files, jobs, tokens, schedules, secrets, saved UDFs.

    Args:
        base_url: the server's address. None is the option `base_url`.
        shared_udf_base_url: where UDFs run by their tokens. None is the option `shared_udf_base_url`.
        set_global_api: make it the one that the functions of `fused.api` use.
        credentials_needed: fail where there are no credentials, if a server asks for them (kept for compatibility: the server decides).

    Methods raise HTTPError where the server refuses, and ServerNotConfiguredError, a RuntimeError that says what to set, without one.
    """

    def __init__(self, *, base_url: str | None = None, shared_udf_base_url: str | None = None, set_global_api: bool = True,
                 credentials_needed: bool = True) -> None:  # fmt: skip
        super().__init__(base_url, shared_udf_base_url)
        if credentials_needed:
            credentials()  # raises ValueError for those that cannot be used
        if set_global_api:
            set_api(self)
