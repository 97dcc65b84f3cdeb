"""The REST API of real digits: the digits themselves, and a model's answers to them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Form, Path, Request, Response
from pydantic import Field

from ...cnn.types import PoolingMode
from ...datasets.digits import DigitSet
from ...explore.digit_runs import DigitRun, FinishedRun
from ...explore.edits_file import read_edits
from ...explore.evaluation_report import EvaluationReport
from ...explore.gallery import draw_digit
from ...hosting.long_computations import Computation, Report
from ..errors import POST_ERRORS, describe_problem, problem_responses
from ..forms import EditsField, InvertDep, NetworkDep, edit_network
from ..long_answers import LongAnswer, write_event

router = APIRouter()

_SET = "The test digits, which no built-in model has seen in training, or the first of the training digits."


async def get_digit_run(
    request: Request,
    network: NetworkDep,
    invert: InvertDep = False,
    edits: EditsField = "",
    pooling: Annotated[
        PoolingMode | None, Form(description="Replaces every pooling layer's mode; default: as the model was trained.")
    ] = None,
    set: Annotated[DigitSet, Form(description=_SET)] = DigitSet.TEST,  # the field's name
    digits: Annotated[
        list[Annotated[int, Field(ge=0, le=9)]] | None,
        Form(description="Only digits of these classes, 0 to 9; repeat the field for several. Default: all."),
    ] = None,
    count: Annotated[int | None, Form(ge=1, description="The first so many of these digits; default: all.")] = None,
) -> DigitRun:
    """Return the digits to run a network on."""
    run = DigitRun(network, pooling, invert, set, count, frozenset(digits or ()))
    return await edit_run(request, run, edits)


async def edit_run(request: Request, run: DigitRun, edits: str) -> DigitRun:
    """Return the run with these edits made in its network, and the same without them beside it. Raises: InvalidEdit."""
    made = read_edits(edits, run.network)
    if not made:
        return run
    return replace(run, network=await edit_network(request, run.network, made), whole=run.network, edits=made)


@router.post(
    "/api/models/{model}/evaluation",
    tags=["digits"],
    response_model=EvaluationReport,
    responses=problem_responses(HTTPStatus.NOT_FOUND) | POST_ERRORS | {200: {"content": {"text/event-stream": {}}}},
)
async def post_evaluation(
    request: Request,
    run: Annotated[DigitRun, Depends(get_digit_run)],
    progress: Annotated[
        bool,
        Form(
            description="Answer with server-sent events: `progress` with `done` and `of`, then `result` or `problem`. "
            "To end the run, close the connection."
        ),
    ] = False,
) -> Response:
    """Run a model over real digits whose labels are known: accuracy, confusion matrix and calibration.

    MNIST's 10,000 test digits and 6,000 of its training digits come with Layerglass. With `edits`, the answer is that
    of the edited model, and `before` has the same without them.
    """
    answer = await begin_run(request, run)
    if progress:
        return await answer.stream(lambda computation: _tell(run, computation))
    described = EvaluationReport.from_run(run, await answer.wait())
    return Response(described.model_dump_json(), media_type="application/json")


async def begin_run(request: Request, run: DigitRun) -> LongAnswer[FinishedRun]:
    """Return the answer of a run that may succeed. Raises: NotForDigits, NoSuchDigits, WrongImageSize, TooCostly."""
    await to_thread.run_sync(run.require_possible, request.app.state.forward_passes.run_limits)
    return answer_of(request, run)


def answer_of(request: Request, run: DigitRun) -> LongAnswer[FinishedRun]:
    """Return the answer of a run; what is known of it without its edits is not computed again."""
    if run.before is None:
        return LongAnswer(request, run.key, run.compute, run.network.runs_apart)
    before, results = run.before.key, request.app.state.results

    def compute(report: Report) -> FinishedRun:
        finished = run.compute(report, results.get(before))
        assert finished.before is not None
        results.put(before, finished.before, finished.before.nbytes)
        return finished

    return LongAnswer(request, run.key, compute, run.network.runs_apart)


async def _tell(run: DigitRun, computation: Computation[FinishedRun]) -> AsyncIterator[bytes]:
    of = len(run.indices)
    async for done in computation.progress():
        yield write_event("progress", f'{{"done": {done}, "of": {of}}}')
    try:
        finished = await computation.result()
    except Exception as error:
        yield write_event("problem", describe_problem(error).model_dump_json(exclude_none=True))
    else:
        yield write_event("result", EvaluationReport.from_run(run, finished).model_dump_json())


def _png() -> dict[int | str, dict[str, Any]]:
    content = {"image/png": {"schema": {"type": "string", "format": "binary"}}}
    return {int(HTTPStatus.OK): {"description": "The picture.", "content": content}}


@router.get(
    "/api/digits/{set}/{number}.png",
    tags=["digits"],
    response_class=Response,
    responses=_png() | problem_responses(HTTPStatus.NOT_FOUND),
)
async def show_digit(
    set: Annotated[DigitSet, Path(description=_SET)], number: Annotated[int, Path(description="From 0.")]
) -> Response:
    """Draw one of the digits as MNIST has it, black on white: 28×28 pixels. Sent as a drawing, it is read as it is."""
    headers = {"Cache-Control": "public, max-age=86400"}
    return Response(draw_digit(set, number), media_type="image/png", headers=headers)
