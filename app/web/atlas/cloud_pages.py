"""The page of the cloud: where real digits lie for a layer, and among them the drawing."""

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse

from ...atlas.cloud import Cloud, CloudRun, why_no_cloud
from ...atlas.layers import NoMaps
from ...cnn.cost import TooCostly
from ...cnn.errors import WrongImageSize
from ...cnn.kinds import Layer
from ...cnn.network import ForwardPass, Network, UnknownLayer
from ...cnn.types import PoolingMode
from ...explore.drawing_runs import DrawingRun
from ...explore.evaluation import NotForDigits
from ...explore.exploration import PAGE_PICTURE, draw_answer, draw_image, explore
from ...imaging.drawing import SAMPLES
from ..computing import computes
from ..forms import ModelChoice, ModelChoiceDep, PageForm, PageQuery, PageQueryDep, PageRequestDep
from ..pad import draw_first, first_drawing, inputs_context
from ..run_bar import RunBar, tell
from ..templates import render
from .plane import HEIGHT, WIDTH, Plane
from .runs import answer_of, begin

router = APIRouter(prefix="/atlas/cloud", include_in_schema=False, default_response_class=HTMLResponse)

_NEAREST = 9


@dataclass(frozen=True)
class DrawingPlace:
    """Where the drawing lies, and which digits are near."""

    x: float  # on the drawing of the cloud
    y: float
    nearest: tuple[tuple[str, int, float], ...]  # the name of each, what it is, and how far away it lies

    @property
    def label(self) -> int:
        """What most of them are; of several, what the nearest of these is."""
        labels = [label for _, label, _ in self.nearest]
        return max(labels, key=labels.count)

    @property
    def count(self) -> int:
        """How many of them are that."""
        return sum(label == self.label for _, label, _ in self.nearest)


@router.get("")
def show_cloud(request: Request, query: PageQueryDep, choice: ModelChoiceDep) -> Response:
    """Show the digits of a layer, with a digit already drawn."""
    state = request.app.state
    drawn = DrawingRun(
        choice.network, first_drawing(query), choice.pooling, state.forward_passes, held=query.held or {}
    )
    context = _make_context(request, choice, query, drawn.forward())
    context |= {"samples": SAMPLES, "first": query.sample, "first_png": draw_first(query.sample)}
    return render(request, "cloud.html", context)


@router.post("/place")
@computes
def post_place(request: Request, page: PageRequestDep, cloud_of: Annotated[str, Form()] = "") -> Response:
    """Show where the drawing lies. cloud_of: names the digits that the page shows, which are not sent again."""
    context = _make_context(request, page.choice, page.form, page.run.forward())
    context["has_marks"] = cloud_of == context["cloud_of"]
    return render(request, "_cloud_place.html", context)


@router.get("/run")
async def run_cloud(request: Request, query: PageQueryDep, choice: ModelChoiceDep) -> Response:
    """Find where the digits lie: a stream of fragments, first the progress, then the digits."""
    layer = choose_cloud_layer(choice.network, query.layer)
    run = CloudRun(choice.network, layer, choice.pooling)
    answer = await begin(request, run)

    def find_context(cloud: Cloud) -> dict[str, Any]:
        return _view(run, cloud) | {"place": None}

    return await answer.stream(lambda computation: tell(computation, RunBar(run.total), "_cloud.html", find_context))


def choose_cloud_layer(network: Network, name: str | None = None) -> Layer:
    """Return the layer of this name, else the last one before the answer that has a cloud. Raises: NoMaps."""
    with suppress(UnknownLayer):
        if name and why_no_cloud(network.layer(name)) is None:
            return network.layer(name)
    layers = list_cloud_layers(network)
    if not layers:
        raise NoMaps(f"No layer of “{network.name}” has a cloud.")
    return layers[-2:][0]


def list_cloud_layers(network: Network) -> list[Layer]:
    """Return the layers whose outputs have a place in a cloud."""
    return [layer for layer in network.layers if why_no_cloud(layer) is None]


def _make_context(request: Request, choice: ModelChoice, query: PageQuery, forward: ForwardPass) -> dict[str, Any]:
    state, network, options = request.app.state, choice.network, query.render_options
    context: dict[str, Any] = {
        "network": network,
        "choice": choice,
        "library": state.library,
        "poolings": list(PoolingMode),
        "look": options,
        "exploration": explore(network, forward, replace(options, trained=None), []),
        "seen": draw_image(forward.image, network.card, PAGE_PICTURE),
        "answer": draw_answer(forward, network.lowest_answer) if network.answers_with_picture else None,
        "region": query.region if isinstance(query, PageForm) else None,
        "left_out": [],
        "refusal": None,
        "plane": None,
        "place": None,
        "cloud_of": "",
        **inputs_context("cloud", choice, query),
    }
    try:
        run = CloudRun(network, choose_cloud_layer(network, query.layer), choice.pooling)
        run.require_possible(state.forward_passes.run_limits)
    except (NoMaps, NotForDigits, WrongImageSize, TooCostly) as error:
        return context | {"refusal": str(error)}
    cloud = answer_of(request, run).remembered
    place = _place(cloud, forward) if cloud else None
    return context | _view(run, cloud) | {"place": place}


def _view(run: CloudRun, cloud: Cloud | None) -> dict[str, Any]:
    """Return what the templates show of a cloud, or of the run that finds it."""
    fields = {"model": run.network.name, "pooling": run.pooling, "layer": run.layer.name}
    link = f"?{urlencode({name: value for name, value in fields.items() if value})}"
    return {
        "run": run,
        "link": link,
        "layers": list_cloud_layers(run.network),
        "plane": Plane(cloud) if cloud else None,
        "width": WIDTH,
        "height": HEIGHT,
        "cloud_of": link if cloud else "",
        "refusal": None,
        "bar": RunBar(run.total),
    }


def _place(cloud: Cloud, forward: ForwardPass) -> DrawingPlace | None:
    activation = forward.activations[cloud.layer.name]
    if activation.size != cloud.mean.size:
        return None
    at = cloud.place(activation)
    found, examples = cloud.nearest(at, _NEAREST), cloud.examples
    nearest = tuple(
        (examples.name(place), int(examples.labels[place]), distance)
        for place, distance in zip(found.places.tolist(), found.distances.tolist(), strict=True)
    )
    x, y = at[:2].tolist()
    return DrawingPlace(*Plane(cloud).show(x, y), nearest)
