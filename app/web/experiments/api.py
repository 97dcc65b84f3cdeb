"""The REST API of experiments: what they ask, and what they found."""

import json
from collections.abc import AsyncIterator
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Form, Path, Query, Request, Response
from pydantic import BaseModel, Field

from ...datasets.digits import load_test_digits
from ...experiments.catalogue import EXPERIMENTS, find_experiment
from ...experiments.experiment import FEWEST, USUAL, Experiment, Result, Verdict
from ...experiments.output import to_csv, to_document
from ...experiments.rows import Unit
from ...experiments.runs import ExperimentRun
from ...hosting.long_computations import Computation
from ..errors import POST_ERRORS, describe_problem, problem_responses
from ..forms import LibraryDep, open_network
from ..long_answers import LongAnswer, write_event

router = APIRouter(prefix="/api/experiments", tags=["experiments"])

_REFUSED = problem_responses(HTTPStatus.NOT_FOUND) | POST_ERRORS
_FORMATS: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}
_EVENTS: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}}}


class ExperimentSummary(BaseModel):
    """What an experiment asks."""

    name: str
    question: str
    claim: str = Field(description="What is put to the test.")
    method: str
    criterion: str = Field(description="What the claim must come to, to hold.")


class ColumnDescription(BaseModel):
    """A column of an experiment's table."""

    name: str = Field(description="The field's name in each row.")
    title: str
    unit: Unit = Field(description="share: from 0 to 1.")


class MeasuredFact(BaseModel):
    """A measured number beside the table."""

    title: str
    value: str | int | float | None


class ExperimentAnswer(ExperimentSummary):
    """What an experiment found."""

    model: str
    digits: int = Field(description="How many of MNIST's test digits, evenly spread over all of them.")
    columns: list[ColumnDescription]
    rows: list[dict[str, str | int | float | None]]
    facts: list[MeasuredFact]
    verdict: Verdict
    conclusion: str = Field(description="Composed of the measured numbers.")
    command: str = Field(description="Computes the same again.")


class ResultFormat(StrEnum):
    """How a result is written."""

    JSON = "json"
    CSV = "csv"


async def get_experiment(name: Annotated[str, Path(description="An experiment's name.")]) -> Experiment:
    """Return the experiment that the path names. Raises: UnknownExperiment."""
    return find_experiment(name)


ExperimentDep = Annotated[Experiment, Depends(get_experiment)]

_MODEL = "The model that is asked. Default: the one that the page opens with."
_BOUNDS: dict[str, Any] = {"minimum": FEWEST, "maximum": len(load_test_digits())}
_DIGITS = f"How many of MNIST's 10,000 test digits, {FEWEST} at least, evenly spread over all of them."


async def get_queried_run(
    request: Request,
    experiment: ExperimentDep,
    library: LibraryDep,
    model: Annotated[str | None, Query(description=_MODEL)] = None,
    digits: Annotated[int, Query(description=_DIGITS, json_schema_extra=_BOUNDS)] = USUAL,
) -> ExperimentRun:
    """Return the experiment with the model of the query. Raises: UnknownModel, ModelError."""
    network = await open_network(request, model or library.default_name)
    return ExperimentRun(experiment, network, library, digits)


async def get_posted_run(
    request: Request,
    experiment: ExperimentDep,
    library: LibraryDep,
    model: Annotated[str | None, Form(description=_MODEL)] = None,
    digits: Annotated[int, Form(description=_DIGITS, json_schema_extra=_BOUNDS)] = USUAL,
) -> ExperimentRun:
    """Return the experiment with the model of the form. Raises: UnknownModel, ModelError."""
    return await get_queried_run(request, experiment, library, model, digits)


QueriedRunDep = Annotated[ExperimentRun, Depends(get_queried_run)]
PostedRunDep = Annotated[ExperimentRun, Depends(get_posted_run)]


@router.get("", response_model=list[ExperimentSummary])
async def list_experiments() -> list[ExperimentSummary]:
    """List all experiments: what they ask, and how."""
    return [ExperimentSummary.model_validate(each, from_attributes=True) for each in EXPERIMENTS.values()]


@router.get("/{name}", response_model=ExperimentAnswer, responses=_REFUSED | _FORMATS)
async def get_result(
    request: Request,
    run: QueriedRunDep,
    format: Annotated[ResultFormat, Query(description="csv: the table alone, numbers in full.")] = ResultFormat.JSON,
) -> Response:
    """Run an experiment, or return what it found before. The same request gives the same numbers.

    Many runs of a slow model take longer than an answer may: POST tells of progress, and may take longer.
    """
    result = await (await begin_run(request, run)).wait()
    return _write_csv(result) if format is ResultFormat.CSV else _write_json(result)


@router.post("/{name}", response_model=ExperimentAnswer, responses=_REFUSED | _EVENTS)
async def post_experiment(
    request: Request,
    run: PostedRunDep,
    progress: Annotated[
        bool,
        Form(
            description="Answer with server-sent events: `progress` with `done` and `of`, then `result` or `problem`. "
            "To end the run, close the connection."
        ),
    ] = False,
) -> Response:
    """Run an experiment with a model on real digits."""
    answer = await begin_run(request, run)
    if progress and (known := answer.remembered) is not None:
        return Response(write_event("result", _describe(known)), media_type="text/event-stream")
    if progress:
        return await answer.stream(lambda computation: _tell(run, computation))
    return _write_json(await answer.wait())


async def begin_run(request: Request, run: ExperimentRun) -> LongAnswer[Result]:
    """Return the answer of an experiment that may succeed.

    Raises: NoSuchCount, NotForDigits, NotForExperiment, ModelError, WrongImageSize, TooCostly.
    """
    await to_thread.run_sync(run.require_possible, request.app.state.forward_passes.run_limits)
    return answer_of(request, run)


def answer_of(request: Request, run: ExperimentRun) -> LongAnswer[Result]:
    """Return the answer of an experiment."""
    return LongAnswer(request, run.key, run.compute, run.network.runs_apart)


async def _tell(run: ExperimentRun, computation: Computation[Result]) -> AsyncIterator[bytes]:
    async for done in computation.progress():
        yield write_event("progress", json.dumps({"done": done, "of": run.total}))
    try:
        result = await computation.result()
    except Exception as error:
        yield write_event("problem", describe_problem(error).model_dump_json(exclude_none=True))
    else:
        yield write_event("result", _describe(result))


def _write_csv(result: Result) -> Response:
    """Return the table as a file."""
    name = f"{result.experiment.name}-{result.digits}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(to_csv(result), media_type="text/csv", headers=headers)


def _describe(result: Result) -> str:
    return ExperimentAnswer.model_validate(to_document(result)).model_dump_json()


def _write_json(result: Result) -> Response:
    return Response(_describe(result), media_type="application/json")
