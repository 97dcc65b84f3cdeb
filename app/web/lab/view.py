"""What the lab's templates show of each step."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from ...cnn.errors import NoArithmetic
from ...lab.chain import OPERATIONS, Chain, find_controls, write_step
from ...lab.control import Control
from ...lab.inspection import InspectionView, inspect, view_inspection
from ...lab.laboratory import NoCell, Stage
from ...lab.measures import Enlarged, Statistics, difference
from ...lab.operation import Operation
from ...lab.pictures import Drawn, Look, draw, draw_quickly
from .forms import LabForm

_QUICK = 3 * 2**19  # values of a picture whose every number follows a dragged slider
_LEAST_WIDTH = 16

GROUPS = {
    "Pooling": (
        "max",
        "average",
        "min",
        "lp",
        "soft",
        "stochastic",
        "mixed",
        "median",
        "blurred",
        "polyphase",
        "cell",
        "strided",
    ),
    "Filters": ("convolution", "activation", "swap"),
}


@dataclass(frozen=True)
class StepView:
    """One picture of the chain: the source, or what a step made."""

    number: int
    stage: Stage
    key: str  # of its picture
    drawn: Drawn | None  # None where the page has it already
    difference: Drawn | None
    controls: list[Control]
    statistics: Statistics | None  # None until it is worked out, as the next two
    change_under_shift: float | None
    enlarged: Enlarged | None
    is_measured: bool  # the two before are worked out

    @property
    def step(self) -> Operation | None:
        return self.stage.step

    @property
    def token(self) -> str:
        """The step as it stands in the address."""
        return write_step(self.stage.step) if self.stage.step else ""

    @property
    def energy_ratio(self) -> float | None:
        """The energy, as a share of that of the picture before."""
        before = self.stage.before
        if before is None or self.statistics is None or not before.statistics.energy > 0:
            return None
        return self.statistics.energy / before.statistics.energy


def view_stages(stages: Sequence[Stage], chain: Chain, form: LabForm) -> list[StepView]:
    """Draw and measure the picture and what each step made of it."""
    controls = [[], *find_controls(chain, stages[0].size)]
    have = set(form.have.split(","))
    if not form.lean:
        stages[-1].change_under_shift  # noqa: B018 - worked out once, for all of them
    measures = not form.lean or stages[0].planes.size <= _QUICK
    return [
        _view(number, stage, controls[number], form, have, measures and number > 0)
        for number, stage in enumerate(stages)
    ]


def _view(
    number: int, stage: Stage, controls: list[Control], form: LabForm, have: set[str], measures: bool
) -> StepView:
    waits = form.lean and number > 0 and stage.planes.size > _QUICK
    look, key = Look(form.theme.signed, form.width), _key_of(stage, form, form.width)
    drawn = None
    if form.lean and key not in have and stage.first.planes.size > _QUICK:  # half as wide, for a moment
        look = Look(form.theme.signed, max(_LEAST_WIDTH, form.width // 2))
        key = _key_of(stage, form, look.width)
    if key not in have:
        drawn = draw_quickly(stage.planes, look) if waits else draw(stage.planes, *stage.extremes, look)
    apart = None
    if number in form.shown_differences and stage.pooled is not None:
        values = difference(stage.planes, stage.pooled.planes)
        apart = draw(values, min(float(values.min()), -1e-6), float(values.max()), look)
    return StepView(
        number, stage, key, drawn, apart, controls, None if waits else stage.statistics,
        stage.change_under_shift if measures else None, stage.enlarged if measures else None, measures,
    )  # fmt: skip


def _key_of(stage: Stage, form: LabForm, width: int | None) -> str:
    """Return what no other picture of a step is called."""
    return hashlib.sha256(f"{stage.identity} {width} {form.theme}".encode()).hexdigest()[:16]


def view_cell(stages: Sequence[Stage], form: LabForm) -> InspectionView | None:
    """Draw the cell that the form selects; None where there is none, or it has no arithmetic that can be shown."""
    if form.step is None or form.step >= len(stages):
        return None
    stage = stages[form.step]
    height, width = stage.size
    channel = min(form.channel, stage.channels - 1)
    try:
        return view_inspection(
            inspect(stage, min(form.row, height - 1), min(form.column, width - 1), channel), form.theme.signed
        )
    except (NoCell, NoArithmetic):
        return None


def operation_groups() -> dict[str, list[tuple[str, str]]]:
    """Return the operations by group: each one's name and its title."""
    return {group: [(name, OPERATIONS[name].title) for name in names] for group, names in GROUPS.items()}
