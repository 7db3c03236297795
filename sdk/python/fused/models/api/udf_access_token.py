"""Tokens that let whoever has them run a UDF."""

import datetime
import warnings
from typing import Any
from urllib.parse import urlencode

from ..._global_api import get_api
from ..._validation import Model, field, flag, mapping, moment, optional, text


class UdfAccessToken(Model):
    """A token that lets whoever has it run one UDF, as its owner, with parameters of their choice.

    The methods that ask the server raise HTTPError where it refuses, and RuntimeError where none is configured.
    """

    token: str = field(text)
    udf_email: str | None = field(optional(text), default=None)
    udf_slug: str | None = field(optional(text), default=None)
    udf_id: str | None = field(optional(text), default=None)
    enabled: bool = field(flag)
    owning_user_id: str | None = field(optional(text), default=None)
    owning_execution_environment_id: str | None = field(optional(text), default=None)
    client_id: str | None = field(optional(text))
    public_read: bool | None = field(optional(flag), default=None)
    access_scope: str | None = field(optional(text), default=None)
    cache: bool | None = field(optional(flag), default=None)
    metadata_json: dict[str, Any] | None = field(optional(mapping))
    last_updated: datetime.datetime = field(moment)

    def update(self, client_id: str | None = None, cache: bool | None = None, metadata_json: dict[str, Any] | None = None,
               public_read: bool | None = None, access_scope: str | None = None, enabled: bool | None = None,
               inplace: bool = False) -> "UdfAccessToken":  # fmt: skip
        """Changes the token on the server; None leaves a value as it is. Gives the changed one, itself with `inplace`."""
        return self._become(
            get_api().update_udf_access_token(
                self.token,
                client_id=client_id,
                public_read=public_read,
                access_scope=access_scope,
                cache=cache,
                metadata_json=metadata_json,
                enabled=enabled,
            ),
            inplace,
        )

    def refresh(self, inplace: bool = False) -> "UdfAccessToken":
        """The token as the server has it now; itself with `inplace`."""
        return self._become(get_api().get_udf_access_token(self.token), inplace)

    def delete(self) -> "UdfAccessToken":
        """Deletes the token on the server: it runs nothing any more. Gives what it was."""
        return get_api().delete_udf_access_token(self.token)

    def get_file_url(self, *, format: str | None = None, dtype_out_vector: str | None = None,
                     dtype_out_raster: str | None = None) -> str:  # fmt: skip
        """The URL that runs the UDF.

        Args:
            format: what the answer is to be, like `png` or `parquet`; several with commas, the best first. None is the server's choice.
            dtype_out_vector: deprecated, use `format`.
            dtype_out_raster: deprecated, use `format`.

        Raises ValueError for `format` beside one of the deprecated ones.
        """
        return f"{get_api().shared_udf_base_url}/{self.token}/run{_query(format, dtype_out_vector, dtype_out_raster)}"

    def get_tile_url(self, *, x: int | str | None = None, y: int | str | None = None, z: int | str | None = None,
                     format: str | None = None, dtype_out_vector: str | None = None,
                     dtype_out_raster: str | None = None) -> str:  # fmt: skip
        """The URL that runs the UDF for a map tile; without x, y and z it has `{x}`, `{y}`, `{z}` in their places, as map libraries take
        it.

        Args:
            x, y, z: the tile, all or none of them.
            format, dtype_out_vector, dtype_out_raster: as in `get_file_url`.

        Raises ValueError for some of x, y and z.
        """
        query = _query(format, dtype_out_vector, dtype_out_raster)
        if x is None and y is None and z is None:
            x, y, z = "{x}", "{y}", "{z}"
        elif x is None or y is None or z is None:
            raise ValueError("All of x, y, and z must be specified")
        return f"{get_api().shared_udf_base_url}/{self.token}/run/tiles/{z}/{x}/{y}{query}"

    def _become(self, new: "UdfAccessToken", inplace: bool) -> "UdfAccessToken":
        if not inplace:
            return new
        vars(self).update(vars(new))
        return self


class UdfAccessTokenList(list[UdfAccessToken]):
    """A list of UdfAccessToken."""


def _query(format: str | None, vector: str | None, raster: str | None) -> str:
    if vector is not None or raster is not None:
        if format is not None:
            raise ValueError("Cannot specify both format and dtype_out_*")
        from ...warnings import FusedDeprecationWarning

        warnings.warn(FusedDeprecationWarning("dtype_out_vector and dtype_out_raster are deprecated: use format"), stacklevel=3)
    given = {"format": format, "dtype_out_vector": vector, "dtype_out_raster": raster}
    query = urlencode({name: value for name, value in given.items() if value})
    return f"?{query}" if query else ""
