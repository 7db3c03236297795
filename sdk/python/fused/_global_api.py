"""The FusedAPI that the functions of `fused.api` and the models use."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .api.api import FusedAPI

_api: "FusedAPI | None" = None


def get_api() -> "FusedAPI":
    """The one that was made last with `set_global_api=True`, else one for `fused.options.base_url`."""
    if _api is not None:
        return _api
    from .api.api import FusedAPI

    # It is not kept: it follows the options.
    return FusedAPI(set_global_api=False)


def set_api(api: "FusedAPI") -> None:
    """Makes it the one to use from now on."""
    global _api
    _api = api


def reset_api() -> None:
    """Forgets it: `fused.options.base_url` counts again."""
    global _api
    _api = None
