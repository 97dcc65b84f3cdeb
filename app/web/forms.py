"""From a request's path, query and form to domain values.

FastAPI re-inspects every field per request. So the page's request, which is sent at every move of the pen, has few
dependencies, and one model validates all of its fields at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, File, Form, HTTPException, Path, Query, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, Json, ValidationError
from starlette.datastructures import UploadFile as FormFile

from ..cnn.card import Held as HeldOnCard
from ..cnn.card import Line
from ..cnn.edits import Edits
from ..cnn.kinds import Layer
from ..cnn.network import Network
from ..cnn.types import PoolingMode
from ..explore.drawing_runs import DrawingRun
from ..explore.edits_file import read_edits
from ..explore.exploration import RenderOptions
from ..explore.held import HeldValue
from ..explore.trials import Trials
from ..hosting.admission import admit
from ..imaging.colormap import Colormap, Scale
from ..imaging.drawing import FIRST_SAMPLE, READ, REGION_PATTERN, SAMPLES, Box, DrawingLimits, read_region
from ..imaging.grid import COLUMNS
from ..library.edited import EditedNetworks
from ..library.library import Library
from ..library.readings import Readings

MAX_COLUMNS = 64
MAX_ZOOM = 32
MAX_OPENING = 4  # models opened at once, of each origin

_opening_built_in, _opening_others = CapacityLimiter(MAX_OPENING), CapacityLimiter(MAX_OPENING)
_catching_up = CapacityLimiter(2)  # with what other machines have changed

HELD_FILE = "held_"  # before the name of an input: the field of a picture that it holds
MOST_PICTURES = 16  # of a request: the drawing, and what other inputs hold


class WeightsChoice(StrEnum):
    """Weights for another pooling mode: the model's own, or those of its sibling trained with that mode."""

    SAME = "same"
    RETRAINED = "retrained"


async def get_library(request: Request) -> Library:
    """Return the app's library."""
    library: Library = request.app.state.library
    return library


LibraryDep = Annotated[Library, Depends(get_library)]


async def open_network(request: Request, name: str) -> Network:
    """Return the network of this name. One that is not in memory is opened in a thread, few at a time.

    A user's model is tried on labelled drawings when it is first opened, once the request has its turn.
    Raises: UnknownModel, ModelError, StorageError, Overloaded, ClientDisconnected.
    """
    library: Library = request.app.state.library
    if name not in library:
        await to_thread.run_sync(library.catch_up, name, limiter=_catching_up)
    network = library.cached_network(name)
    if network is None:
        limiter = _opening_built_in if library.entry(name).is_built_in else _opening_others
        network = await to_thread.run_sync(library.network, name, limiter=limiter)
    if network.runs_apart and request.app.state.trials.is_due(library.entry(name)):
        await find_readings(request, name)
        network = library.cached_network(name) or network  # under the card that it has now
    return network


async def find_readings(request: Request, name: str) -> Readings:
    """Return what trying a model on labelled drawings has shown. It is tried once, when the request has its turn.

    Raises: UnknownModel, ModelError, Overloaded, ClientDisconnected.
    """
    trials: Trials = request.app.state.trials
    if trials.is_due(request.app.state.library.entry(name)):
        await admit(request, is_apart=True)
    return await to_thread.run_sync(trials.find, name, limiter=_opening_others)


ModelPath = Annotated[str, Path(description="A model's name.")]


async def get_network(request: Request, model: ModelPath) -> Network:
    """Return the network that the path names. Raises: UnknownModel, ModelError."""
    return await open_network(request, model)


async def edit_network(request: Request, network: Network, edits: Edits) -> Network:
    """Return the network with these edits made in it. They are made in a thread, few at a time. Raises: InvalidEdit."""
    networks: EditedNetworks = request.app.state.edited
    limiter = _opening_others if network.runs_apart else _opening_built_in
    edited = networks.get(network, edits)
    if edited is None:
        edited = await to_thread.run_sync(networks.make, network, edits, limiter=limiter)
    return edited


HeldNumbers = Json[dict[Line, HeldOnCard]]


class Theme(StrEnum):
    """The page's background, near which zero is drawn in a layer with negative values."""

    LIGHT = "light"
    DARK = "dark"

    @property
    def signed(self) -> Colormap:
        return Colormap.RDBU if self is Theme.LIGHT else Colormap.BERLIN


SAMPLE_PATTERN = f"^({'|'.join(SAMPLES)})$"


class PageQuery(BaseModel):
    """The query of a page's URL."""

    model: str | None = None
    input: str | None = None  # the one that is drawn into
    held: HeldNumbers | None = None  # of other inputs
    edits: str = ""  # as text, see Edits
    pooling: PoolingMode | None = None
    weights: WeightsChoice = WeightsChoice.SAME
    colormap: Colormap = Colormap.VIRIDIS
    scale: Scale = Scale.HOLD
    differences: bool = False  # each layer minus the same one as trained
    digit: Annotated[str | None, Field(pattern=r"^(test|training)-[0-9]{1,5}$")] = None  # that the pad begins with
    layer: str | None = None  # of the microscope, and so the next three
    channel: int = 0
    row: int | None = None
    column: int | None = None
    sample: Annotated[str, Field(pattern=SAMPLE_PATTERN)] = FIRST_SAMPLE  # that the page opens with
    target: str | None = None  # the class that is explained; None is the answer
    against: str | None = None  # the one that it is compared with; None is the next likely one
    method: str | None = None  # of attribution
    other: str | None = None  # the second model of two side by side; None is the first one
    other_pooling: PoolingMode | None = None
    other_edits: str = ""  # that are made in the second one
    other_sample: Annotated[str | None, Field(pattern=SAMPLE_PATTERN)] = (
        None  # that the second one sees; None: the same
    )

    @property
    def render_options(self) -> RenderOptions:
        """Colours for drawing. Layers with negative values keep their diverging colour map."""
        return RenderOptions(self.colormap, Theme.LIGHT.signed, self.scale, differences=self.differences)

    @property
    def selection(self) -> "CellSelection | None":
        """The cell that the microscope shows, if any."""
        return CellSelection(self.layer, self.channel, self.row, self.column) if self.layer else None


class PageForm(PageQuery):
    """The fields of the page's form beside the drawing."""

    columns: Annotated[int, Field(ge=1, le=MAX_COLUMNS)] = COLUMNS
    precise: bool = False
    everything: bool = False
    # The layers on screen, by name, each with the number of the first map that it shows.
    shown: Json[dict[str, Annotated[int, Field(ge=0, lt=10**9)]]] | None = None
    listed: str | None = None  # the identity of the page's list of layers, as it was sent with the list
    card_of: str | None = None  # the model whose card the page shows
    theme: Theme = Theme.LIGHT
    lean: bool = False  # while the pen moves, numbers and the network at a glance come with some of the answers only
    live: str = ""  # the kind of answer that the page shows, where only what a drawing changes in it is asked for
    inputs_of: str | None = None  # the identity of the inputs that the page shows, as it was sent with them
    region: str | None = None  # the part of the picture that is read
    row_of: str | None = None  # the identity of the row above that card

    @property
    def render_options(self) -> RenderOptions:
        return RenderOptions(self.colormap, self.theme.signed, self.scale, self.columns, differences=self.differences)

    @property
    def selection(self) -> "CellSelection | None":
        if not self.layer:
            return None
        return CellSelection(self.layer, self.channel, self.row, self.column, self.precise, self.everything)


@dataclass(frozen=True)
class CellSelection:
    """The map and cell that the microscope shows, and how. Without row and column: the map's strongest cell."""

    layer: str
    channel: int
    row: int | None
    column: int | None
    precise: bool = False  # all digits of a float32
    everything: bool = False  # all input channels, not only the largest


@dataclass(frozen=True)
class ModelChoice:
    """The model, pooling mode and weights that the page's controls select."""

    model: Network  # the one that was chosen
    network: Network  # the one that runs: the same, or its sibling that was trained with the pooling mode
    pooling: PoolingMode | None
    weights: WeightsChoice
    edits: Edits  # that are made in both


async def choose_model(request: Request, query: PageQuery) -> ModelChoice:
    """Open the model that is named, else the default one.

    Raises: UnknownModel, ModelError, InvalidEdit, UnknownInput, Overloaded, ClientDisconnected.
    """
    library: Library = request.app.state.library
    chosen = network = await open_network(request, query.model or library.default_name)
    is_retrained = query.weights is WeightsChoice.RETRAINED
    if is_retrained:
        network = await open_network(request, library.sibling_name(chosen, query.pooling))
    edits = read_edits(query.edits, chosen)
    chosen = await edit_network(request, chosen, edits)
    network = chosen if not is_retrained else await edit_network(request, network, edits)
    chosen, network = (each.drawing_into(query.input) for each in (chosen, network))
    return ModelChoice(chosen, network, query.pooling, query.weights, edits)


PageQueryDep = Annotated[PageQuery, Query()]


async def get_model_choice(request: Request, query: PageQueryDep) -> ModelChoice:
    """Return the choice that a page's URL makes, once the request has its turn.

    Raises: UnknownModel, ModelError, Overloaded, ClientDisconnected.
    """
    choice = await choose_model(request, query)
    await admit(request, choice.network.runs_apart)
    return choice


PictureField = Annotated[UploadFile, File(description=f"A picture: {READ}, up to 4 MB.")]
DrawingFile = Annotated[
    UploadFile | None,
    File(description=f"A picture: {READ}, up to 4 MB. Left out for a model that starts from numbers."),
]
InputName = Annotated[
    str | None,
    Form(description="The input that is drawn into, for a model of several; default: as the model's card says."),
]
HeldField = Annotated[
    HeldNumbers | None,
    Form(
        description="What the other inputs hold, as a JSON object of their names: one number for all of an input, or a "
        "list of all its numbers, row by row, as the network is to get them. Default: as the card says, else zeros. An "
        "image may hold a picture instead: send it as another file, named held_ and the input's name.",
        examples=['{"z": [0.5, -1.5]}'],
    ),
]
EditsField = Annotated[
    str,
    Form(
        description="Edits that are made in the model before it runs, with ; between them: mute:LAYER.MAP, "
        "solo:LAYER.MAP, pooling:LAYER=MODE, bias:LAYER.MAP=NUMBER, kernel:LAYER.MAP.CHANNEL=NUMBERS, "
        "weight:LAYER.WEIGHTS.INDEX=NUMBER, cell:LAYER.MAP.ROW.COLUMN=NUMBER. Or what is in a file of edits, as JSON.",
        examples=["mute:conv1.3;pooling:pool1=min"],
    ),
]


NetworkDep = Annotated[Network, Depends(get_network)]


async def get_region(
    region: Annotated[
        str | None,
        Form(
            description="The part of the picture to read: left,top,right,bottom in whole pixels of the upright "
            "picture. Default: all of it.",
            examples=["10,20,150,180"],
            json_schema_extra={"pattern": REGION_PATTERN},
        ),
    ] = None,
) -> Box | None:
    """Return the region of the picture that the form names. Raises: InvalidRegion."""
    return read_region(region) if region else None


RegionDep = Annotated[Box | None, Depends(get_region)]


@dataclass(frozen=True)
class PictureFile:
    """The bytes of a picture, and how large it may be."""

    data: bytes
    limits: DrawingLimits


async def get_picture_file(request: Request, drawing: PictureField) -> PictureFile:
    """Return the picture once the request has its turn. Raises: Overloaded, ClientDisconnected."""
    await admit(request)
    return PictureFile(await drawing.read(), request.app.state.forward_passes.limits)


PictureFileDep = Annotated[PictureFile, Depends(get_picture_file)]


async def read_run(
    request: Request,
    network: Network,
    drawing: UploadFile | None,
    held: Mapping[str, HeldValue] | None,
    region: Box | None,
) -> DrawingRun:
    """Return the drawing and what other inputs hold, as trained, once the request has its turn.

    Raises: RequestValidationError, HTTPException, Overloaded, ClientDisconnected.
    """
    if drawing is None and not network.card.takes_numbers:
        raise RequestValidationError([{"type": "missing", "loc": ("body", "drawing"), "msg": "", "input": None}])
    await admit(request, network.runs_apart)
    data = None if drawing is None or network.card.takes_numbers else await drawing.read()
    values = dict(held or {}) | await _read_pictures(request)
    return DrawingRun(network, data, None, request.app.state.forward_passes, region, values)


async def _read_pictures(request: Request) -> dict[str, HeldValue]:
    """Return the pictures that other inputs hold."""
    files = [(name, file) for name, file in (await request.form()).multi_items() if isinstance(file, FormFile)]
    if len({name for name, _ in files}) < len(files):
        raise HTTPException(HTTPStatus.BAD_REQUEST, "two files have the same name")
    return {name.removeprefix(HELD_FILE): await file.read() for name, file in files if name.startswith(HELD_FILE)}


@dataclass(frozen=True)
class PageRequest:
    """The page's form with its drawing."""

    form: PageForm
    choice: ModelChoice
    run: DrawingRun


async def get_page_request(request: Request, drawing: DrawingFile = None) -> PageRequest:
    """Read the page's form.

    Raises: UnknownModel, ModelError, UnknownInput, RequestValidationError, InvalidRegion.
    """
    form = await _read_page_form(request)
    choice = await choose_model(request, form)
    region = read_region(form.region) if form.region else None
    run = await read_run(request, choice.network, drawing, form.held, region)
    return PageRequest(form, choice, replace(run, pooling=choice.pooling, takes_blank=True))


async def _read_page_form(request: Request) -> PageForm:
    """Validate the form that FastAPI has read for the drawing. Declared one by one, its fields would cost more."""
    return _validate_page_form((await request.form()).items())


def _validate_page_form(items: Iterable[tuple[str, object]]) -> PageForm:
    fields = {name: value for name, value in items if value != ""}
    try:
        return PageForm.model_validate(fields)
    except ValidationError as error:
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in error.errors()]) from None


async def get_live_request(request: Request) -> PageRequest:
    """Read the page's fields from the query, and the drawing from the body, which takes half the time of a form.

    Raises: as get_page_request does.
    """
    body = await request.body()  # before it waits for its turn, when whatever else arrives means that the client left
    form = _validate_page_form(request.query_params.items())
    choice = await choose_model(request, form)
    await admit(request, choice.network.runs_apart)
    region = read_region(form.region) if form.region else None
    drawing = None if choice.network.card.takes_numbers else body
    passes = request.app.state.forward_passes
    run = DrawingRun(choice.network, drawing, choice.pooling, passes, region, form.held or {}, takes_blank=True)
    return PageRequest(form, choice, run)


async def get_trained_run(
    request: Request,
    model: ModelPath,
    region: RegionDep,
    drawing: DrawingFile = None,
    input: InputName = None,  # the field's name
    held: HeldField = None,
    edits: EditsField = "",
    blank: Annotated[
        bool, Form(description="Run a drawing without ink as an empty sheet of paper, instead of refusing it.")
    ] = False,
) -> DrawingRun:
    """Return the drawing with the network that the path names, as trained.

    Raises: UnknownModel, ModelError, InvalidEdit, UnknownInput, RequestValidationError, InvalidRegion.
    """
    opened = await get_network(request, model)
    network = (await edit_network(request, opened, read_edits(edits, opened))).drawing_into(input)
    return replace(await read_run(request, network, drawing, held, region), takes_blank=blank)


TrainedRunDep = Annotated[DrawingRun, Depends(get_trained_run)]


async def get_drawing_run(
    run: TrainedRunDep,
    pooling: Annotated[
        PoolingMode | None, Form(description="Replaces every pooling layer's mode; default: as the model was trained.")
    ] = None,
) -> DrawingRun:
    """Return the drawing with the network that the path names, in a pooling mode."""
    return replace(run, pooling=pooling)


DrawingRunDep = Annotated[DrawingRun, Depends(get_drawing_run)]


async def get_layer(
    network: Annotated[Network, Depends(get_network)], layer: Annotated[str, Path(description="A layer's name.")]
) -> Layer:
    """Return the layer that the path names. Raises: UnknownLayer."""
    return network.layer(layer)


async def get_run_layer(run: DrawingRunDep, layer: Annotated[str, Path(description="A layer's name.")]) -> Layer:
    """Return the layer that the path names, of the network that the form's drawing is run on. Raises: UnknownLayer."""
    return run.network.layer(layer)


async def get_render_options(
    colormap: Annotated[
        Colormap | None,
        Form(description="Default: viridis; berlin, symmetric about zero, for layers with negative values."),
    ] = None,
    signed: Annotated[
        Colormap | None,
        Form(description="The colour map of layers with negative values. Default: the colormap that is asked for."),
    ] = None,
    scale: Annotated[
        Scale,
        Form(
            description="The extremes of the colour map: the layer's; each map's; or with `hold` the layer's "
            "under the pooling that the model was trained with, beyond which a value has the colour of the end."
        ),
    ] = Scale.LAYER,
    columns: Annotated[int, Form(ge=1, le=MAX_COLUMNS, description="Maps in a row of the grid.")] = COLUMNS,
) -> RenderOptions:
    """Return how to draw the maps. A colour map that is asked for is used for layers with negative values as well,
    unless another one is asked for those.
    """
    return RenderOptions.chosen(colormap, signed, scale, columns)


LiveRequestDep = Annotated[PageRequest, Depends(get_live_request)]
PageRequestDep = Annotated[PageRequest, Depends(get_page_request)]
ModelChoiceDep = Annotated[ModelChoice, Depends(get_model_choice)]
LayerDep = Annotated[Layer, Depends(get_layer)]
RunLayerDep = Annotated[Layer, Depends(get_run_layer)]
ZoomField = Annotated[
    int, Form(ge=1, le=MAX_ZOOM, description="Pixels a cell, across and down: each is repeated as it is.")
]
RenderOptionsDep = Annotated[RenderOptions, Depends(get_render_options)]


async def get_map_options(
    options: RenderOptionsDep,
    differences: Annotated[
        bool,
        Form(
            description="Draw each layer minus the same layer under the pooling that the model was trained with; under "
            "that pooling, as it is."
        ),
    ] = False,
) -> RenderOptions:
    """Return how to draw the maps of one pooling mode."""
    return replace(options, differences=differences)


MapOptionsDep = Annotated[RenderOptions, Depends(get_map_options)]
InvertDep = Annotated[bool, Form(description="Swap ink and paper: bright and dark change places before the network.")]
DifferencesDep = Annotated[bool, Form(description="Also draw each layer minus the same layer as trained.")]
