"""What a plan would take of this machine, held against what a model may, before anything is allocated."""

import math

from app.cnn.layers import Shape
from app.model_files.errors import ModelError, shown
from app.model_files.limits import ANY_SIDE, CELLS, PARAMETERS
from app.model_files.plan import Step


def check_parameters(step: Step, total: int) -> None:
    """total: of all layers up to this step. Raises: ModelError."""
    if total > PARAMETERS:
        raise ModelError(
            f"The model has more than {PARAMETERS:,} parameters by its layer {shown(step.name)}, more than "
            "Layerglass opens. Bring a smaller one."
        )


def check_cells(step: Step, shape: Shape) -> None:
    """shape: of the step's output. Raises: ModelError."""
    cells = math.prod(size or ANY_SIDE for size in shape)
    if cells > CELLS:
        raise ModelError(
            f"The layer {shown(step.name)} makes {cells:,} numbers of one image; at most {CELLS:,} are shown."
        )
