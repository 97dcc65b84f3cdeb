"""The REST API of "why this answer"."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Response
from fastapi.responses import StreamingResponse

from ...attribution.contributions import Contributions, explain, name_cells
from ...explore.drawing_runs import DrawingRun
from ...imaging.encoding import stream_npz
from ..api import LayerNames, attachment, file_response, json_response
from ..computing import computes
from ..errors import POST_ERRORS, problem_responses
from ..forms import DrawingRunDep
from .schemas import ContributionsAnswer

router = APIRouter(prefix="/api/models/{model}", tags=["why"])

_REFUSED = problem_responses(HTTPStatus.NOT_FOUND) | POST_ERRORS
_MOST = 100  # maps, and cells, of a layer in an answer

TargetField = Annotated[
    str | None, Form(description="The class to explain: its name, or its number from 0. Default: the likeliest.")
]
AgainstField = Annotated[
    str | None, Form(description="The class to compare it with. Default: none, which explains the logit by itself.")
]


@router.post("/contributions", response_model=ContributionsAnswer, responses=_REFUSED)
@computes
def post_contributions(
    run: DrawingRunDep,
    target: TargetField = None,
    against: AgainstField = None,
    layers: LayerNames = None,
    most: Annotated[int, Form(ge=0, le=_MOST, description="Maps, and cells, of each layer, the strongest ones.")] = 10,
) -> Response:
    """Explain a class's logit, or by how much it is above another's: what each map and cell of every layer contributes.

    A contribution is gradient × value. With what the biases after the layer contribute, they sum to the logit at every
    layer, the image included (Srinivas and Fleuret, 2019). Layers that are not named have their sums only.
    """
    return json_response(ContributionsAnswer.of(_explain(run, target, against, layers), most))


@router.post("/contributions.npz", response_class=Response, responses=_REFUSED | file_response("application/zip"))
def post_contribution_arrays(
    run: DrawingRunDep, target: TargetField = None, against: AgainstField = None, layers: LayerNames = None
) -> Response:
    """Download what each cell contributes, an array of every layer by its name, and of the image as `input`.

    `input` has an underscore behind it where a layer has that name.
    """
    found = _explain(run, target, against, layers)
    headers = attachment(f"{run.network.name}-why-{found.question.target_label}.npz")
    return StreamingResponse(stream_npz(name_cells(found)), media_type="application/zip", headers=headers)


def _explain(run: DrawingRun, target: str | None, against: str | None, layers: list[str] | None) -> Contributions:
    """Raises: UnknownLayer, NoClasses, InvalidQuestion, TooCostly, and as DrawingRun.forward does."""
    wanted = tuple(run.network.layer(name).name for name in layers) if layers else None
    return explain(run.network, run.forward(), target or None, against or None, wanted, run.passes.run_limits)
