"""A layer that is given each part of its input by itself."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from ..cells import Cell, ConvolutionCell, MovedCell, PoolingCell
from ..errors import InvalidLayer, NoArithmetic
from ..gradients import Gradients, PassedBack, Terms
from ..types import Array, PoolingMode, Shape, Variables, Weights
from .checks import setting
from .layer import FLOAT_BYTES, REGISTRY, CellIndex, Layer, Sizes, known
from .reshaping import as_cell


def _layer(value: Any) -> Mapping[str, Any]:
    """Check for a layer: the name of its kind, and settings of that kind."""
    if not isinstance(value, dict) or value.keys() != {"class_name", "config"}:
        raise ValueError("a layer")
    name, config = value["class_name"], value["config"]
    kind = REGISTRY.get(name) if isinstance(name, str) else None
    if kind is None or kind.is_held or not isinstance(config, dict) or not config.keys() <= kind.checks().keys():
        raise ValueError("a layer")
    checked = {name: kind.checks()[name](each) for name, each in config.items()}
    return {"class_name": kind.__name__, "config": checked}


class TimeDistributed(Layer):
    """A layer on each part of its input along the first axis, with the same weights.

    A file's layer around one that takes any number of axes is that layer itself here: see
    app.model_files.config.composites.
    """

    layer: Mapping[str, Any] = setting(_layer)

    aliases = ("layerglass>TimeDistributed",)
    mixes_everything = True
    weights_path = "layer/vars"

    @cached_property
    def inner(self) -> Layer:
        """The layer that each part is given to."""
        return REGISTRY[self.layer["class_name"]](name=self.name, **self.layer["config"])

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        (shape,) = inputs
        if None in shape:
            raise InvalidLayer("is given parts whose size or number may be any; expected a fixed one")
        return shape[0], *self.inner.compute_output_shape(shape[1:])

    def variable_shapes(self, *inputs: Shape) -> Variables:
        return self.inner.variable_shapes(*(shape[1:] for shape in inputs))

    @property
    def activation(self) -> str | None:
        return self.inner.activation

    @property
    def last_function(self) -> str | None:
        return self.inner.last_function

    @property
    def pooling(self) -> PoolingMode | None:
        return self.inner.pooling

    def with_pooling(self, mode: PoolingMode | None) -> Layer:
        swapped = self.inner.with_pooling(mode)
        return self if swapped is self.inner else replace(self, layer={**self.layer, "class_name": swapped.kind})

    def count_operations(self, inputs: Sequence[Sizes], output: Sizes) -> int:
        return output[0] * self.inner.count_operations([each[1:] for each in inputs], output[1:])

    def count_scratch(self, inputs: Sequence[Sizes], output: Sizes) -> int:
        """Return the bytes for all parts at once, and of a copy of what it reads and makes."""
        copies = FLOAT_BYTES * (sum(map(math.prod, inputs)) + math.prod(output))
        return copies + output[0] * self.inner.count_scratch([each[1:] for each in inputs], output[1:])

    def source_of(self, place: CellIndex, inputs: Sequence[Shape]) -> tuple[int, CellIndex | None] | None:
        part, *within = place
        found = self.inner.source_of(tuple(within), [shape[1:] for shape in inputs])
        if found is None or found[1] is None:
            return found
        return found[0], (part, *found[1])

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        """Pass each part by itself; a bias counts once for all of them."""
        passed = [
            self.inner.backward(weights, [each[part] for each in inputs], output[part], gradients[:, part])
            for part in range(len(output))
        ]
        before = tuple(np.stack(parts, axis=1) for parts in zip(*(each.inputs for each in passed), strict=True))
        return PassedBack(before, _total(each.bias for each in passed), _total(each.left_over for each in passed))

    def _explain(self, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float) -> Cell:
        part, *within = place
        cell = self.inner._explain(weights, [each[part] for each in inputs], tuple(within), value)
        if isinstance(cell, ConvolutionCell | PoolingCell):  # whose window is a place in the part, not in the input
            raise NoArithmetic(f"{self.kind} {self.inner.kind}")
        if not isinstance(cell, MovedCell):
            return cell
        found = self.source_of(place, [each.shape for each in inputs])
        origin = found[1] if found else None
        return MovedCell(cell.source, None if origin is None else as_cell(origin, inputs[cell.source].shape), value)

    def describe(self) -> str:
        parts = f"each of {known(self.output_shape[0])} parts" if self.output_shape else "each part"
        return f"{parts} by itself: {self.inner.describe()}"

    def describe_unmoded(self) -> str:
        return f"each part by itself: {self.inner.describe_unmoded()}"


def _total(terms: Iterable[Terms | None]) -> Terms | None:
    """Return the sum of all parts' terms; None where they have none."""
    known = [each for each in terms if each is not None]
    return np.sum(known, axis=0) if known else None
