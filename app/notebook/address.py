"""The address of a page that opens with a model and a picture."""

import base64
import io
from urllib.parse import urlencode

from ..imaging.drawing import DrawingLimits, decode

_MOST_BYTES = 256 * 1024  # of a picture in the address, which a notebook keeps in its file
_REDUCED_SIDE = 1024  # pixels, in which the page looks for ink
_QUALITY = 85  # of WebP
_LIMITS = DrawingLimits(64 * 2**20, 8192)


def page_path(model: str | None = None, picture: bytes | None = None) -> str:
    """Return the page's path with what it opens with. static/carried_picture.js reads the picture.

    Raises: InvalidDrawing, if that cannot be read.
    """
    path = f"/?{urlencode({'model': model})}" if model else "/"
    if picture is None:
        return path
    return f"{path}#p={base64.urlsafe_b64encode(_fit(picture)).decode('ascii').rstrip('=')}"


def _fit(picture: bytes) -> bytes:
    """Return a file as it is, or a smaller one of the same picture."""
    decoded = decode(picture, _LIMITS)
    if len(picture) <= _MOST_BYTES:
        return picture
    decoded.thumbnail((_REDUCED_SIDE, _REDUCED_SIDE))
    reduced = io.BytesIO()
    decoded.save(reduced, "WEBP", quality=_QUALITY)
    return reduced.getvalue()
