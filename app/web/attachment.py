"""The header of an answer that is to be saved as a file."""

import re
from urllib.parse import quote


def attachment(filename: str) -> str:
    """Content-Disposition for a file of any name to be saved (RFC 6266)."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "-", filename)
    other = "" if plain == filename else f"; filename*=UTF-8''{quote(filename, safe='')}"
    return f'attachment; filename="{plain}"{other}'
