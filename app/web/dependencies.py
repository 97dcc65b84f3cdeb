"""What a request carries, turned into domain values.

FastAPI solves each dependency in its turn, and one that two others name twice; of each field it finds out anew what it
is. So a request that someone waits for at every move of the pen has few, and its fields are validated at once.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Annotated

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, File, Form, Path, Query, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, Json, ValidationError

from app.cnn.layers import Layer
from app.cnn.network import Array, ForwardPass, Network
from app.cnn.pooling import PoolingMode
from app.explore.exploration import RenderOptions, see
from app.explore.forward_passes import ForwardPasses
from app.hosting.admission import admit
from app.imaging.colormap import Colormap
from app.imaging.grid import COLUMNS
from app.imaging.quantize import Scale
from app.library.library import Library

MAX_COLUMNS = 64
MAX_OPENING = 4  # models that are opened at once


class Weights(StrEnum):
    """Whose weights another pooling runs with: the model's own, or its sibling's that was trained with it."""

    SAME = "same"
    RETRAINED = "retrained"


async def get_library(request: Request) -> Library:
    """The app's models; the default one's network is loaded before the first request."""
    library: Library = request.app.state.library
    return library


LibraryDep = Annotated[Library, Depends(get_library)]


async def open_network(library: Library, name: str) -> Network:
    """The network of this name. One that is not ready is opened beside the event loop, few at a time.

    Raises: UnknownModel, ModelError.
    """
    ready = library.ready(name)
    return await to_thread.run_sync(library.network, name, limiter=_opening()) if ready is None else ready


@cache
def _opening() -> CapacityLimiter:
    return CapacityLimiter(MAX_OPENING)


ModelPath = Annotated[str, Path(description="A model's name.")]


async def get_network(request: Request, model: ModelPath) -> Network:
    """The network that the path names. Raises: UnknownModel, ModelError."""
    return await open_network(request.app.state.library, model)


class Address(BaseModel):
    """What a page's address holds."""

    model: str | None = None
    pooling: PoolingMode | None = None
    weights: Weights = Weights.SAME
    colormap: Colormap = Colormap.VIRIDIS
    scale: Scale = Scale.LAYER
    layer: str | None = None  # of the microscope, and so the next three
    channel: int = 0
    row: int | None = None
    column: int | None = None

    @property
    def look(self) -> RenderOptions:
        """The choice of colours, in which signed maps keep their diverging colour map."""
        return RenderOptions(self.colormap, scale=self.scale)

    @property
    def selection(self) -> "Selection | None":
        """What the microscope is to show, if anything."""
        return Selection(self.layer, self.channel, self.row, self.column) if self.layer else None


class PageForm(Address):
    """What the page's form holds beside the drawing."""

    columns: Annotated[int, Field(ge=1, le=MAX_COLUMNS)] = COLUMNS
    precise: bool = False
    everything: bool = False
    # The layers on screen, by name, and the number of the map that each one's page begins with.
    shown: Json[dict[str, Annotated[int, Field(ge=0, lt=10**9)]]] | None = None
    listed: str | None = None  # which list of layers the page has, as it was told with it
    card_of: str | None = None  # the model whose card the page shows

    @property
    def look(self) -> RenderOptions:
        return RenderOptions(self.colormap, scale=self.scale, columns=self.columns)

    @property
    def selection(self) -> "Selection | None":
        if not self.layer:
            return None
        return Selection(self.layer, self.channel, self.row, self.column, self.precise, self.everything)


@dataclass(frozen=True)
class Selection:
    """Which map and cell the microscope shows, and how. Without a cell it is the map's strongest."""

    layer: str
    channel: int
    row: int | None
    column: int | None
    precise: bool = False  # all digits that a float32 has
    everything: bool = False  # all input channels, not only those that give most


@dataclass(frozen=True)
class Choice:
    """What the page's switches say."""

    model: Network  # the one that was chosen
    network: Network  # the one that answers: the same, or its sibling that was trained with the pooling
    pooling: PoolingMode | None
    weights: Weights


async def choose(library: Library, address: Address) -> Choice:
    """The choice of a model by its name, the default one without. Raises: UnknownModel, ModelError."""
    chosen = network = await open_network(library, address.model or library.default_name)
    if address.weights is Weights.RETRAINED:
        network = await open_network(library, library.sibling_name(chosen, address.pooling))
    return Choice(chosen, network, address.pooling, address.weights)


AddressDep = Annotated[Address, Query()]


async def get_choice(request: Request, address: AddressDep) -> Choice:
    """The choice that a page's address holds. Raises: UnknownModel, ModelError."""
    return await choose(request.app.state.library, address)


DrawingFile = Annotated[UploadFile, File(description="A picture: PNG, JPEG, WebP, GIF or BMP, up to 4 MB.")]


async def get_drawing(request: Request, drawing: DrawingFile) -> bytes:
    """The file that was sent: who has it has a turn to compute. Raises: Overloaded, ClientDisconnected."""
    await admit(request)
    return await drawing.read()


DrawingDep = Annotated[bytes, Depends(get_drawing)]


@dataclass(frozen=True)
class Run:
    """A network and the drawing that it is to run on."""

    network: Network
    drawing: bytes
    pooling: PoolingMode | None
    passes: ForwardPasses

    def __call__(self) -> ForwardPass:
        """Raises: InvalidDrawing, ImageTooSmall."""
        return self.passes.run(self.network, self.drawing, self.pooling)

    def see(self) -> Array:
        """What the network sees of the drawing. Raises: InvalidDrawing."""
        return see(self.drawing, self.network.card, self.passes.most)


@dataclass(frozen=True)
class Asked:
    """What the page asks for."""

    form: PageForm
    choice: Choice
    run: Run


async def get_asked(request: Request, drawing: DrawingFile) -> Asked:
    """The page's form. Raises: UnknownModel, ModelError, RequestValidationError."""
    data = await get_drawing(request, drawing)
    state, form = request.app.state, await _read_page_form(request)
    choice = await choose(state.library, form)
    return Asked(form, choice, Run(choice.network, data, choice.pooling, state.forward_passes))


async def _read_page_form(request: Request) -> PageForm:
    """What the form holds beside the drawing, for which FastAPI has read it: it would look at each by itself."""
    fields = {name: value for name, value in (await request.form()).items() if value != ""}
    try:
        return PageForm.model_validate(fields)
    except ValidationError as error:
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in error.errors()]) from None


async def get_run(
    request: Request,
    drawing: DrawingFile,
    model: ModelPath,
    pooling: Annotated[
        PoolingMode | None,
        Form(description="Replaces every pooling layer's mode; default: as the model was trained."),
    ] = None,
) -> Run:
    """The network that the path names, and the drawing. Raises: UnknownModel, ModelError."""
    data = await get_drawing(request, drawing)
    network = await get_network(request, model)
    return Run(network, data, pooling, request.app.state.forward_passes)


async def get_layer(
    network: Annotated[Network, Depends(get_network)], layer: Annotated[str, Path(description="A layer's name.")]
) -> Layer:
    """The layer that the path names. Raises: UnknownLayer."""
    return network.layer(layer)


async def get_look(
    colormap: Annotated[
        Colormap | None,
        Form(description="Default: viridis; berlin, symmetric about zero, for layers with negative values."),
    ] = None,
    scale: Annotated[Scale, Form(description="The extremes of the colour map: the layer's, or each map's.")] = (
        Scale.LAYER
    ),
    columns: Annotated[int, Form(ge=1, le=MAX_COLUMNS, description="Maps in a row of the grid.")] = COLUMNS,
) -> RenderOptions:
    """How the maps shall be drawn; a colour map that is asked for is used for signed maps as well."""
    look = RenderOptions(scale=scale, columns=columns)
    return look if colormap is None else RenderOptions(colormap, signed=None, scale=scale, columns=columns)


AskedDep = Annotated[Asked, Depends(get_asked)]
ChoiceDep = Annotated[Choice, Depends(get_choice)]
NetworkDep = Annotated[Network, Depends(get_network)]
RunDep = Annotated[Run, Depends(get_run)]
LayerDep = Annotated[Layer, Depends(get_layer)]
RenderOptionsDep = Annotated[RenderOptions, Depends(get_look)]
InvertDep = Annotated[bool, Form(description="Swap ink and paper: bright and dark change places before the network.")]
DifferencesDep = Annotated[bool, Form(description="Also draw each layer minus the same layer as trained.")]
