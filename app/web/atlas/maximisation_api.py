"""The REST API of images that are made to excite a map, each beside the real picture that does so most."""

from http import HTTPStatus
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from ...atlas.ascent import FEWEST_STEPS, LARGEST_SHIFT, MOST_STEPS, USUAL_STEPS, Penalties
from ...atlas.goals import Part
from ...atlas.maximisation import Maximisation, MaximisationRun, Picture
from ...atlas.patch_pictures import draw_patch
from ...cnn.cells import JsonFloat
from ...cnn.types import PoolingMode
from ...imaging.encoding import encode_npz
from ...imaging.sheet import Item, draw_sheet
from ..api import attachment, file_response
from ..errors import problem_responses
from ..forms import LayerDep
from .api import Region, RunDep, find, name_example
from .runs import begin

router = APIRouter(prefix="/api/models/{model}/layers/{layer}", tags=["atlas"])

_REFUSED = problem_responses(HTTPStatus.NOT_FOUND)
_MOST_SEED = 2**31 - 1
_USUAL = Penalties()
_SHEET_ZOOM = 4
Steps = Annotated[
    int,
    Query(
        description=f"Of gradient ascent, {FEWEST_STEPS} to {MOST_STEPS}.",
        json_schema_extra={"minimum": FEWEST_STEPS, "maximum": MOST_STEPS},
    ),
]


class MadePicture(BaseModel):
    """An image, and what it makes of the number that is raised."""

    value: JsonFloat
    row: int = Field(description="Of the map's strongest cell.")
    column: int = Field(description="In a vector, the unit.")
    region: Region = Field(description="That cell's receptive field; of a mean, the whole image.")

    @classmethod
    def of(cls, picture: Picture) -> "MadePicture":
        region = Region(**picture.region._asdict())
        return cls(value=picture.value, row=picture.row, column=picture.column, region=region)


class RealPicture(MadePicture):
    """A real picture that excites the map."""

    digit: str | None = Field(description="Its name, such as test-7; null for a picture.")
    picture: str | None = Field(description="Its file name, for one of the server's folders.")
    label: int = Field(description="What the digit is; of a picture the number of its class.")
    class_name: str = Field(description="The same in words.")


class MaximisationAnswer(BaseModel):
    """An image that was made to excite a map, and what it is to be seen beside."""

    model: str
    layer: str
    channel: int
    pooling: PoolingMode | None
    part: Part
    is_logit: bool = Field(description="The number is what softmax, or the logistic function, reads.")
    steps: int
    seed: int
    start: MadePicture = Field(description="The image that was begun with: paper and faint noise.")
    made: MadePicture
    without_penalties: MadePicture = Field(description="As many steps from the same start, without any penalty.")
    example: RealPicture = Field(description="Of the nine that excite the map most, that with the highest number.")

    @classmethod
    def of(cls, found: Maximisation) -> "MaximisationAnswer":
        run, patch = found.run, found.patch
        names = name_example(run.found.examples, patch)
        example = RealPicture(
            **dict(MadePicture.of(found.example)),
            digit=names["digit"],
            picture=names["picture"],
            label=patch.label,
            class_name=patch.class_name,
        )
        return cls(
            model=run.network.name,
            layer=run.layer,
            channel=run.number,
            pooling=run.pooling,
            part=run.part,
            is_logit=run.goal.is_logit,
            steps=run.steps,
            seed=run.seed,
            start=MadePicture.of(found.start),
            made=MadePicture.of(found.made),
            without_penalties=MadePicture.of(found.without_penalties),
            example=example,
        )


async def get_maximisation(
    request: Request,
    run: RunDep,
    layer: LayerDep,
    channel: Annotated[int, Query(description="The map; in a vector the unit, which for a class is its logit.")],
    part: Annotated[Part, Query(description="Of a map: its strongest cell, or the mean of all.")] = Part.CELL,
    steps: Steps = USUAL_STEPS,
    seed: Annotated[int, Query(ge=0, le=_MOST_SEED, description="Of the start and of the shifts.")] = 0,
    smoothness: Annotated[
        float, Query(ge=0, le=1, description="Weight of the total variation; 0 is none.")
    ] = _USUAL.smoothness,
    low_frequencies: Annotated[bool, Query(description="Whether low frequencies count for more.")] = True,
    shift: Annotated[
        int,
        Query(ge=0, le=LARGEST_SHIFT, description="Pixels by which the image is moved in a step, at most."),
    ] = _USUAL.shift,
) -> Maximisation:
    """Make an image, or return what is remembered.

    Raises: InvalidAscent, UnknownCell, NoMaps, NoGradient, NoSuchCount, NotForDigits, WrongImageSize, TooCostly,
    TooLongForOneAnswer.
    """
    found = await find(request, run, layer)
    penalties = Penalties(smoothness, low_frequencies, shift)
    making = MaximisationRun(found, layer.name, channel, part, penalties, steps, seed)
    return await (await begin(request, making)).wait()


MaximisationDep = Annotated[Maximisation, Depends(get_maximisation)]


@router.get("/maximisation", response_model=MaximisationAnswer, responses=_REFUSED)
async def show_maximisation(found: MaximisationDep) -> Response:
    """Make an image that excites a map, or raises a logit, by gradient ascent with penalties that keep it honest.

    Beside it stand the real picture that excites the map most, and an image made without penalties.
    """
    return Response(MaximisationAnswer.of(found).model_dump_json(), media_type="application/json")


@router.get("/maximisation.png", response_class=Response, responses=_REFUSED | file_response("image/png"))
async def draw_maximisation(found: MaximisationDep) -> Response:
    """Draw the real picture, the image that was made, and the one without penalties, each with its value."""
    items, pngs = await to_thread.run_sync(_draw, found)
    return StreamingResponse(draw_sheet(items, pngs), media_type="image/png")


@router.get("/maximisation.npz", response_class=Response, responses=_REFUSED | file_response("application/zip"))
async def save_maximisation(found: MaximisationDep) -> Response:
    """Save the images as arrays, as the network sees them: start, made, without_penalties, example."""
    run = found.run
    names = ("start", "made", "without_penalties", "example")
    arrays = {name: getattr(found, name).image for name in names}
    headers = attachment(f"{run.network.name}-{run.layer}-{run.number}-maximisation.npz")
    return Response(await to_thread.run_sync(encode_npz, arrays), media_type="application/zip", headers=headers)


def _draw(found: Maximisation) -> tuple[list[Item], list[bytes | None]]:
    card = found.run.network.card
    pictures = {
        f"{found.patch.name}, a real picture": found.example,
        "made, with penalties": found.made,
        "made without penalties": found.without_penalties,
    }
    pngs: list[bytes | None] = [draw_patch(each.image, card, each.region) for each in pictures.values()]
    sides = [_measure(png) for png in pngs if png]
    items = [
        Item(f"{words}: {each.value:.4g}", _SHEET_ZOOM * width, _SHEET_ZOOM * height)
        for (words, each), (width, height) in zip(pictures.items(), sides, strict=True)
    ]
    return items, pngs


def _measure(png: bytes) -> tuple[int, int]:
    """Return the width and height in pixels of a PNG that was written here (ISO/IEC 15948, 11.2.2)."""
    return int.from_bytes(png[16:20]), int.from_bytes(png[20:24])
