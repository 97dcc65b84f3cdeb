"""What an image is made to raise: a map's strongest cell or its mean, or a logit. Its value, and its gradient."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cnn.ledger import draw_up
from ..cnn.logits import Logits
from ..cnn.network import ForwardPass, Network
from ..cnn.types import Array
from ..explore.large_layers import reading
from .strongest import as_cells

_LOGISTIC = {"softmax", "sigmoid"}  # whose slope is near zero where they are sure: what they read is raised instead
_Values = NDArray[np.floating[Any]]


class Part(StrEnum):
    """What of a map is raised. A unit of a vector is a map of one cell."""

    CELL = "cell"  # the strongest one, whichever that is
    MEAN = "mean"  # of all cells


@dataclass(frozen=True)
class Goal:
    """One number of a network, to be raised by changing the image."""

    network: Network
    layer: str
    number: int  # of the map, or unit
    part: Part = Part.CELL

    @property
    def is_logit(self) -> bool:
        """The layer's values are probabilities, so that what its softmax or logistic function reads is raised."""
        return self.network.layer(self.layer).last_function in _LOGISTIC

    def value(self, forward: ForwardPass) -> float:
        """Return the number, as it is in a forward pass: the layer's own, or the logit."""
        values, _ = self._before(forward) if self.is_logit else self._at(forward)
        return float(self._weigh(values)[1])

    def strongest_cell(self, forward: ForwardPass) -> tuple[int, int]:
        """Return the row and the column of the map's strongest cell; in a vector 0 and the unit."""
        cells, width = as_cells(forward.activations[self.layer])
        place = int(cells[:, self.number].argmax())
        row, column = divmod(place, width) if width else (0, self.number)
        return row, column

    def gradient(self, forward: ForwardPass) -> _Values:
        """Return the gradient of the number for each value of the image: (height, width, channels).

        Where it is zero everywhere, as of a cell that ReLU has cut off, that of what the activation function read is
        returned instead, of a pooled map that of the map before: else nothing could ever raise it. Raises: NoGradient.
        """
        size = sum(each.size for each in forward.activations.values())
        with reading(size, forward), np.errstate(all="ignore"):
            gradient = None if self.is_logit else self._pass_back(forward, self._at)
            if gradient is None or not gradient.any():
                gradient = self._pass_back(forward, self._before)
        layer = self.network.layer(self.layer)
        if not gradient.any() and layer.is_pooling and layer.sources[0] is not None:
            return replace(self, layer=layer.sources[0]).gradient(forward)
        return gradient

    def _pass_back(self, forward: ForwardPass, find: Callable[[ForwardPass], tuple[NDArray[Any], Logits]]) -> _Values:
        values, raised = find(forward)
        seeds, _ = self._weigh(values)
        ledger = draw_up(self.network, raised, seeds.reshape(1, -1), lambda name: name is None)
        found = ledger.entry(None).gradients
        return np.zeros_like(forward.image) if found is None else found[0]

    def _at(self, forward: ForwardPass) -> tuple[NDArray[Any], Logits]:
        """Return the layer's values, and the way to them."""
        made = self._made(forward)
        layers = [layer.with_pooling(forward.pooling) for layer in self.network.layers[: self._place + 1]]
        values = made[self.layer]
        return values, Logits(tuple(layers), np.asarray(values, np.float64).ravel(), made)

    def _before(self, forward: ForwardPass) -> tuple[NDArray[Any], Logits]:
        """Return what the layer's activation function read, and the way to it; the layer's values without one."""
        values, raised = self._at(forward)
        *layers, last = raised.layers
        if last.is_function and last.sources[0] is not None:
            end = [layer.name for layer in layers].index(last.sources[0]) + 1
            values = raised.activations[last.sources[0]]
            return values, Logits(tuple(layers[:end]), np.asarray(values, np.float64).ravel(), raised.activations)
        if last.before_activation() is last:
            return values, raised
        values = last.pre_activation(self.network.weights(last), [raised.activations[each] for each in last.sources])
        made = {**raised.activations, last.name: values}
        return values, Logits((*layers, last.before_activation()), values.ravel(), made)

    def _weigh(self, values: NDArray[Any]) -> tuple[Array, float]:
        """Return the weight of each value in the number, (*shape), and the number."""
        cells, _ = as_cells(values)
        weights = np.zeros(cells.shape, np.float32)
        if self.part is Part.MEAN:
            weights[:, self.number] = 1 / len(cells)
            number = float(cells[:, self.number].mean(dtype=np.float64))
        else:
            strongest = cells[:, self.number].argmax()
            weights[strongest, self.number] = 1
            number = float(cells[strongest, self.number])
        return weights.reshape(values.shape), number

    @property
    def _place(self) -> int:
        return [layer.name for layer in self.network.layers].index(self.layer)

    @staticmethod
    def _made(forward: ForwardPass) -> dict[str | None, NDArray[Any]]:
        made: dict[str | None, NDArray[Any]] = {None: forward.image}
        made.update(forward.activations)
        return made
