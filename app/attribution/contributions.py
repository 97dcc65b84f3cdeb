"""Why this answer: what each unit, map and cell of every layer contributes to a logit, and what the biases add.

At any layer, total + beside + bias_after + left_over_after + rounding_after is the logit, or the difference of two: see
app.cnn.ledger.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cnn.cost import DEFAULT_LIMITS, RunLimits, TooCostly, add_backward
from ..cnn.errors import NoGradient
from ..cnn.kinds import Layer
from ..cnn.ledger import Entry, Ledger, draw_up
from ..cnn.logits import Logits, find_logits
from ..cnn.network import ForwardPass, Network
from ..cnn.types import unused_name
from ..explore.large_layers import reading
from .deadline import Deadline
from .question import Question, read_question, require_classes

LEFT_OVER = (
    "A layer that is not linear between its kinks is replaced by its tangent: each input's share is gradient × value, "
    "and the tangent's height at zero is left over, a term of its own."
)


@dataclass(frozen=True)
class LayerContributions:
    """What one layer's values contribute to the number that is explained, and all else that makes it up."""

    layer: Layer | None  # None is the image
    shape: tuple[int, ...]
    total: float  # of all cells
    beside: float  # of the values that go round the layer on other ways
    bias_after: float  # of the biases of all layers after it
    left_over_after: float  # of what is not linear in all layers after it
    rounding_after: float  # of what float32 rounded in all layers after it
    bias: float | None  # of its own biases; None where it has none, or the number does not depend on them
    left_over: float | None  # of what is not linear in it; None where nothing is
    cells: NDArray[np.floating[Any]] | None  # gradient × value of each: (*shape); None where they were not asked for

    @property
    def sum(self) -> float:
        """The number that is explained."""
        return self.total + self.beside + self.bias_after + self.left_over_after + self.rounding_after

    @property
    def maps(self) -> NDArray[np.float64]:
        """The total of each map, or of each unit: (channels,). Raises: ValueError, where no cells were asked for."""
        if self.cells is None:
            raise ValueError("the cells were not asked for")
        return np.asarray(self.cells.reshape(-1, self.shape[-1]).sum(axis=0, dtype=np.float64))

    def strongest_maps(self, most: int) -> list[int]:
        """Return the numbers of the maps whose totals are furthest from zero, the strongest first."""
        return _strongest(self.maps, most)

    def strongest_cells(self, most: int) -> list[tuple[int, ...]]:
        """Return the indices of the cells that are furthest from zero, the strongest first."""
        if self.cells is None:
            raise ValueError("the cells were not asked for")
        return [tuple(map(int, np.unravel_index(at, self.shape))) for at in _strongest(self.cells.ravel(), most)]


@dataclass(frozen=True)
class Contributions:
    """Why a network answers so: the answer's logit, layer by layer."""

    network: Network
    forward: ForwardPass
    question: Question
    logits: Logits
    number: float  # that is explained: the logit, or the difference of two
    layers: tuple[LayerContributions, ...]  # from the image on; only those that a gradient gets to
    stopped: NoGradient | None  # why there are none before the first of them; None where the image is it

    @property
    def rounding(self) -> float:
        """The size of the largest part that rounding has at any layer."""
        return max(abs(each.rounding_after) for each in self.layers)

    def layer(self, name: str | None) -> LayerContributions:
        """Return those of a layer; None is the image. Raises: NoGradient, where no gradient gets there; KeyError."""
        for each in self.layers:
            if (each.layer.name if each.layer else None) == name:
                return each
        if self.stopped is not None:
            raise self.stopped
        raise KeyError(name)


def explain(
    network: Network,
    forward: ForwardPass,
    target: str | None = None,
    against: str | None = None,
    layers: tuple[str | None, ...] | None = None,
    limits: RunLimits = DEFAULT_LIMITS,
) -> Contributions:
    """Return what makes up a class's logit, or by how much it is above another's.

    target, against: classes, by name or by number; without a target, the likeliest. layers: those whose cells are
    wanted; None is all that a gradient gets to, the image too.
    Raises: NoClasses, InvalidQuestion, TooCostly, NoGradient, RanOutOfTime.
    """
    require_classes(network)
    require_affordable(network, forward, 1, limits)
    with reading(sum(each.size for each in forward.activations.values()), forward), np.errstate(all="ignore"):
        logits = find_logits(network, forward)
        question = read_question(network, logits.values, target, against)
        seeds = question.seeds(logits.values.size)
        ledger = draw_up(network, logits, seeds, lambda name: _is_in(name, layers), Deadline(limits.seconds).check)
        for name in layers or ():
            ledger.entry(name)
        found = tuple(_contributions(network, ledger, name) for name in reversed(list(ledger.entries)))
    return Contributions(network, forward, question, logits, float(ledger.numbers[0]), found, ledger.stopped)


def name_cells(found: Contributions) -> dict[str, NDArray[np.floating[Any]]]:
    """Return what each cell contributes, by layer, and of the image as `input`.

    `input` has an underscore behind it where a layer has that name.
    """
    image = unused_name("input", found.forward.activations)
    return {each.layer.name if each.layer else image: each.cells for each in found.layers if each.cells is not None}


def require_affordable(network: Network, forward: ForwardPass, several: int, limits: RunLimits) -> None:
    """Check that several gradients may go back through a network. Raises: TooCostly."""
    cost = add_backward(network.cost(forward.image.shape, forward.pooling), several)
    if not limits.allow(cost):
        advice = "To explain its answer takes more than to give it: ask about a smaller model"
        raise TooCostly(network.name, forward.image.shape, cost, limits, advice)


def _is_in(name: str | None, layers: tuple[str | None, ...] | None) -> bool:
    return layers is None or name in layers


def _contributions(network: Network, ledger: Ledger, name: str | None) -> LayerContributions:
    entry: Entry = ledger.entries[name]
    values = ledger.activations[name]
    return LayerContributions(
        layer=None if name is None else network.layer(name),
        shape=values.shape,
        total=float(entry.total[0]),
        beside=float(entry.beside[0]),
        bias_after=float(entry.bias_after[0]),
        left_over_after=float(entry.left_over_after[0]),
        rounding_after=float(entry.rounding_after[0]),
        bias=None if entry.bias is None else float(entry.bias[0].sum()),
        left_over=None if entry.left_over is None else float(entry.left_over[0]),
        cells=None if entry.gradients is None else entry.gradients[0] * values,
    )


def _strongest(values: NDArray[Any], most: int) -> list[int]:
    """Return the indices of the values furthest from zero, the furthest first, and of equal ones the first."""
    sizes = np.abs(values)
    if values.size > most:
        chosen = np.sort(np.argpartition(-sizes, most)[:most])
        return [int(at) for at in chosen[np.argsort(-sizes[chosen], kind="stable")]]
    return [int(at) for at in np.argsort(-sizes, kind="stable")]
