"""Access tokens of UDFs, and schedules, on a server."""

import uuid
import warnings
from types import EllipsisType
from typing import Any

from .._validation import Model, field, flag, mapping, optional, text
from ..models.api._cronjob import CronJob, CronJobSequence
from ..models.api.udf_access_token import UdfAccessToken, UdfAccessTokenList
from ..models.internal.job import RunResponse
from ..warnings import FusedIgnoredWarning
from ._account import AccountApi
from ._connection import in_path


class CreateUdfAccessTokenRequest(Model):
    """What a new token is to be."""

    udf_email: str | None = field(optional(text), default=None)
    udf_slug: str | None = field(optional(text), default=None)
    udf_id: str | None = field(optional(text), default=None)
    client_id: str | None = field(optional(text), default=None)
    public_read: bool | None = field(optional(flag), default=None)
    access_scope: str | None = field(optional(text), default=None)
    cache: bool = field(flag, default=True)
    metadata_json: dict[str, Any] = field(mapping, default_factory=dict)
    enabled: bool = field(flag, default=True)


class TokensApi(AccountApi):
    """The part of FusedAPI for access tokens and schedules."""

    def create_udf_access_token(self, udf_email_or_name_or_id: str | None = None, /, udf_name: str | None = None, *,
                                udf_email: str | None = None, udf_id: str | None = None,
                                client_id: str | EllipsisType | None = ..., public_read: bool | None = None,
                                access_scope: str | None = None, cache: bool = True, metadata_json: dict[str, Any] | None = None,
                                enabled: bool = True) -> UdfAccessToken:  # fmt: skip
        """Makes a token that lets whoever has it run a UDF, in your name, with the parameters that they choose. It runs no other UDF.

        Args:
            udf_email_or_name_or_id: the UDF: its id, its name, or `user/name`; with `udf_name`, its owner.
            udf_name: the name of the UDF.
            udf_email: the e-mail address of its owner. None is you, for a name alone.
            udf_id: its id, instead of all of these.
            client_id: the realtime client that runs it. `...` is the one for you, None the one of whoever asks.
            public_read: whether anybody may read the code.
            access_scope: who may use it.
            cache: whether results are kept.
            metadata_json: values of your own.
            enabled: whether it works at all.

        Raises ValueError where no UDF is named.
        """
        if udf_id is not None:
            if (udf_email_or_name_or_id, udf_name, udf_email) != (None, None, None):
                warnings.warn(FusedIgnoredWarning("All other ways of specifying the UDF are ignored in favor of udf_id."), stacklevel=2)
            udf_name = udf_email = None
        elif udf_name is not None:
            if udf_email_or_name_or_id is not None:
                if udf_email is not None:
                    message = "udf_email is ignored in favor of the first argument."
                    warnings.warn(FusedIgnoredWarning(message), stacklevel=2)
                udf_email = udf_email_or_name_or_id
        elif udf_email_or_name_or_id is None:
            raise ValueError("No UDF specified to create an access token for.")
        elif _is_uuid(udf_email_or_name_or_id):
            udf_id = udf_email_or_name_or_id
        elif "/" in udf_email_or_name_or_id:
            udf_email, udf_name = udf_email_or_name_or_id.split("/", 1)
        else:
            udf_name = udf_email_or_name_or_id
            udf_email = self._whoami()["email"]
        body = CreateUdfAccessTokenRequest(
            udf_email=udf_email,
            udf_slug=udf_name,
            udf_id=udf_id,
            client_id=self._client_id() if client_id is ... else client_id,
            public_read=public_read,
            access_scope=access_scope,
            cache=cache,
            metadata_json=metadata_json or {},
            enabled=enabled,
        )
        return UdfAccessToken.model_validate(self._call("POST", "udf-access-token/new", json=body.model_dump()))

    def get_udf_access_tokens(self, n: int | None = None, *, skip: int = 0, per_request: int = 25,
                              max_requests: int | None = 1) -> UdfAccessTokenList:  # fmt: skip
        """Your tokens.

        Args:
            n: how many. None is all.
            skip: how many to leave out.
            per_request: how many to ask for at a time.
            max_requests: how often to ask, where `n` is given. None is as often as needed.
        """
        found = self._pages("udf-access-token/self", n, skip, per_request, max_requests)
        return UdfAccessTokenList(map(UdfAccessToken.model_validate, found))

    def get_udf_access_token(self, token: str | UdfAccessToken) -> UdfAccessToken:
        """What is known of a token."""
        return UdfAccessToken.model_validate(self._call("GET", _token_path(token)))

    def update_udf_access_token(self, token: str | UdfAccessToken, *, client_id: str | None = None, public_read: bool | None = None,
                                access_scope: str | None = None, cache: bool | None = None,
                                metadata_json: dict[str, Any] | None = None, enabled: bool | None = None) -> UdfAccessToken:  # fmt: skip
        """Changes a token; None leaves a value as it is. Gives it as it is then."""
        body = {"client_id": client_id, "cache": cache, "public_read": public_read, "access_scope": access_scope,
                "metadata_json": metadata_json, "enabled": enabled}  # fmt: skip
        return UdfAccessToken.model_validate(self._call("POST", _token_path(token), json=body))

    def delete_udf_access_token(self, token: str | UdfAccessToken) -> UdfAccessToken:
        """Deletes a token. Gives what it was."""
        return UdfAccessToken.model_validate(self._call("DELETE", _token_path(token)))

    def list_cronjobs(self) -> CronJobSequence:
        """The schedules of the team."""
        return CronJobSequence.model_validate(self._call("GET", "cronjob/get-self"))

    def get_cronjob(self, cronjob_id: str) -> CronJob:
        """The schedule of that id."""
        return CronJob.model_validate(self._call("GET", f"cronjob/by-id/{in_path(cronjob_id)}"))

    def get_cronjobs_for_udf(self, udf_id: str) -> CronJobSequence:
        """The schedules of a saved UDF."""
        return CronJobSequence.model_validate(self._call("GET", f"cronjob/by-udf-id/{in_path(udf_id)}"))

    def create_cronjob(self, cronjob: CronJob) -> CronJob:
        """Saves a new schedule. Gives it as the server has it."""
        return CronJob.model_validate(self._call("POST", "cronjob/create", json=cronjob.model_dump(mode="json", by_alias=True)))

    def update_cronjob(self, cronjob: CronJob) -> CronJob:
        """Saves the changes of a schedule."""
        path = f"cronjob/by-id/{in_path(cronjob.id or '')}"
        return CronJob.model_validate(self._call("POST", path, json=cronjob.model_dump(mode="json", by_alias=True)))

    def delete_cronjob(self, cronjob_id: str) -> CronJob:
        """Deletes a schedule. Gives what it was."""
        return CronJob.model_validate(self._call("DELETE", f"cronjob/by-id/{in_path(cronjob_id)}"))

    def run_cronjob(self, cronjob_id: str) -> dict[str, Any]:
        """Runs a schedule's UDF now: `run` is the job (RunResponse), `cronjob` the schedule."""
        answer = self._call("POST", f"cronjob/user-run/by-id/{in_path(cronjob_id)}", json={})
        return {"run": RunResponse.model_validate(answer["run"]), "cronjob": CronJob.model_validate(answer["cronjob"])}


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _token_path(token: str | UdfAccessToken) -> str:
    return f"udf-access-token/by-token/{in_path(token.token if isinstance(token, UdfAccessToken) else token)}"
