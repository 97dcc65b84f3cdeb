"""What a request carries, turned into domain values."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, partial
from typing import Annotated

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, File, Form, Path, Query, Request, UploadFile
from pydantic import Field

from app.cnn.layers import Layer
from app.cnn.network import Array, ForwardPass, Network
from app.cnn.pooling import PoolingMode
from app.explorer import Look, see
from app.forward_passes import ForwardPasses
from app.imaging.colormap import Colormap
from app.imaging.grid import COLUMNS
from app.imaging.levels import Scale
from app.library import Library
from app.web.admission import AdmittedDep

MAX_COLUMNS = 64
MAX_OPENING = 4  # models that are opened at once


class Weights(StrEnum):
    """Whose weights another pooling runs with: the model's own, or its sibling's that was trained with it."""

    SAME = "same"
    RETRAINED = "retrained"


async def get_library(request: Request) -> Library:
    """The app's networks, made ready before the first request."""
    library: Library = request.app.state.library
    return library


LibraryDep = Annotated[Library, Depends(get_library)]


async def open_network(library: Library, name: str) -> Network:
    """The network of this name. One that is not ready is opened beside the event loop, few at a time.

    Raises: UnknownModel, UnusableModel.
    """
    ready = library.ready(name)
    return await to_thread.run_sync(library.network, name, limiter=_opening()) if ready is None else ready


@cache
def _opening() -> CapacityLimiter:
    return CapacityLimiter(MAX_OPENING)


ModelPath = Annotated[str, Path(description="A model's name.")]


async def get_network(library: LibraryDep, model: ModelPath) -> Network:
    """The network that the path names. Raises: UnknownModel, UnusableModel."""
    return await open_network(library, model)


@dataclass(frozen=True)
class Choice:
    """What the page's switches say."""

    model: Network  # the one that was chosen
    network: Network  # the one that answers: the same, or its sibling that was trained with the pooling
    pooling: PoolingMode | None
    weights: Weights


async def choose(library: Library, model: str | None, pooling: PoolingMode | None, weights: Weights) -> Choice:
    """The choice of a model by its name, the default one without. Raises: UnknownModel, UnusableModel."""
    chosen = network = await open_network(library, model or library.default_name)
    if weights is Weights.RETRAINED:
        network = await open_network(library, library.sibling_name(chosen, pooling))
    return Choice(chosen, network, pooling, weights)


async def get_form_choice(
    library: LibraryDep,
    model: Annotated[str | None, Form()] = None,
    pooling: Annotated[PoolingMode | None, Form()] = None,
    weights: Annotated[Weights, Form()] = Weights.SAME,
) -> Choice:
    """The choice that the page's form makes. Raises: UnknownModel."""
    return await choose(library, model, pooling, weights)


async def get_query_choice(
    library: LibraryDep,
    model: Annotated[str | None, Query()] = None,
    pooling: Annotated[PoolingMode | None, Query()] = None,
    weights: Annotated[Weights, Query()] = Weights.SAME,
) -> Choice:
    """The choice that a page's address holds. Raises: UnknownModel."""
    return await choose(library, model, pooling, weights)


async def get_layer(
    network: Annotated[Network, Depends(get_network)], layer: Annotated[str, Path(description="A layer's name.")]
) -> Layer:
    """The layer that the path names. Raises: UnknownLayer."""
    return network.layer(layer)


async def get_drawing(
    drawing: Annotated[UploadFile, File(description="A picture: PNG, JPEG, WebP, GIF or BMP, up to 4 MB.")],
    turn: AdmittedDep,
) -> bytes:
    """The file that was sent: who has it has a turn to compute."""
    return await drawing.read()


async def get_look(
    colormap: Annotated[
        Colormap | None,
        Form(description="Default: viridis; berlin, symmetric about zero, for layers with negative values."),
    ] = None,
    scale: Annotated[Scale, Form(description="The extremes of the colour map: the layer's, or each map's.")] = (
        Scale.LAYER
    ),
    columns: Annotated[int, Form(ge=1, le=MAX_COLUMNS, description="Maps in a row of the grid.")] = COLUMNS,
) -> Look:
    """How the maps shall be drawn; a colour map that is asked for is used for signed maps as well."""
    look = Look(scale=scale, columns=columns)
    return look if colormap is None else Look(colormap, signed=None, scale=scale, columns=columns)


async def get_form_look(
    colormap: Annotated[Colormap, Form()] = Colormap.VIRIDIS,
    scale: Annotated[Scale, Form()] = Scale.LAYER,
    columns: Annotated[int, Form(ge=1, le=MAX_COLUMNS)] = COLUMNS,
) -> Look:
    """The page's choice, in which signed maps keep their diverging colour map."""
    return Look(colormap, scale=scale, columns=columns)


async def get_query_look(
    colormap: Annotated[Colormap, Query()] = Colormap.VIRIDIS, scale: Annotated[Scale, Query()] = Scale.LAYER
) -> Look:
    """The choice that a page's address holds."""
    return Look(colormap, scale=scale)


@dataclass(frozen=True)
class Selection:
    """Which map and cell the microscope shows, and how. Without a cell it is the map's strongest."""

    layer: str
    channel: int
    row: int | None
    column: int | None
    precise: bool  # all digits that a float32 has
    everything: bool  # all input channels, not only those that give most


async def get_form_selection(
    layer: Annotated[str | None, Form()] = None,
    channel: Annotated[int, Form()] = 0,
    row: Annotated[int | None, Form()] = None,
    column: Annotated[int | None, Form()] = None,
    precise: Annotated[bool, Form()] = False,
    everything: Annotated[bool, Form()] = False,
) -> Selection | None:
    """The selection that the page's form holds, if any."""
    return Selection(layer, channel, row, column, precise, everything) if layer else None


async def get_query_selection(
    layer: Annotated[str | None, Query()] = None,
    channel: Annotated[int, Query()] = 0,
    row: Annotated[int | None, Query()] = None,
    column: Annotated[int | None, Query()] = None,
) -> Selection | None:
    """The selection that a page's address holds, if any."""
    return Selection(layer, channel, row, column, precise=False, everything=False) if layer else None


async def get_form_shown(
    shown: Annotated[
        list[Annotated[str, Field(pattern="^([0-9]{1,9} .*)?$")]] | None,
        Form(description="A layer on screen: the number of the map that its page begins with, a space, its name."),
    ] = None,
) -> dict[str, int] | None:
    """The layers that are on screen, and the map that each one's page begins with; None where it is not said."""
    if shown is None:
        return None
    pairs = (each.split(" ", 1) for each in shown if each)
    return {name: int(number) for number, name in pairs}


FormShownDep = Annotated[dict[str, int] | None, Depends(get_form_shown)]
FormSelectionDep = Annotated[Selection | None, Depends(get_form_selection)]
QuerySelectionDep = Annotated[Selection | None, Depends(get_query_selection)]
DrawingDep = Annotated[bytes, Depends(get_drawing)]
NetworkDep = Annotated[Network, Depends(get_network)]
FormChoiceDep = Annotated[Choice, Depends(get_form_choice)]
QueryChoiceDep = Annotated[Choice, Depends(get_query_choice)]
LayerDep = Annotated[Layer, Depends(get_layer)]
LookDep = Annotated[Look, Depends(get_look)]
FormLookDep = Annotated[Look, Depends(get_form_look)]
QueryLookDep = Annotated[Look, Depends(get_query_look)]
PoolingDep = Annotated[
    PoolingMode | None, Form(description="Replaces every pooling layer's mode; default: as the model was trained.")
]

InvertDep = Annotated[bool, Form(description="Swap ink and paper: bright and dark change places before the network.")]
DifferencesDep = Annotated[bool, Form(description="Also draw each layer minus the same layer as trained.")]


async def get_forward_passes(request: Request) -> ForwardPasses:
    """The last forward passes, of whatever request."""
    passes: ForwardPasses = request.app.state.forward_passes
    return passes


ForwardPassesDep = Annotated[ForwardPasses, Depends(get_forward_passes)]


# The drawing is read, and the network run, in the route's own thread: a blocking dependency would be a second trip to
# the pool.
async def get_image(drawing: DrawingDep, network: NetworkDep, passes: ForwardPassesDep) -> Callable[[], Array]:
    """Finds what the network sees of the drawing. Called, it raises: InvalidDrawing."""
    return partial(see, drawing, network.card, passes.most)


ImageDep = Annotated[Callable[[], Array], Depends(get_image)]

Run = Callable[[], ForwardPass]


async def get_run(
    drawing: DrawingDep, network: NetworkDep, passes: ForwardPassesDep, pooling: PoolingDep = None
) -> Run:
    """Runs the network on the drawing. Called, it raises: InvalidDrawing."""
    return partial(passes.run, network, drawing, pooling)


async def get_form_run(drawing: DrawingDep, choice: FormChoiceDep, passes: ForwardPassesDep) -> Run:
    """Runs the network of the form's choice on the drawing. Called, it raises: InvalidDrawing."""
    return partial(passes.run, choice.network, drawing, choice.pooling)


RunDep = Annotated[Run, Depends(get_run)]
FormRunDep = Annotated[Run, Depends(get_form_run)]
