"""The REST API of the attribution methods."""

from http import HTTPStatus
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Depends, Form, Path, Response

from ...attribution.attribution import Attribution, attribute
from ...attribution.baseline import Baseline, make_baseline
from ...attribution.case import MOST_SIDE, MOST_STEPS, Settings, read_patch
from ...attribution.method import METHODS, Method, find_method
from ...explore.drawing_runs import DrawingRun
from ...imaging.colormap import Colormap
from ...imaging.encoding import encode_npz
from ...imaging.grid import draw_grid
from ..api import attachment, file_response, json_response, png_response
from ..errors import POST_ERRORS, problem_responses
from ..forms import DrawingRunDep, ZoomField
from .api import AgainstField, TargetField
from .schemas import AttributionAnswer, MethodDescription

router = APIRouter(prefix="/api", tags=["why"])

_PATH = "/models/{model}/attributions/{method}"
_REFUSED = problem_responses(HTTPStatus.NOT_FOUND) | POST_ERRORS
_MOST_SEED = 2**31 - 1


async def get_method(method: Annotated[str, Path(description=f"One of: {', '.join(METHODS)}.")]) -> Method:
    """Return the method that the path names. Raises: UnknownMethod."""
    return find_method(method)


def get_settings(
    run: DrawingRunDep,
    layer: Annotated[str | None, Form(description="The layer whose cells are judged. Default: the image.")] = None,
    baseline: Annotated[
        Baseline,
        Form(
            description="What stands for nothing, for integrated gradients and occlusion: an empty sheet of paper, the "
            "number 0 as the network gets it, or the image's mean."
        ),
    ] = Baseline.PAPER,
    steps: Annotated[
        int, Form(ge=1, le=MOST_STEPS, description="Of integrated gradients, from the baseline to the image.")
    ] = 32,
    patch_rows: Annotated[
        int | None, Form(ge=1, le=MOST_SIDE, description="Rows that occlusion covers at once. Default: a seventh.")
    ] = None,
    patch_columns: Annotated[
        int | None, Form(ge=1, le=MOST_SIDE, description="Columns that occlusion covers at once. Default: the rows.")
    ] = None,
    stride: Annotated[
        int | None, Form(ge=1, le=MOST_SIDE, description="Cells from one patch to the next. Default: half a patch.")
    ] = None,
) -> Settings:
    """Return what the methods are told. Raises: UnknownLayer, and as DrawingRun.forward does."""
    name = run.network.layer(layer).name if layer else None
    patch = read_patch(patch_rows, patch_columns)
    return Settings(name, make_baseline(run, baseline), steps, patch, stride)


MethodDep = Annotated[Method, Depends(get_method)]
SettingsDep = Annotated[Settings, Depends(get_settings)]


@router.get("/attributions")
async def list_methods() -> list[MethodDescription]:
    """List the attribution methods, each with what it can and cannot say."""
    return [MethodDescription.of(method) for method in METHODS.values()]


@router.post(f"{_PATH}.png", response_class=Response, responses=_REFUSED | file_response("image/png"))
def post_attribution_picture(
    run: DrawingRunDep,
    method: MethodDep,
    settings: SettingsDep,
    target: TargetField = None,
    against: AgainstField = None,
    signed: Annotated[Colormap, Form(description="The colour map, for best one that is symmetric.")] = Colormap.RDBU,
    zoom: ZoomField = 1,
) -> Response:
    """Draw what a method says of each cell, channels summed up: blue speaks against the class, red for it."""
    found = _attribute(run, method, settings, target, against, None)
    return png_response(draw_grid(found.map[..., np.newaxis].astype(np.float32), signed).png, zoom)


@router.post(f"{_PATH}.npz", response_class=Response, responses=_REFUSED | file_response("application/zip"))
def post_attribution_arrays(
    run: DrawingRunDep,
    method: MethodDep,
    settings: SettingsDep,
    target: TargetField = None,
    against: AgainstField = None,
) -> Response:
    """Download what a method says of each cell: `attribution`, and `values`, which the cells hold."""
    found = _attribute(run, method, settings, target, against, None)
    headers = attachment(f"{run.network.name}-{method.name}-{found.question.target_label}.npz")
    data = encode_npz({"attribution": found.values, "values": found.case.values})
    return Response(data, media_type="application/zip", headers=headers)


@router.post(_PATH, response_model=AttributionAnswer, responses=_REFUSED)
def post_attribution(
    run: DrawingRunDep,
    method: MethodDep,
    settings: SettingsDep,
    target: TargetField = None,
    against: AgainstField = None,
    check: Annotated[
        bool, Form(description="Do the same with shuffled weights, which a method should not survive.")
    ] = True,
    seed: Annotated[int, Form(ge=0, le=_MOST_SEED, description="Of the order of the shuffled weights.")] = 0,
) -> Response:
    """Say by one method what an answer depends on, how far that is from the logit, and whether it survives a check."""
    found = _attribute(run, method, settings, target, against, seed if check else None)
    return json_response(AttributionAnswer.of(found))


def _attribute(
    run: DrawingRun, method: Method, settings: Settings, target: str | None, against: str | None, seed: int | None
) -> Attribution:
    limits = run.passes.run_limits
    return attribute(run.network, run.forward(), method, target or None, against or None, settings, seed, limits)
