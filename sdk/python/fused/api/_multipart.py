"""Bodies of the type multipart/form-data (RFC 7578)."""

from collections.abc import Mapping


def multipart(fields: Mapping[str, str], file_name: str, content: bytes) -> tuple[str, bytes]:
    """Media type and body of a form with some fields, and a file called `file` as the last one, as storages want it."""
    from secrets import token_hex

    boundary = token_hex(16)
    parts = []
    for name, value in fields.items():
        parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n{value}\r\n'.encode())
    parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{_quoted(file_name)}"\r\n\r\n'.encode())
    return f"multipart/form-data; boundary={boundary}", b"".join([*parts, content, f"\r\n--{boundary}--\r\n".encode()])


def _quoted(name: str) -> str:
    """A name as HTML's forms write it: it must not end the header."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
