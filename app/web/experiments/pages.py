"""The pages of experiments: all of them, and one with its chart and table."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from ...cnn.cost import TooCostly
from ...cnn.errors import WrongImageSize
from ...datasets.digits import load_test_digits
from ...experiments.catalogue import EXPERIMENTS
from ...experiments.experiment import USUAL, NotForExperiment, Result
from ...experiments.output import command_line, show, show_fact
from ...experiments.rows import Unit
from ...experiments.runs import ExperimentRun
from ...explore.evaluation import NotForDigits
from ...model_files.errors import ModelError
from ..forms import LibraryDep, open_network
from ..run_bar import RunBar, tell
from ..templates import render
from .api import ExperimentDep, answer_of, begin_run
from .charts import DrawnChart, draw_chart

router = APIRouter(prefix="/experiments", include_in_schema=False, default_response_class=HTMLResponse)

COUNTS = (500, USUAL, len(load_test_digits()))  # of digits, to choose from


class ExperimentQuery(BaseModel):
    """The query of an experiment's address."""

    model: str | None = None
    digits: int = USUAL
    run: bool | None = None  # whether to run it at once; None leaves that to the server


@dataclass(frozen=True)
class ExperimentRequest:
    """What an experiment's address asks for."""

    query: ExperimentQuery
    run: ExperimentRun
    is_built_in: bool

    @property
    def path(self) -> str:
        """The address of the experiment."""
        return f"/experiments/{self.run.experiment.name}"

    @property
    def link(self) -> str:
        """The address's query, its choices all said."""
        return f"?{urlencode({'model': self.run.network.name, 'digits': self.run.count})}"


async def get_experiment_request(
    request: Request, experiment: ExperimentDep, library: LibraryDep, query: Annotated[ExperimentQuery, Query()]
) -> ExperimentRequest:
    """Open the model that the address names, else the default one. Raises: UnknownModel, ModelError, Overloaded."""
    network = await open_network(request, query.model or library.default_name)
    run = ExperimentRun(experiment, network, library, query.digits)
    return ExperimentRequest(query, run, library.entry(network.name).is_built_in)


ExperimentRequestDep = Annotated[ExperimentRequest, Depends(get_experiment_request)]


@dataclass(frozen=True)
class ResultView:
    """A result as the page shows it."""

    result: Result
    chart: DrawnChart
    head: tuple[tuple[str, bool], ...]  # of each column: its title, and whether it holds numbers
    rows: tuple[tuple[str, ...], ...]
    facts: tuple[tuple[str, str], ...]
    command: str


def view_result(result: Result) -> ResultView:
    """Write a result's numbers, and lay its chart out."""
    columns = result.experiment.row.columns()
    return ResultView(
        result,
        draw_chart(result.chart),
        tuple((column.title, column.unit is not Unit.TEXT) for column in columns),
        tuple(tuple(map(show, columns, row.values)) for row in result.rows),
        tuple((fact.title, show_fact(fact.value)) for fact in result.facts),
        command_line(result.experiment.name, result.model, result.digits),
    )


@router.get("")
async def show_experiments(
    request: Request, library: LibraryDep, model: Annotated[str | None, Query()] = None
) -> Response:
    """Show all experiments, with the charts of those that were run with this model, on the most digits."""
    network = await open_network(request, model or library.default_name)
    known = {}
    for name, experiment in EXPERIMENTS.items():
        runs = (ExperimentRun(experiment, network, library, count) for count in reversed(COUNTS))
        found = next((result for run in runs if (result := answer_of(request, run).remembered)), None)
        if found is not None:
            known[name] = view_result(found)
    context = {"experiments": EXPERIMENTS.values(), "known": known, "library": library, "network": network}
    return render(request, "experiments.html", context)


@router.get("/{name}")
async def show_experiment(request: Request, asked: ExperimentRequestDep) -> Response:
    """Show an experiment: what it asks, and what it found if that is known already."""
    return await _show(request, asked, "experiment.html")


@router.get("/{name}/shown")
async def show_experiment_again(request: Request, asked: ExperimentRequestDep) -> Response:
    """Show the same for other choices, and put their address into the address bar."""
    response = await _show(request, asked, "_experiment_page.html")
    response.headers["HX-Push-Url"] = f"{asked.path}{asked.link}"
    return response


@router.get("/{name}/run")
async def run_experiment(request: Request, asked: ExperimentRequestDep) -> Response:
    """Run an experiment: a stream of fragments, first the progress, then all of the page."""
    answer = await begin_run(request, asked.run)
    if answer.remembered is not None:
        return await _show(request, asked, "_experiment_page.html")

    def find_context(result: Result) -> dict[str, Any]:
        return {"request": request, **_make_context(asked, result)}

    return await answer.stream(
        lambda computation: tell(computation, _bar(asked), "_experiment_page.html", find_context)
    )


async def _show(request: Request, asked: ExperimentRequest, template: str) -> Response:
    """Show the page, or a part of it. Raises: NoSuchCount."""
    refusal = await to_thread.run_sync(_find_refusal, request, asked.run)
    result = None if refusal else answer_of(request, asked.run).remembered
    status = HTTPStatus.UNPROCESSABLE_ENTITY if refusal else HTTPStatus.OK
    return render(request, template, _make_context(asked, result, refusal), status)


def _find_refusal(request: Request, run: ExperimentRun) -> str | None:
    """Return why this model cannot be asked. Raises: NoSuchCount."""
    try:
        run.require_possible(request.app.state.forward_passes.run_limits)
    except (NotForDigits, NotForExperiment, ModelError, WrongImageSize, TooCostly) as error:
        return str(error)
    return None


def _make_context(asked: ExperimentRequest, result: Result | None, refusal: str | None = None) -> dict[str, Any]:
    run, is_wanted = asked.run, asked.query.run is True or (asked.query.run is None and asked.is_built_in)
    return {
        "asked": asked,
        "experiment": run.experiment,
        "experiments": EXPERIMENTS.values(),
        "library": run.library,
        "network": run.network,
        "counts": sorted({*COUNTS, run.count}),
        "refusal": refusal,
        "total": 0 if refusal else run.total,
        "bar": None if refusal else _bar(asked),
        "view": view_result(result) if result else None,
        "runs_at_once": is_wanted and result is None and refusal is None,
    }


def _bar(asked: ExperimentRequest) -> RunBar:
    again = f"{asked.path}/shown{asked.link}&run=true"
    return RunBar(asked.run.total, says="#experiment-status", ends=".run", again=again)
