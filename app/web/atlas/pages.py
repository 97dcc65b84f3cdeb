"""The page of what maps look for."""

from dataclasses import dataclass, replace
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field, model_validator

from ...atlas.examples import ExampleSet, PictureExamples
from ...atlas.kernels import find_kernels
from ...atlas.layers import NoMaps, choose_layer, list_layers
from ...atlas.map_costs import MapCosts, MapCostsRun, why_not_muted
from ...atlas.patches import Patch
from ...atlas.top_activations import TopActivations, TopActivationsRun
from ...cnn.cost import TooCostly
from ...cnn.errors import WrongImageSize
from ...cnn.kinds import Layer
from ...cnn.network import Network
from ...cnn.types import PoolingMode
from ...datasets.digits import load_test_digits
from ...explore.evaluation import NotForDigits
from ..forms import Theme, open_network
from ..long_answers import Sized
from ..run_bar import RunBar, tell
from ..templates import render
from .pictures import choose_examples, why_not_digits
from .runs import Run, answer_of, begin
from .view import AtlasPage, view_page

router = APIRouter(prefix="/atlas", include_in_schema=False, default_response_class=HTMLResponse)

DIGITS = len(load_test_digits())  # that the model is shown


class Order(StrEnum):
    """The order of the maps."""

    NUMBER = "number"
    COST = "cost"  # that without which the right answers get least likely first


class AtlasQuery(BaseModel):
    """The query of the page's address. Fields of a form that are empty say nothing."""

    model: str | None = None
    layer: str | None = None
    pooling: PoolingMode | None = None
    order: Order = Order.NUMBER
    pictures: str | None = None  # a folder of them, instead of digits
    channel: int | None = None  # of the map, or unit, that comes first
    page: Annotated[int, Field(ge=1)] = 1
    run: bool | None = None  # whether to run the model at once; None leaves that to the server

    @model_validator(mode="before")
    @classmethod
    def _leave_out_what_is_empty(cls, fields: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in fields.items() if value != ""}

    def link(self, **changes: Any) -> str:
        """Return the address's query with these changes, from its question mark on, if any. None leaves a field out."""
        fields = self.model_dump(exclude_defaults=True, exclude={"page", "run"}) | changes
        text = urlencode({name: value for name, value in fields.items() if value is not None})
        return f"?{text}" if text else ""

    def for_model(self, network: Network) -> "AtlasQuery":
        """Return the query without a layer that this network does not have, as after another model was chosen."""
        is_there = any(layer.name == self.layer for layer in network.layers)
        return self if is_there else self.model_copy(update={"layer": None, "channel": None})


@dataclass(frozen=True)
class AtlasRequest:
    """What the page's address asks for."""

    query: AtlasQuery
    network: Network
    is_built_in: bool
    examples: ExampleSet

    @property
    def run(self) -> TopActivationsRun:
        return TopActivationsRun(self.network, self.query.pooling, self.examples)

    def costs_run(self, layer: Layer) -> MapCostsRun:
        return MapCostsRun(self.network, layer, self.query.pooling)

    def cell_link(self, layer: Layer, channel: int, patch: Patch) -> str:
        """Return the address of the explorer with this example on its pad, and this cell under the microscope."""
        pictures = self.query.pictures
        fields = {
            "model": self.network.name,
            "pooling": self.query.pooling,
            "digit": None if pictures else patch.name,
            "layer": layer.name,
            "channel": channel if layer.is_spatial else None,
            "row": patch.row,
            "column": patch.column,
        }
        page = f"/atlas/pictures/{quote(pictures, safe='')}/{patch.number}" if pictures else "/"
        return f"{page}?{urlencode({name: value for name, value in fields.items() if value is not None})}"


async def get_atlas_request(request: Request, query: Annotated[AtlasQuery, Query()]) -> AtlasRequest:
    """Open the model that the address names, else the default one.

    Raises: UnknownModel, ModelError, UnknownPictures, NoPictures, Overloaded.
    """
    library = request.app.state.library
    network = await open_network(request, query.model or library.default_name)
    examples = choose_examples(request, query.pictures, DIGITS)
    return AtlasRequest(query, network, library.entry(network.name).is_built_in, examples)


AtlasRequestDep = Annotated[AtlasRequest, Depends(get_atlas_request)]


@router.get("")
async def show_atlas(request: Request, asked: AtlasRequestDep) -> Response:
    """Show what the maps of a layer look for, if that is known already."""
    return await _show(request, asked, "atlas.html")


@router.get("/shown")
async def show_atlas_again(request: Request, asked: AtlasRequestDep) -> Response:
    """Show the same for other choices, and put their address into the address bar."""
    asked = replace(asked, query=asked.query.for_model(asked.network))
    response = await _show(request, asked, "_atlas_page.html")
    page = asked.query.page if asked.query.page > 1 else None
    response.headers["HX-Push-Url"] = f"/atlas{asked.query.link(page=page)}"
    return response


@router.get("/run")
async def run_atlas(request: Request, asked: AtlasRequestDep) -> Response:
    """Run what the page waits for: a stream of fragments, first the progress, then all of the page."""
    layer = choose_layer(asked.network, asked.query.layer)
    waiting = _find_waiting(request, asked, layer)
    if waiting is None:
        return await _show(request, asked, "_atlas_page.html")
    answer = await begin(request, waiting)
    bar = _bar(asked, waiting)

    def find_context(_: Sized) -> dict[str, Any]:
        return {"request": request, **_make_context(request, asked)}

    return await answer.stream(lambda computation: tell(computation, bar, "_atlas_page.html", find_context))


async def _show(request: Request, asked: AtlasRequest, template: str) -> Response:
    """Show the page, or a part of it. Raises: UnknownLayer, NoSuchPage."""
    context = await to_thread.run_sync(_make_context, request, asked)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if context["refusal"] else HTTPStatus.OK
    return render(request, template, context, status)


def _make_context(request: Request, asked: AtlasRequest) -> dict[str, Any]:
    network, query = asked.network, asked.query
    context: dict[str, Any] = {
        "asked": asked,
        "query": query,
        "network": network,
        "library": request.app.state.library,
        "poolings": list(PoolingMode),
        "themes": list(Theme),
        "layers": list_layers(network),
        "folders": request.app.state.pictures.names,
        "doubt": None if query.pictures else why_not_digits(network),
        "left_out": asked.examples.folder.left_out if isinstance(asked.examples, PictureExamples) else 0,
        "refusal": None,
        "runs_at_once": False,
        "page": None,
        "waiting": None,
        "layer": None,
    }
    try:
        layer = choose_layer(network, query.layer)
        asked.run.require_possible(request.app.state.forward_passes.run_limits)
        why_no_costs = _why_no_costs(request, asked, layer)
        if query.order is Order.COST and why_no_costs:
            raise NoMaps(why_no_costs)
    except (NoMaps, NotForDigits, WrongImageSize, TooCostly) as error:
        return context | {"refusal": str(error)}
    waiting = _find_waiting(request, asked, layer)
    found = answer_of(request, asked.run).remembered
    costs = _find_costs(request, asked, layer)
    page = _view_page(found, layer, query, costs) if found else None
    is_wanted = query.run is True or (query.run is None and (asked.is_built_in or query.order is Order.COST))
    return context | {
        "layer": layer,
        "page": page,
        "waiting": waiting,
        "costs": costs,
        "bar": _bar(asked, waiting) if waiting else None,
        "has_costs": why_no_costs is None,
        "runs_at_once": waiting is not None and is_wanted,
    }


def _view_page(found: TopActivations, layer: Layer, query: AtlasQuery, costs: MapCosts | None) -> AtlasPage:
    return view_page(found, layer, query.page, find_kernels(found.network, layer), costs, query.channel)


def _why_no_costs(request: Request, asked: AtlasRequest, layer: Layer) -> str | None:
    if not layer.is_convolution:
        return why_not_muted(asked.network, layer) or f"“{layer.name}” is no convolution: its units are not muted."
    try:
        asked.costs_run(layer).require_possible(request.app.state.forward_passes.run_limits)
    except (NoMaps, NotForDigits, WrongImageSize, TooCostly) as error:
        return str(error)
    return None


def _find_waiting(request: Request, asked: AtlasRequest, layer: Layer) -> Run[Sized] | None:
    """Return what has to be run before the page is whole; None if all of it is remembered."""
    if answer_of(request, asked.run).remembered is None:
        return asked.run
    if asked.query.order is Order.COST and _find_costs(request, asked, layer) is None:
        return asked.costs_run(layer)
    return None


def _find_costs(request: Request, asked: AtlasRequest, layer: Layer) -> MapCosts | None:
    if asked.query.order is not Order.COST:
        return None
    return answer_of(request, asked.costs_run(layer)).remembered


def _bar(asked: AtlasRequest, run: Run[Sized]) -> RunBar:
    again = f"/atlas/shown{asked.query.link(run='true')}"
    return RunBar(run.total, says="#atlas-status", ends="#atlas > .run", again=again)
