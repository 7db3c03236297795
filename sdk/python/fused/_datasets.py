"""Datasets that a server knows by their places."""

from typing import Any, Dict, Optional

from ._server.server import call


def find_dataset(location: str, base_url: Optional[str] = None) -> Dict[str, Any]:
    """The dataset that a place belongs to: the one registered there, else at the longest part of its path that is registered.

    Args:
        location: a URL, like `s3://bucket/data/part.parquet`.
        base_url: the server to ask. None is the option `base_url`.

    Gives a dict with `id`, `location`, `description`, `storage_type`, `owner`, `public`, `created_at`, `updated_at` and more.
    Raises requests.HTTPError (HTTPError where `requests` is missing) where there is none (404) or the server refuses, RuntimeError
    without a server.
    """
    return call("GET", "datasets/find-by-location", params={"location": location}, base=base_url and base_url.rstrip("/"))


def register_dataset(dataset_path: str, base_url: Optional[str] = None) -> Dict[str, Any]:
    """Registers a folder as a dataset of your team, so that its files are indexed for queries by H3 cells.

    Args:
        dataset_path: the URL of the folder, which you must have access to.
        base_url: the server to ask. None is the option `base_url`.

    Gives a dict with `dataset_id`, `location`, `visit_status` (success, timeout or error), `items_discovered` and `new_items`.
    Raises requests.HTTPError (HTTPError where `requests` is missing) where the server refuses, RuntimeError without a server.
    """
    return call("POST", "datasets/register-from-url", params={"url": dataset_path}, base=base_url and base_url.rstrip("/"))
