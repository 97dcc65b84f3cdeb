"""Numbers, arrays and regions that pydantic can write as JSON, in which NaN and infinity are null."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema

from .types import PoolingMode
from .windows import Region

_NUMBER = {"anyOf": [{"type": "number"}, {"type": "null"}]}
_FOUR_EDGES: dict[str, Any] = {"type": "array", "items": {"type": "integer"}, "minItems": 4, "maxItems": 4}
_FOUR_EDGES["description"] = "[top, left, bottom, right], padding counted."


def _as_is(value: Any) -> Any:
    return value


def _edges(region: Region) -> list[int]:
    return [region.top, region.left, region.bottom, region.right]


JsonFloat = Annotated[float, WithJsonSchema(_NUMBER)]
Vector = Annotated[
    NDArray[np.float64],
    PlainValidator(_as_is),
    PlainSerializer(np.ndarray.tolist, return_type=list[float]),
    WithJsonSchema({"type": "array", "items": _NUMBER}),
]
Matrix = Annotated[
    NDArray[np.float64],
    PlainValidator(_as_is),
    PlainSerializer(np.ndarray.tolist, return_type=list[list[float]]),
    WithJsonSchema({"type": "array", "items": {"type": "array", "items": _NUMBER}}),
]
Rectangle = Annotated[
    Region,
    PlainValidator(_as_is),
    PlainSerializer(_edges, return_type=list[int]),
    WithJsonSchema(_FOUR_EDGES),
]

HiddenFloat = Annotated[float, Field(exclude=True)]
HiddenText = Annotated[str, Field(exclude=True)]
HiddenFlag = Annotated[bool, Field(exclude=True)]


@dataclass(frozen=True)
class Term:
    """One input channel's share of a convolution: inputs times kernel, summed. Padding reads as 0."""

    channel: int
    inputs: Matrix  # (kernel height, kernel width)
    kernel: Matrix  # the same shape
    partial_sum: JsonFloat


@dataclass(frozen=True)
class ConvolutionCell:
    """value = activation(pre_activation), pre_activation = sum of the partial sums + bias."""

    arithmetic: Literal["convolution"] = field(default="convolution", init=False)
    window: Rectangle  # in the input
    terms: tuple[Term, ...]  # one an input channel, in order
    bias: JsonFloat
    pre_activation: JsonFloat
    activation: str
    value: HiddenFloat


@dataclass(frozen=True)
class PoolingCell:
    """The window's values and what each mode makes of them; null is padding, which no mode counts."""

    arithmetic: Literal["pooling"] = field(default="pooling", init=False)
    window: Rectangle  # in the input
    inputs: Annotated[
        Matrix | None, Field(description="null is padding; null for the whole where the window has too many values.")
    ]  # (rows, columns); NaN is padding
    maximum: JsonFloat
    average: JsonFloat
    minimum: JsonFloat
    mode: PoolingMode  # the one that the network ran in
    value: HiddenFloat
    reads_padding: HiddenFlag = False  # some of the window is padding, or no number


@dataclass(frozen=True)
class Contribution:
    """One input of a neuron: value times weight."""

    index: int
    value: JsonFloat
    weight: JsonFloat
    product: JsonFloat


@dataclass(frozen=True)
class SoftmaxCell:
    """value = exponentials[unit] / total, exponentials = exp(logits - max(logits)), total = their sum.

    The shift by the largest logit keeps exp finite and cancels out.
    """

    arithmetic: Literal["softmax"] = field(default="softmax", init=False)
    logits: Vector  # (units,)
    exponentials: Vector  # (units,)
    total: JsonFloat
    unit: int
    value: HiddenFloat


@dataclass(frozen=True)
class DenseCell:
    """value = activation(pre_activation), pre_activation = sum of the products + bias."""

    arithmetic: Literal["dense"] = field(default="dense", init=False)
    contributions: tuple[Contribution, ...]  # one an input, in order
    bias: JsonFloat
    pre_activation: JsonFloat
    activation: str
    value: HiddenFloat
    softmax: Annotated[
        SoftmaxCell | None, Field(description="Where the activation function needs all neurons of the layer.")
    ]


@dataclass(frozen=True)
class ElementwiseCell:
    """A cell that reads its own place only, of one input or of several."""

    arithmetic: Literal["elementwise"] = field(default="elementwise", init=False)
    inputs: tuple[JsonFloat, ...]
    operation: str  # "relu", "add", "dropout", ...
    parameters: Mapping[str, JsonFloat]  # batch normalisation's mean, variance, gamma, beta, epsilon
    value: HiddenFloat
    formula: HiddenText  # with {0}, {1}, ... for the inputs


@dataclass(frozen=True)
class MovedCell:
    """A value that only moved, from [row, column, channel] of one of the layer's inputs; null is padding."""

    arithmetic: Literal["moved"] = field(default="moved", init=False)
    source: Annotated[int, Field(description="Which of the layer's inputs, from 0.")]
    place: tuple[int, int, int] | None
    value: HiddenFloat


Cell = ConvolutionCell | PoolingCell | DenseCell | SoftmaxCell | ElementwiseCell | MovedCell
