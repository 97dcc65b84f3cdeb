"""What a cell is made of: the parts of one value's arithmetic, by kind of layer."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.cnn.pooling import PoolingMode
from app.cnn.windows import Region


@dataclass(frozen=True)
class Term:
    """What one input channel gives to a convolution's cell: patch times kernel, summed."""

    channel: int
    inputs: NDArray[np.float64]  # (kernel height, kernel width); 0 where it reads padding
    kernel: NDArray[np.float64]  # the same shape
    partial_sum: float


@dataclass(frozen=True)
class ConvolutionCell:
    """value = activation(sum of the terms' partials + bias)."""

    window: Region  # in the input, padding counted
    terms: tuple[Term, ...]  # one an input channel, in order
    bias: float
    pre_activation: float
    activation: str
    value: float


@dataclass(frozen=True)
class PoolingCell:
    """The three values that a window can be pooled to; the mode says which one the network kept."""

    window: Region  # in the input, padding counted
    inputs: NDArray[np.float64]  # (rows, columns); NaN where it reads padding, which no mode counts
    maximum: float
    average: float
    minimum: float
    mode: PoolingMode
    value: float


@dataclass(frozen=True)
class Contribution:
    """What one input gives to a neuron: value times weight."""

    index: int
    value: float
    weight: float
    product: float


@dataclass(frozen=True)
class DenseCell:
    """value = activation(sum of the products + bias)."""

    contributions: tuple[Contribution, ...]  # one an input, in order
    bias: float
    pre_activation: float
    activation: str
    value: float
    softmax: "SoftmaxCell | None"  # where the activation needs all neurons of the layer


@dataclass(frozen=True)
class SoftmaxCell:
    """value = exp(logit - largest logit) / sum of these. The shift changes nothing but keeps exp finite."""

    logits: NDArray[np.float64]  # (units,)
    exponentials: NDArray[np.float64]  # exp(logits - max(logits))
    total: float
    unit: int
    value: float


@dataclass(frozen=True)
class ElementwiseCell:
    """A cell that reads its own place only: of one input, or of several that are combined."""

    inputs: tuple[float, ...]
    operation: str  # "relu", "add", "dropout", ...
    parameters: Mapping[str, float]  # batch normalisation's mean, variance, gamma, beta, epsilon
    value: float


@dataclass(frozen=True)
class MovedCell:
    """A value that only moved: flattened, joined, cropped, enlarged; or padding, which came from nowhere."""

    source: int  # which of the layer's inputs
    place: tuple[int, int, int] | None  # row, column, channel in it; None is padding
    value: float


Cell = ConvolutionCell | PoolingCell | DenseCell | SoftmaxCell | ElementwiseCell | MovedCell
