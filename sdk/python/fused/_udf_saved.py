"""What a UDF can do on a server: be saved, shared, scheduled and deleted."""

from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import quote

from ._udf_written import WrittenUdf

if TYPE_CHECKING:
    from types import EllipsisType

    from ._udf_object import Udf
    from .models.api import CronJob, CronJobSequence, UdfAccessToken, UdfAccessTokenList

_UNSAVED = "No saved UDF ID found in metadata."
_UNSAVED_TOKEN = f"{_UNSAVED} Save the UDF to Fused first with `.to_fused` and then create the access token."


class SavedUdf(WrittenUdf):
    """A UDF's methods that need a server. They raise ServerNotConfiguredError where there is none, HTTPError where it refuses."""

    def _saved_id(self, message: str = _UNSAVED) -> str:
        found = self._id()
        if found is None:
            raise ValueError(message)
        return found

    @property
    def catalog_url(self) -> str | None:
        """The address of its page in the workbench, or None where it is not saved or no server is configured."""
        if self._id() is None:
            return None
        from ._options import options

        origin = options.base_web_url
        return f"{origin}/workbench/catalog/{self.name}-{self._id()}" if origin else None

    def to_fused(self, *, overwrite: bool | None = None, collection_name: str | None = None, create_collection: bool = False,
                 **kwargs: Any) -> Self:  # fmt: skip
        """Saves it on the server under its name, and gives it with its id.

        One that is saved already is replaced; with `overwrite` another one of this name is, too, else the server decides what
        becomes of it. `slug` saves under another name. `collection_name` is where; default: "default". With `create_collection`
        it is made where there is none.

        Raises ValueError where it has no name.
        """
        from ._load_server import find_saved, place_of, take_answer
        from ._server.server import call
        from ._udf_code import renamed

        self.name: str | None = kwargs.get("slug") or self.name
        if not self.name:
            raise ValueError("Cannot save the UDF: it has no name")
        found = self._id()
        if found is None and overwrite:
            found = find_saved(self.name, collection_name)
        code, entrypoint = renamed(self.code, self.entrypoint)
        body = self.model_copy()
        body.code, body.entrypoint = code, entrypoint
        # The server knows under which id it keeps it.
        body.metadata = (
            None if self.metadata is None else {key: value for key, value in self.metadata.items() if key != "fused:id"}
        )
        request = {
            "slug": self.name,
            "udf_body": body.model_dump_json(),
            "udf_type": "auto",
            "allow_public_read": bool(kwargs.get("allow_public_read", False)),
            "allow_public_list": bool(kwargs.get("allow_public_list", False)),
            "collection_id": place_of(collection_name, create_collection),
        }
        take_answer(self, call("POST", f"udf/by-id/{quote(found, safe='')}" if found else "udf/new", json=request))
        return self

    def delete_saved(self, inplace: bool = True) -> Self:
        """Deletes it on the server and gives it without its id. `inplace` changes this object, else it is a copy.

        Raises ValueError where it is not saved.
        """
        from ._server.server import call

        call("DELETE", f"udf/by-id/{quote(self._saved_id(), safe='')}")
        udf = self if inplace else self.model_copy()
        udf.metadata = {name: value for name, value in (udf.metadata or {}).items() if name != "fused:id"}
        return udf

    def schedule(self, minute: list[int] | int, hour: list[int] | int, day_of_month: list[int] | int | None = None,
                 month: list[int] | int | None = None, day_of_week: list[int] | int | None = None,
                 udf_args: dict[str, Any] | None = None, enabled: bool = True, _create_udf: bool = True,
                 **kwargs: Any) -> "CronJob":  # fmt: skip
        """Runs it on the server at these times (UTC), in place of its schedule so far; saves it first.

        minute: 0 to 59; hour: 0 to 23; day_of_month: 1 to 31; month: 1 to 12; day_of_week: 0 (Sunday) to 6.
            One or several; None is all.
        udf_args: the parameters of the runs.
        """
        from .models.api import CronJob

        return CronJob.from_udf(cast("Udf", self), minute, hour, day_of_month, month, day_of_week, udf_args, enabled,
                                _create_udf=_create_udf, **kwargs)  # fmt: skip

    def get_schedule(self) -> "CronJobSequence":
        """Its schedules on the server. Raises ValueError where it is not saved."""
        from ._global_api import get_api

        return get_api().get_cronjobs_for_udf(self._saved_id())

    def create_access_token(self, *, client_id: "str | EllipsisType | None" = ..., public_read: bool | None = None,
                            access_scope: str | None = None, cache: bool = True, metadata_json: dict[str, Any] | None = None,
                            enabled: bool = True) -> "UdfAccessToken":  # fmt: skip
        """Makes a token that lets whoever has it run this UDF, in your name, with the parameters that they choose.

        The arguments are those of `fused.api.create_udf_access_token`. Raises ValueError where it is not saved.
        """
        from ._global_api import get_api

        return get_api().create_udf_access_token(
            udf_id=self._saved_id(_UNSAVED_TOKEN),
            client_id=client_id,
            public_read=public_read,
            access_scope=access_scope,
            cache=cache,
            metadata_json=metadata_json,
            enabled=enabled,
        )

    def get_access_tokens(self) -> "UdfAccessTokenList":
        """Your tokens of this UDF. Raises ValueError where it is not saved."""
        from ._global_api import get_api

        found = self._saved_id(_UNSAVED_TOKEN)
        tokens = get_api().get_udf_access_tokens()
        return type(tokens)(token for token in tokens if token.udf_id == found)

    def get_access_token(self) -> "UdfAccessToken | None":
        """The first of these tokens that is enabled, or None. Raises ValueError where it is not saved."""
        return next((token for token in self.get_access_tokens() if token.enabled), None)

    def shared_url(self, format: str | None = None) -> str | None:
        """The address that runs it by that token, or None where it has none. `format` is the result's, such as "png".

        Raises ValueError where it is not saved.
        """
        token = self.get_access_token()
        return None if token is None else token.get_file_url(format=format)

    def invalidate_cache(self, *, z: int | None = None, x: int | None = None, y: int | None = None) -> Self:
        """Deletes the results that the server keeps of it: all, or those of one tile.

        Raises ValueError where it is not saved, or for a tile of which not all three numbers are given.
        """
        found = self._saved_id()
        tile = {"z": z, "x": x, "y": y}
        given = [value for value in tile.values() if value is not None]
        if given and len(given) < len(tile):
            raise ValueError("All three tile coordinates (z, x, y) must be provided together")
        from ._server.server import call, client_id

        call("DELETE", f"realtime-shared/{client_id()}/udf-cache/by-id/{quote(found, safe='')}/delete", params=tile)
        return self

    def delete_cache(self) -> None:
        """The old name of `invalidate_cache()`."""
        import warnings

        warnings.warn("Udf.delete_cache is the old name of Udf.invalidate_cache", DeprecationWarning, stacklevel=2)
        self.invalidate_cache()
