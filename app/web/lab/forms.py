"""From a request for the lab to a picture, and what each step of a chain makes of it."""

import json
from dataclasses import dataclass
from typing import Annotated, Any

from anyio import to_thread
from fastapi import Depends, File, Form, Query, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError

from ...hosting.admission import admit
from ...imaging.drawing import READ
from ...lab.chain import Chain, InvalidChain, read_chain, read_steps
from ...lab.kernels import WORDS
from ...lab.laboratory import Laboratory, NoStep, Source, Stage
from ...lab.samples import FIRST_PICTURE, SAMPLE_PICTURES
from ..forms import Theme

DEFAULT_CHAIN = "max,convolution,activation,max"
OWN, DRAWING = "own", "drawing"  # pictures that no address holds, and the pad's, which its fragment does
MAX_WIDTH = 2048
MOST_TEXT = 16_384


class LabQuery(BaseModel):
    """The query of the lab's address."""

    picture: str = FIRST_PICTURE
    grey: bool = False
    chain: Annotated[str, Field(max_length=MOST_TEXT)] = DEFAULT_CHAIN
    step: Annotated[int, Field(ge=0)] | None = None  # of the cell under the microscope, and so the next three
    row: Annotated[int, Field(ge=0)] = 0
    column: Annotated[int, Field(ge=0)] = 0
    channel: Annotated[int, Field(ge=0, le=2)] = 0


class LabForm(LabQuery):
    """The fields of the lab's form beside a picture's file."""

    width: Annotated[int, Field(ge=16, le=MAX_WIDTH)] = 480  # pixels that a picture has on the screen
    theme: Theme = Theme.LIGHT
    have: str = ""  # the pictures that the page has already, by their keys
    lean: bool = False  # a slider is being dragged: what takes long is left for later
    differences: str = ""  # the steps whose difference is shown
    digest: str | None = None  # of a picture that was sent before
    precise: bool = False

    @property
    def shown_differences(self) -> set[int]:
        return {int(each) for each in self.differences.split(",") if each.isdecimal()}


LabQueryDep = Annotated[LabQuery, Query()]


@dataclass(frozen=True)
class LabRequest:
    """The lab's form, and the picture that it is about."""

    form: LabForm
    source: Source
    laboratory: Laboratory


def laboratory_of(request: Request) -> Laboratory:
    laboratory: Laboratory = request.app.state.laboratory
    return laboratory


async def get_lab_request(
    request: Request, file: Annotated[UploadFile | None, File(description="The picture, where it is no sample.")] = None
) -> LabRequest:
    """Read the lab's form.

    Raises: RequestValidationError, UnknownSample, PictureForgotten, InvalidDrawing, DrawingTooLarge.
    """
    fields = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    try:
        form = LabForm.model_validate({name: value for name, value in fields.items() if value or name == "chain"})
    except ValidationError as error:
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in error.errors()]) from None
    await admit(request)
    laboratory = laboratory_of(request)
    if form.picture in SAMPLE_PICTURES or (file is None and form.digest is None):
        return LabRequest(form, laboratory.sample(form.picture, form.grey), laboratory)
    if file is None:
        return LabRequest(form, laboratory.known(form.digest or "", form.grey), laboratory)
    data = await file.read()
    source = await to_thread.run_sync(laboratory.picture, data, form.grey)
    return LabRequest(form, source, laboratory)


LabRequestDep = Annotated[LabRequest, Depends(get_lab_request)]


@dataclass(frozen=True)
class LabRun:
    """A picture, and the chain that is run on it."""

    laboratory: Laboratory
    source: Source
    chain: Chain

    def stages(self) -> list[Stage]:
        """Return the picture and what each step makes of it. Raises: InvalidChain."""
        return self.laboratory.run(self.source, self.chain)

    def stage(self, number: int) -> Stage:
        """Return what one step makes; 0 is the picture. Raises: InvalidChain, NoStep."""
        if not 0 <= number <= len(self.chain):
            raise NoStep(number, len(self.chain))
        return self.laboratory.run(self.source, self.chain[:number])[-1]


_STEPS = (
    "The steps, as a JSON list of at most 12 objects: each has its `operation` and the settings that are not as by "
    "default. See `LabAnswer.steps` for all of them. Kernels by name: " + ", ".join(WORDS) + "."
)
_EXAMPLE = json.dumps(
    [
        {"operation": "convolution", "kernel": "edge-right"},
        {"operation": "activation"},
        {"operation": "max", "window": 3},
    ]
)


async def get_lab_run(
    request: Request,
    picture: Annotated[
        UploadFile | None, File(description=f"A picture: {READ}, up to 4 MB and 2,048×2,048 pixels.")
    ] = None,
    sample: Annotated[str | None, Form(description="Or a sample by its name; see /api/lab/samples.")] = None,
    steps: Annotated[str | None, Form(description=_STEPS, examples=[_EXAMPLE])] = None,
    chain: Annotated[
        str | None,
        Form(
            description="Or the steps as the address of the page has them.",
            examples=["convolution:kernel=edge-right,activation,max:window=3"],
        ),
    ] = None,
    grey: Annotated[bool, Form(description="Work on luminance (ITU-R BT.601) instead of red, green and blue.")] = False,
) -> LabRun:
    """Return the picture and the chain of a request, once it has its turn.

    Raises: InvalidChain, UnknownSample, InvalidDrawing, DrawingTooLarge, Overloaded, ClientDisconnected.
    """
    if (picture is None) == (sample is None):
        raise InvalidChain("Send a picture as the file “picture”, or name a sample as “sample”: one of the two.")
    if steps is not None and chain is not None:
        raise InvalidChain("Send the chain as “steps” or as “chain”, not as both.")
    read = read_steps(_parse(steps)) if steps is not None else read_chain(chain or "")
    laboratory = laboratory_of(request)
    if sample is not None:
        source = laboratory.sample(sample, grey)
        await admit(request)
        return LabRun(laboratory, source, read)
    assert picture is not None
    await admit(request)
    data = await picture.read()
    return LabRun(laboratory, await to_thread.run_sync(laboratory.picture, data, grey), read)


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidChain(f"“steps” is no JSON: {str(error)[:80]}. Send a list such as {_EXAMPLE}.") from error


LabRunDep = Annotated[LabRun, Depends(get_lab_run)]
