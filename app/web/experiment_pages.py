"""The pages of experiments: all of them, and one with its chart and table."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from ..datasets.digits import load_test_digits
from ..experiments.catalogue import EXPERIMENTS
from ..experiments.experiment import FEWEST, USUAL, NotForExperiment, Result
from ..experiments.output import command_line, show, show_fact
from ..experiments.rows import Unit
from ..experiments.runs import ExperimentRun
from ..explore.evaluation import NotForDigits
from .charts import DrawnChart, draw_chart
from .experiments_api import PostedRunDep, QueriedRunDep, stream
from .forms import LibraryDep, open_network
from .long_answers import LongAnswer
from .templates import templates

router = APIRouter(prefix="/experiments", include_in_schema=False, default_response_class=HTMLResponse)

_COUNTS = (500, USUAL, len(load_test_digits()))


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
    """Show all experiments, with the charts of those that were run with this model."""
    network = await open_network(request, model or library.default_name)
    known = {}
    for name, experiment in EXPERIMENTS.items():
        for count in reversed(_COUNTS):
            found = _remembered(request, ExperimentRun(experiment, network, library, count))
            if found is not None:
                known[name] = view_result(found)
                break
    context = {"experiments": EXPERIMENTS.values(), "known": known, "library": library, "network": network}
    return templates.TemplateResponse(request, "experiments.html", context)


@router.get("/{name}")
async def show_experiment(
    request: Request, run: QueriedRunDep, model: Annotated[str | None, Query()] = None
) -> Response:
    """Show an experiment: what it asks, and what it found if that is known. A model in the URL has the page run it."""
    refusal = None
    try:
        total = run.total
    except (NotForDigits, NotForExperiment) as error:
        refusal, total = str(error), 0
    found = None if refusal else _remembered(request, run)
    context: dict[str, Any] = {
        "experiment": run.experiment,
        "experiments": EXPERIMENTS.values(),
        "library": run.library,
        "network": run.network,
        "digits": run.count,
        "counts": sorted({*_COUNTS, run.count}),
        "fewest": FEWEST,
        "total": total,
        "refusal": refusal,
        "view": view_result(found) if found else None,
        "runs": model is not None and found is None and refusal is None,
    }
    return templates.TemplateResponse(request, "experiment.html", context)


@router.post("/{name}")
async def post_experiment(request: Request, run: PostedRunDep) -> Response:
    """Run an experiment: events tell how far it is, and the last one has what the page shows of the result."""
    return await stream(request, run, _write_result)


def _remembered(request: Request, run: ExperimentRun) -> Result | None:
    return LongAnswer[Result](request, run.key, run.compute).remembered


def _write_result(result: Result) -> str:
    return templates.get_template("_experiment_result.html").render(view=view_result(result))
