"""The lab by REST: the same chains as JSON, PNG and NPZ."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Path, Response
from fastapi.responses import StreamingResponse

from ...hosting.admission import ADMITTED
from ...imaging.encoding import encode_image, stream_npz
from ...lab.chain import InvalidChain, write_chain
from ...lab.inspection import inspect
from ...lab.laboratory import UnknownSample
from ...lab.measures import difference
from ...lab.pictures import Look, draw
from ...lab.samples import SAMPLE_PICTURES, open_sample
from ...lab.samples import thumbnail as make_thumbnail
from ..api import attachment, file_response, json_response
from ..errors import POST_ERRORS, problem_responses
from ..forms import Theme
from .forms import MAX_WIDTH, LabRunDep
from .schemas import LabAnswer, LabCellAnswer, SampleSummary

router = APIRouter(tags=["lab"])

_REFUSED = problem_responses(HTTPStatus.NOT_FOUND) | POST_ERRORS
_NOT_FOUND = problem_responses(HTTPStatus.NOT_FOUND)
StepPath = Annotated[int, Path(description="The step's number, from 1; 0 is the picture itself.")]
ThemeField = Annotated[
    Theme, Form(description="The background near which zero is drawn in pictures with negative values.")
]
WidthField = Annotated[
    int | None,
    Form(ge=16, le=MAX_WIDTH, description="Reduce the picture by a whole factor to this width. Default: as it is."),
]


@router.get("/api/lab/samples")
def list_samples() -> list[SampleSummary]:
    """List the pictures that come with the lab."""
    return [SampleSummary.of(sample) for sample in SAMPLE_PICTURES.values()]


@router.get(
    "/api/lab/samples/{sample}.png",
    response_class=Response,
    responses=_NOT_FOUND | file_response("image/png"),
    dependencies=[ADMITTED],
)
def show_sample(sample: Annotated[str, Path(description="A sample's name.")], thumbnail: bool = False) -> Response:
    """Show a sample picture, or a small copy of it."""
    if sample not in SAMPLE_PICTURES:
        raise UnknownSample(sample)
    picture = make_thumbnail(sample) if thumbnail else open_sample(sample)
    return Response(encode_image(picture), media_type="image/png", headers={"Cache-Control": "max-age=86400"})


@router.post("/api/lab", response_model=LabAnswer, responses=_REFUSED)
def post_lab(run: LabRunDep) -> Response:
    """Run a chain of operations on a picture, and return the sizes and numbers of what each step makes of it.

    The pictures come as PNG from `/api/lab/steps/{step}.png`, and all values as NPZ from `/api/lab/values.npz`.
    """
    return json_response(LabAnswer.of(run.stages(), write_chain(run.chain)))


@router.post("/api/lab/values.npz", response_class=Response, responses=_REFUSED | file_response("application/zip"))
def post_lab_values(run: LabRunDep) -> Response:
    """Download the values of the picture and of every step as float32, (height, width, channels), for numpy.load.

    The names are `picture`, and each step's number and operation: `step_1_max`.
    """
    picture, *stages = run.stages()
    arrays = {"picture": picture.planes.transpose(1, 2, 0)}
    for number, (stage, step) in enumerate(zip(stages, run.chain, strict=True), 1):
        arrays[f"step_{number}_{step.name}"] = stage.planes.transpose(1, 2, 0)
    return StreamingResponse(stream_npz(arrays), media_type="application/zip", headers=attachment("lab.npz"))


@router.post("/api/lab/steps/{step}.png", response_class=Response, responses=_REFUSED | file_response("image/png"))
def post_lab_picture(
    run: LabRunDep, step: StepPath, theme: ThemeField = Theme.LIGHT, width: WidthField = None
) -> Response:
    """Draw what a step made, a pixel a value.

    Values from 0 to 1 are black to white; a larger maximum is white. Negative values are blue and positive ones red, on
    a scale symmetric about zero; of a picture in colour then the mean of its channels.
    """
    stage = run.stage(step)
    drawn = draw(stage.planes, float(stage.planes.min()), float(stage.planes.max()), Look(theme.signed, width))
    return Response(drawn.png, media_type="image/png", headers=attachment(f"lab-step-{step}.png"))


@router.post(
    "/api/lab/steps/{step}/difference.png", response_class=Response, responses=_REFUSED | file_response("image/png")
)
def post_lab_difference(
    run: LabRunDep, step: StepPath, theme: ThemeField = Theme.LIGHT, width: WidthField = None
) -> Response:
    """Draw how a pooled picture, enlarged again, differs from what was pooled: red where it is brighter."""
    stage = run.stage(step)
    if stage.pooled is None:
        raise InvalidChain(f"Step {step} is no pooling, so that there is nothing to enlarge again.")
    values = difference(stage.planes, stage.pooled.planes)
    drawn = draw(values, min(float(values.min()), -1e-6), float(values.max()), Look(theme.signed, width))
    return Response(drawn.png, media_type="image/png", headers=attachment(f"lab-step-{step}-difference.png"))


@router.post("/api/lab/steps/{step}/cells/{row},{column}", response_model=LabCellAnswer, responses=_REFUSED)
def post_lab_cell(
    run: LabRunDep,
    step: StepPath,
    row: Annotated[int, Path(description="From 0, top to bottom.")],
    column: Annotated[int, Path(description="From 0, left to right.")],
    channel: Annotated[int, Form(description="0 is red, or the only one; 1 green, 2 blue.")] = 0,
) -> Response:
    """Explain one value: what was read, and how it became this."""
    return json_response(LabCellAnswer.of(inspect(run.stage(step), row, column, channel)))
