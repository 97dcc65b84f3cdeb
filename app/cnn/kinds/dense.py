"""Dense layers: every output is a weighted sum of all inputs."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from ..cells import Cell, Contribution, DenseCell
from ..errors import InvalidEdit, require_few
from ..gradients import Gradients, PassedBack, channel_sums
from ..types import Array, Shape, Variables, Weights
from ..windows import Region, Size
from .activation import explain_softmax
from .activation_functions import FUNCTIONS, activate, function_name, require_zero_stays
from .activation_gradients import pass_activation
from .checks import UNITS, flag, setting, whole
from .layer import CellIndex, GraphBuilder, Layer, Sizes, Tensor, WeightsPlace, known

_AT_ONCE = 2**20  # weights


class Dense(Layer):
    """Neurons over the last axis."""

    units: int = setting(whole(1, UNITS))
    activation: str = setting(function_name, "linear")
    use_bias: bool = setting(flag, True)

    ignores_leading_axes = True
    makes_vector = True

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        ((*places, _),) = inputs
        return (*places, self.units)

    def variable_shapes(self, *inputs: Shape) -> Variables:
        ((*_, channels),) = inputs
        return {"kernel": (known(channels), self.units)} | ({"bias": (self.units,)} if self.use_bias else {})

    def count_operations(self, inputs: Sequence[Sizes], output: Sizes) -> int:
        return math.prod(inputs[0]) * self.units + super().count_operations(inputs, output)

    def read_region(self, cells: Region, size: Size) -> Region:
        """Return all of a vector, the same rows of rows of features, the same places of an image."""
        if len(self.output_shape) == 2:
            return Region(cells.top, 0, cells.bottom, size[1] or 0)
        return cells if len(self.output_shape) > 2 else Region(0, 0, size[0] or 0, size[1] or 0)

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        made = graph.fully_connected(inputs[0], weights["kernel"], weights.get("bias"))
        return activate(graph, self.activation, made)

    def _explain(self, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float) -> Cell:
        *row, unit = place
        values = inputs[0][tuple(row)]
        require_few(values.size)
        kernel = weights["kernel"][:, unit].astype(np.float64)
        bias = float(weights["bias"][unit]) if self.use_bias else 0.0
        products = values * kernel
        parts = zip(values.tolist(), kernel.tolist(), products.tolist(), strict=True)
        contributions = tuple(Contribution(index, *part) for index, part in enumerate(parts))
        is_softmax = self.activation == "softmax"
        shares = explain_softmax(self._logits(weights, values), unit, value) if is_softmax else None
        return DenseCell(contributions, bias, float(products.sum() + bias), self.activation, value, shares)

    @property
    def can_mute(self) -> bool:
        return FUNCTIONS[self.activation].keeps_zero

    def mute(self, weights: Weights, maps: Sequence[int]) -> Weights:
        require_zero_stays(self.name, self.activation)
        muted = {name: np.array(array) for name, array in weights.items()}
        for array in muted.values():
            array[..., list(maps)] = 0
        return muted

    def kernel_place(self, number: int, channel: int) -> WeightsPlace:
        inputs = self.variables["kernel"][0]
        if channel >= inputs:
            raise InvalidEdit(f"A unit of “{self.name}” reads inputs 0 to {inputs - 1:,}, and no input {channel:,}.")
        return "kernel", (channel, number)

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        before, left_over = pass_activation(
            self.activation, gradients, output, lambda: self.pre_activation(weights, inputs), self.name
        )
        bias = channel_sums(before) * weights["bias"] if self.use_bias else None
        return PassedBack((before @ weights["kernel"].T,), bias, left_over)

    def before_activation(self) -> Layer:
        return replace(self, activation="linear")

    def pre_activation(self, weights: Weights, inputs: Sequence[Array]) -> NDArray[np.float64]:
        return self._logits(weights, inputs[0])

    def _logits(self, weights: Weights, values: Array) -> NDArray[np.float64]:
        """Return every unit's sum, of a vector or of rows of features.

        The kernel is made float64 some rows at a time, as it may be large.
        """
        kernel = weights["kernel"]  # (inputs, units)
        step = max(1, _AT_ONCE // self.units)
        parts = (
            values[..., start : start + step] @ kernel[start : start + step].astype(np.float64)
            for start in range(0, len(kernel), step)
        )
        sums = reduce(np.add, parts)
        return np.asarray(sums + weights["bias"].astype(np.float64) if self.use_bias else sums)

    def describe(self) -> str:
        neurons = f"fully connected, {self.units} {'neuron' if self.units == 1 else 'neurons'}"
        function = FUNCTIONS[self.activation].describe()
        return f"{neurons}, {function}" if function else neurons
