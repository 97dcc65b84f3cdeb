"""The page "Why this answer"."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from ...attribution.attribution import attribute, flatten_channels
from ...attribution.contributions import Contributions, explain
from ...attribution.deadline import RanOutOfTime
from ...attribution.method import METHODS, find_method
from ...attribution.places import Places, find_places
from ...attribution.question import InvalidQuestion
from ...attribution.view import ExplainedLayer, Share, draw_values, view_contributions
from ...cnn.cost import TooCostly
from ...cnn.types import PoolingMode
from ...explore.drawing_runs import DrawingRun
from ...explore.exploration import PAGE_PICTURE, RenderOptions, draw_image
from ...explore.prediction import NoClasses, Prediction, predict
from ...imaging.drawing import SAMPLES
from ..computing import computes
from ..forms import ModelChoice, ModelChoiceDep, PageQuery, PageQueryDep, PageRequestDep
from ..pad import draw_first, first_drawing, inputs_context
from ..templates import render

router = APIRouter(prefix="/why", include_in_schema=False, default_response_class=HTMLResponse)

ALONE = "alone"  # in the place of a class to compare with: the logit by itself is explained
_SEED = 0  # of the randomisation check, so that it is the same each time
_MOST_CLASSES = 100  # to choose from; of more, the likeliest


@dataclass(frozen=True)
class Explanation:
    """What the page shows: the answer, what makes it up, and each layer's part."""

    prediction: Prediction
    found: Contributions
    layers: list[ExplainedLayer]
    places: Places | None  # where in the drawing it comes from

    @property
    def clearest(self) -> Share | None:
        """The map that speaks most for the class, of the layer whose places are shown; None of the image."""
        layer = self.places.terms.layer if self.places else None
        same = (each for each in self.layers if layer is not None and each.layer is layer)
        return next((share for each in same for share in each.shares if share.contribution > 0), None)

    @property
    def classes(self) -> list[str]:
        """The classes that can be asked about."""
        prediction = self.prediction
        several = prediction.probabilities or prediction.values
        if len(several) > _MOST_CLASSES:
            return [each.label for each in prediction.ranked[:_MOST_CLASSES]]
        return [each.label for each in several]


@router.get("")
def show_why(request: Request, query: PageQueryDep, choice: ModelChoiceDep) -> Response:
    """Show why a network answers as it does, with a digit already drawn."""
    state = request.app.state
    run = DrawingRun(choice.network, first_drawing(query), choice.pooling, state.forward_passes, held=query.held or {})
    context = _context(run, choice, query) | inputs_context("why", choice, query)
    context |= {"library": state.library, "samples": SAMPLES, "first": query.sample}
    return render(request, "why.html", context | {"first_png": draw_first(query.sample)})


@router.post("")
@computes
def post_why(request: Request, page: PageRequestDep) -> Response:
    """Explain the answer to the drawing."""
    context = _context(page.run, page.choice, page.form) | inputs_context("why", page.choice, page.form)
    return render(request, "_why.html", context)


@router.post("/attribution")
def post_attribution(request: Request, page: PageRequestDep) -> Response:
    """Show what an attribution method says of the answer, and the same for the network with shuffled weights."""
    run, form = page.run, page.form
    network, forward = run.network, run.forward()
    target, against = _choose_classes(predict(network, forward), form)
    method = find_method(form.method or next(iter(METHODS)))
    found = attribute(network, forward, method, target, against, seed=_SEED, limits=run.passes.run_limits)
    colormap = form.render_options.diverging
    check = found.randomisation
    context = {
        "found": found,
        "picture": draw_values(found.map, colormap),
        "shuffled": draw_values(flatten_channels(check.values), colormap) if check else None,
    }
    return render(request, "_why_attribution.html", context)


def _context(run: DrawingRun, choice: ModelChoice, query: PageQuery) -> dict[str, Any]:
    network, forward, options = run.network, run.forward(), query.render_options
    explanation, refusal = None, None
    try:
        explanation = _explain(run, query, options)
    except (NoClasses, InvalidQuestion, TooCostly, RanOutOfTime) as error:
        refusal = str(error)
    return {
        "explanation": explanation,
        "refusal": refusal,
        "network": network,
        "choice": choice,
        "query": query,
        "alone": ALONE,
        "look": options,
        "forward": forward,
        "regions": forward.regions,
        "region": run.region,
        "pooling": forward.pooling,
        "poolings": list(PoolingMode),
        "methods": METHODS.values(),
        "seen": draw_image(forward.image, network.card, PAGE_PICTURE),
    }


def _explain(run: DrawingRun, query: PageQuery, options: RenderOptions) -> Explanation:
    """Raises: NoClasses, InvalidQuestion, TooCostly, RanOutOfTime."""
    network, forward = run.network, run.forward()
    prediction = predict(network, forward)
    target, against = _choose_classes(prediction, query)
    found = explain(network, forward, target, against, limits=run.passes.run_limits)
    return Explanation(prediction, found, view_contributions(found, options), find_places(found, options))


def _choose_classes(prediction: Prediction, query: PageQuery) -> tuple[str | None, str | None]:
    """Return the class to explain and the one to compare it with: by default the first and the second guess.

    A class that this model does not have is passed over: it was chosen for another model.
    """
    likeliest = [each.label for each in prediction.ranked]
    target = query.target if query.target in likeliest else next(iter(likeliest), None)
    if query.against == ALONE:
        return target, None
    others = [label for label in likeliest if label != target]
    return target, query.against if query.against in others else next(iter(others), None)
