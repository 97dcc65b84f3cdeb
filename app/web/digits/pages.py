"""The page of real digits: a gallery of them, and what a model makes of each."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field, model_validator

from ...cnn.cost import TooCostly
from ...cnn.errors import WrongImageSize
from ...cnn.types import PoolingMode
from ...datasets.digits import DigitSet
from ...explore.calibration import bin_by_confidence, calibration_error
from ...explore.digit_runs import DigitRun, FinishedRun
from ...explore.edit_effect import compare_answers
from ...explore.editing import list_edits
from ...explore.evaluation import DIGITS, NotForDigits
from ...explore.gallery import Choice, Found, Order, make_matrix, show_page
from ..forms import open_network
from ..run_bar import RunBar, tell
from ..templates import render
from .api import answer_of, begin_run, edit_run
from .reliability import plot_reliability

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

THRESHOLDS = (50, 80, 90, 95, 99)  # percent
COUNTS = (1000,)  # to choose from, beside all
_DEFAULT_THRESHOLD = 80


class DigitsQuery(BaseModel):
    """The query of the page's address. Fields of a form that are empty say nothing."""

    model: str | None = None
    edits: str = ""  # that are made in the network, which is run without them as well
    edits_of: str | None = None  # the model that they were made in; in another one they are none
    pooling: PoolingMode | None = None
    invert: bool = False
    set: DigitSet = DigitSet.TEST
    count: Annotated[int | None, Field(ge=1)] = None  # the first so many of the set; None is all
    found: Found = Found.ALL
    digit: Annotated[str | None, Field(max_length=200)] = None
    read: Annotated[str | None, Field(max_length=200)] = None
    below: Annotated[int, Field(ge=1, le=100)] = _DEFAULT_THRESHOLD  # percent of confidence: less is unsure
    order: Order = Order.NUMBER
    page: int = 1
    run: bool | None = None  # whether to run the model at once; None leaves that to the server

    @model_validator(mode="before")
    @classmethod
    def _leave_out_what_is_empty(cls, fields: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in fields.items() if value != ""}

    @property
    def choice(self) -> Choice:
        return Choice(self.found, self.digit, self.read, self.below / 100, self.order)

    def link(self, **changes: Any) -> str:
        """Return the address's query with these changes, from its question mark on, if any. None leaves a field out."""
        fields = self.model_dump(exclude_defaults=True, exclude={"page", "run", "edits_of"}) | changes
        said = [(name, str(value).lower() if isinstance(value, bool) else value) for name, value in fields.items()]
        text = urlencode([(name, value) for name, value in said if value not in {None, ""}])
        return f"?{text}" if text else ""

    def explorer_link(self, model: str) -> str:
        """Return the query of the explorer, for the same model with the same edits."""
        choices = {"model": model, "edits": self.edits, "pooling": self.pooling}
        return f"?{urlencode({name: value for name, value in choices.items() if value})}"

    def pad_link(self, model: str, number: int) -> str:
        """Return the query of a page with a pad, for the same model, with this digit on it."""
        choices = {
            "model": model,
            "edits": self.edits,
            "pooling": self.pooling,
            "invert": "true" if self.invert else None,
        }
        said = {**choices, "digit": f"{self.set}-{number}"}
        return f"?{urlencode({name: value for name, value in said.items() if value})}"


@dataclass(frozen=True)
class DigitsRequest:
    """What the page's address asks for."""

    query: DigitsQuery
    run: DigitRun
    is_built_in: bool


async def get_digits_request(request: Request, query: Annotated[DigitsQuery, Query()]) -> DigitsRequest:
    """Open the model that the address names, else the default one. Raises: UnknownModel, ModelError, Overloaded."""
    library = request.app.state.library
    network = await open_network(request, query.model or library.default_name)
    run = DigitRun(network, query.pooling, query.invert, query.set, query.count)
    if query.edits_of not in (None, network.name):
        query.edits = ""
    run = await edit_run(request, run, query.edits)
    return DigitsRequest(query, run, library.entry(network.name).is_built_in)


DigitsRequestDep = Annotated[DigitsRequest, Depends(get_digits_request)]


@router.get("/digits")
async def show_digits(request: Request, asked: DigitsRequestDep) -> Response:
    """Show the gallery, and what the model makes of the digits if that is known already."""
    return await _show(request, asked, "digits.html")


@router.get("/digits/shown")
async def show_digits_again(request: Request, asked: DigitsRequestDep) -> Response:
    """Show the same for other choices, and put their address into the address bar."""
    response = await _show(request, asked, "_digits_page.html")
    response.headers["HX-Push-Url"] = (
        f"/digits{asked.query.link(page=asked.query.page if asked.query.page > 1 else None)}"
    )
    return response


@router.get("/digits/run")
async def run_on_digits(request: Request, asked: DigitsRequestDep) -> Response:
    """Run the model: a stream of fragments, first the progress, then all of the page."""
    answer = await begin_run(request, asked.run)
    if answer.remembered is not None:
        return await _show(request, asked, "_digits_page.html")

    def find_context(finished: FinishedRun) -> dict[str, Any]:
        return {"request": request, **_make_context(request, asked, finished, None)}

    return await answer.stream(lambda computation: tell(computation, _bar(asked), "_digits_page.html", find_context))


async def _show(request: Request, asked: DigitsRequest, template: str) -> Response:
    """Show the page, or a part of it. Raises: NoSuchDigits, NoSuchPage."""
    refusal = await to_thread.run_sync(_find_refusal, request, asked.run)
    finished = None if refusal else answer_of(request, asked.run).remembered
    context = await to_thread.run_sync(_make_context, request, asked, finished, refusal)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if refusal else HTTPStatus.OK
    return render(request, template, context, status)


def _find_refusal(request: Request, run: DigitRun) -> str | None:
    """Return why this model cannot be run over digits. Raises: NoSuchDigits."""
    try:
        run.require_possible(request.app.state.forward_passes.run_limits)
    except (NotForDigits, WrongImageSize, TooCostly) as error:
        return str(error)
    return None


def _make_context(
    request: Request, asked: DigitsRequest, finished: FinishedRun | None, refusal: str | None
) -> dict[str, Any]:
    """Return what the templates show. Without the model's answers: the digits alone, or none where these are needed."""
    query, run = asked.query, asked.run
    evaluation = finished.evaluation if finished else None
    choice = query.choice
    is_waiting = evaluation is None and choice.needs_answers
    page = None if is_waiting else show_page(run.digits, run.indices, choice, evaluation, query.page)
    runs_at_once = evaluation is None and refusal is None and query.run is not False
    context: dict[str, Any] = {
        "query": query,
        "run": run,
        "network": run.network,
        "library": request.app.state.library,
        "poolings": list(PoolingMode),
        "sets": {each: len(each.load()) for each in DigitSet},
        "counts": COUNTS,
        "thresholds": sorted({*THRESHOLDS, query.below}),
        "labels": DIGITS if evaluation is None else list(dict.fromkeys([*DIGITS, *make_matrix(evaluation).columns])),
        "page": page,
        "refusal": refusal,
        "made": list_edits(run.network, run.edits),
        "runs_at_once": runs_at_once and (asked.is_built_in or is_waiting or query.run is True),
        "evaluation": evaluation,
        "bar": _bar(asked),
    }
    if finished is None or evaluation is None:
        return context
    if finished.before is not None:
        before = finished.before.evaluation
        effect = compare_answers(before, evaluation)
        context |= {"before": before, "before_matrix": make_matrix(before), "effect": effect}
    bins = bin_by_confidence(evaluation.confidences, evaluation.is_right)
    return context | {
        "seconds": finished.seconds,
        "matrix": make_matrix(evaluation),
        "bins": bins,
        "error": calibration_error(bins),
        "plot": plot_reliability(bins),
        "wrong": int((~evaluation.is_right).sum()),
        "unsure": int((evaluation.confidences < choice.threshold).sum()),
    }


def _bar(asked: DigitsRequest) -> RunBar:
    again = f"/digits/shown{asked.query.link(run='true')}"
    return RunBar(len(asked.run.indices), "digits", says="#digits-status", ends=".run", again=again)
