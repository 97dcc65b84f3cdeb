"""A person's own pictures instead of MNIST's digits: which there are, and the way of one onto the pad."""

import base64
from typing import Annotated
from urllib.parse import urlencode

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse

from ...atlas.examples import Examples, ExampleSet, PictureExamples
from ...cnn.network import Network
from ...explore.evaluation import NotForDigits, right_labels
from ...explore.gallery import UnknownDigit
from ...explore.picture_folders import PictureFolders
from ...imaging.drawing import DrawingLimits

router = APIRouter(prefix="/atlas/pictures", include_in_schema=False)

_LINKED_SIDE = 96  # pixels of the copy that a link holds, as carried_picture.js makes it


def choose_examples(request: Request, pictures: str | None, count: int) -> ExampleSet:
    """Return so many of the pictures in the folder of this name, or of MNIST's test digits.

    Raises: UnknownPictures, NoPictures.
    """
    if not pictures:
        return Examples(count)
    folders: PictureFolders = request.app.state.pictures
    limits: DrawingLimits = request.app.state.forward_passes.limits
    return PictureExamples(folders.folder(pictures), count, limits)


def why_not_digits(network: Network) -> str | None:
    """Return why MNIST's digits say little of a network; None for one whose classes are digits."""
    try:
        right_labels(network)
    except NotForDigits:
        return (
            f"“{network.name}” was not trained to read digits, so those that excite its maps most need not be what "
            "they look for."
        )
    return None


@router.get("/{pictures}/{number}")
async def open_on_pad(
    request: Request,
    pictures: Annotated[str, Path()],
    number: Annotated[int, Path(ge=0)],
    model: Annotated[str | None, Query()] = None,
    pooling: Annotated[str | None, Query()] = None,
    layer: Annotated[str | None, Query()] = None,
    channel: Annotated[int | None, Query()] = None,
    row: Annotated[int | None, Query()] = None,
    column: Annotated[int | None, Query()] = None,
) -> RedirectResponse:
    """Lead to the page with a small copy of this picture on its pad, and a cell under the microscope.

    Raises: UnknownPictures, NoPictures, UnknownDigit, InvalidDrawing.
    """
    folder = request.app.state.pictures.folder(pictures)
    if number >= len(folder.files):
        raise UnknownDigit(f"“{pictures}” has the pictures 0 to {len(folder.files) - 1:,}. Received: {number:,}.")
    examples = choose_examples(request, pictures, len(folder.files))
    assert isinstance(examples, PictureExamples)
    copied = await to_thread.run_sync(examples.copy, number, _LINKED_SIDE)
    copy = base64.urlsafe_b64encode(copied).decode("ascii").rstrip("=")
    chosen = {"model": model, "pooling": pooling, "layer": layer, "channel": channel, "row": row, "column": column}
    query = urlencode({name: value for name, value in chosen.items() if value is not None})
    # In the fragment, which no server sees: carried_picture.js puts it onto the pad.
    return RedirectResponse(f"/?{query}#p={copy}", headers={"Cache-Control": "no-store"})
