"""What is known of a file."""

import datetime

from ..._validation import Model, field, flag, integer, moment, optional, text


class ListDetails(Model):
    """An entry of a folder: its place, its name, whether it is a folder, its size in bytes, when it was last changed."""

    url: str = field(text)
    file_name: str = field(text)
    is_directory: bool = field(flag, default=False)
    size: int | None = field(optional(integer), default=None)
    last_modified: datetime.datetime | None = field(optional(moment), default=None)
