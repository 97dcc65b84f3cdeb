"""Layers that shift and scale: by fixed numbers, by what they learned, or by what they read."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..cells import Cell, ElementwiseCell
from ..errors import InvalidLayer, NoArithmetic, require_readable
from ..gradients import Gradients, PassedBack, channel_sums
from ..types import Array, Shape, Variables, Weights
from .checks import UNITS, axis_number, axis_numbers, flag, numbers, optional, real, setting, whole
from .layer import CellIndex, GraphBuilder, Layer, LayerSettings, Tensor, last_size, require
from .normalization_gradients import Axes, from_end, pass_normalised, pass_rms, pass_unit

_KERAS_EPSILON = 1e-7  # keras.config.epsilon()
_BYTES = (0.0, 255.0)
_UNIT = (0.0, 1.0)
_RANGES = (_UNIT, (-1.0, 1.0), _BYTES, (0.0, 65_535.0))  # that images have, the narrowest first
_ROUNDING = 1e-3  # of a variance that was added up in 32 bits
_AT_ONCE = 2**18  # values that are made float64
# Axes of channels, height, width with the channels first, and with the channels last; 0 is the batch.
_CHANNELS_LAST = {1: 3, 2: 1, 3: 2, -3: 3, -2: 1, -1: 2}


def turn_axis(settings: LayerSettings) -> LayerSettings | None:
    """Return the settings with their axis as it is when the channels come last; None where that cannot be said."""
    axis = settings.get("axis", -1)
    return {**settings, "axis": _CHANNELS_LAST[axis]} if axis in _CHANNELS_LAST else None


def _moments(values: Array) -> tuple[float, float]:
    """Return mean and variance in float64, of many values a part at a time."""
    if values.size <= _AT_ONCE:
        exact = values.astype(np.float64)
        return float(exact.mean()), float(exact.var())
    mean = float(values.mean(dtype=np.float64))
    step = max(1, _AT_ONCE * len(values) // values.size)  # along the first axis
    parts = (values[start : start + step].astype(np.float64) - mean for start in range(0, len(values), step))
    return mean, float(sum(float(np.vdot(part, part)) for part in parts)) / values.size


def _largest(values: Any) -> float:
    return float(np.max(np.abs(values)))


def _pass_scaling(gradients: Gradients, scale: NDArray[np.float64], shift: NDArray[np.float64]) -> PassedBack:
    """Pass x · scale + shift, a number of each for all values or for each channel; the shift counts as a bias."""
    return PassedBack((gradients * scale.astype(gradients.dtype),), channel_sums(gradients) * shift)


class Rescaling(Layer):
    """x · scale + offset, a number of each for all values or for each channel."""

    scale: Any = setting(numbers)
    offset: Any = setting(numbers, 0.0)

    phrase = "every value scaled and shifted"
    is_minor = True
    keeps_channels = True
    ignores_leading_axes = True
    ignores_layout = True

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        """Return the input's shape. Keras takes any numbers, and repeats the input where they are more."""
        (shape,) = inputs
        for values in (self.scale, self.offset):
            size = np.shape(values)[-1:]
            if size not in {(), (1,), shape[-1:]}:
                raise InvalidLayer(
                    f"has {size[0]} numbers for {shape[-1]} channels; expected one, or as many as channels"
                )
        return shape

    def value_range(self, weights: Weights) -> tuple[float, float]:
        return _BYTES if _largest(self.scale) < 1 / 16 or _largest(self.offset) > 16 else _UNIT

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        if max(np.size(self.scale), np.size(self.offset)) > inputs[0].shape[-1]:
            each = [np.asarray(values, np.float32) for values in (self.scale, self.offset)]
            fits = all(np.broadcast_shapes(values.shape, inputs[0].shape[1:]) == inputs[0].shape[1:] for values in each)
            graph.require(fits, "a Rescaling with more numbers than values")
            return graph.scale_and_shift_each(inputs[0], *(np.broadcast_to(v, inputs[0].shape[1:]) for v in each))
        return graph.scale_and_shift(inputs[0], np.ravel(self.scale), np.ravel(self.offset))

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        if max(np.size(self.scale), np.size(self.offset)) > output.shape[-1]:
            scale, shift = (np.asarray(values, np.float64) for values in (self.scale, self.offset))
            bias = (gradients.astype(np.float64) * shift).reshape(len(gradients), -1, output.shape[-1]).sum(axis=1)
            return PassedBack((gradients * scale.astype(gradients.dtype),), bias)
        scale, shift = np.ravel(np.asarray(self.scale, np.float64)), np.ravel(np.asarray(self.offset, np.float64))
        return _pass_scaling(gradients, scale, shift)

    def _explain(self, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float) -> Cell:
        parameters = {"scale": self._of(self.scale, place), "offset": self._of(self.offset, place)}
        return ElementwiseCell((float(inputs[0][place]),), "rescaling", parameters, value, "{0} × scale + offset")

    @staticmethod
    def _of(values: Any, place: CellIndex) -> float:
        """Return the number that is meant for a cell."""
        numbers = np.asarray(values)
        if numbers.ndim > 1 and numbers.size > numbers.shape[-1]:
            return float(numbers[place[-numbers.ndim :]])
        return float(np.ravel(numbers)[place[-1] if numbers.size > 1 else 0])


class _Normalizing(Layer, abstract=True):
    """(x - mean) / sqrt(variance + epsilon) · gamma + beta."""

    epsilon: float = setting(real, 1e-3)
    center: bool = setting(flag, True)
    scale: bool = setting(flag, True)

    is_minor = True
    ignores_leading_axes = True
    operation: ClassVar[str]

    def _learned(self, shape: tuple[int, ...]) -> Variables:
        return {name: shape for name, has_it in (("gamma", self.scale), ("beta", self.center)) if has_it}

    def _pass_back(
        self,
        weights: Weights,
        inputs: Sequence[Array],
        output: Array,
        gradients: Gradients,
        axes: Axes,
        groups: int = 1,
    ) -> PassedBack:
        gamma, beta = (weights[name].astype(np.float64) if name in weights else None for name in ("gamma", "beta"))
        scale = 1.0 if gamma is None else gamma
        return pass_normalised(gradients, inputs[0], output, axes, self.epsilon, scale, beta, groups)

    def _cell_among(
        self, values: Array, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float
    ) -> ElementwiseCell:
        """Return the arithmetic of a cell that is normalised by the mean and variance of these values."""
        return self._cell(weights, inputs, place, *_moments(values), value)

    def _cell(
        self, weights: Weights, inputs: Sequence[Array], place: CellIndex, mean: float, variance: float, value: float
    ) -> ElementwiseCell:
        gamma, beta = (
            float(weights[name][place[-1]]) if name in weights else missing
            for name, missing in (("gamma", 1.0), ("beta", 0.0))
        )
        moments = {"mean": mean, "variance": variance}
        parameters = moments | {"gamma": gamma, "beta": beta, "epsilon": self.epsilon}
        formula = "({0} - mean) ÷ √(variance + epsilon) × gamma + beta"
        return ElementwiseCell((float(inputs[0][place]),), self.operation, parameters, value, formula)


class BatchNormalization(_Normalizing):
    """Each channel by the mean and variance that it had in training (Ioffe and Szegedy, 2015)."""

    axis: int = setting(axis_number, -1)
    momentum: float = setting(real, 0.99, compare=False)

    aliases = ("BatchNormalizationV1", "BatchNormalizationV2", "SyncBatchNormalization")
    phrase = "batch normalisation: each map shifted and scaled"
    operation = "batch normalisation"
    keeps_channels = True
    untrained = ("moving_mean", "moving_variance")

    @classmethod
    def turn_channels_last(cls, settings: LayerSettings) -> LayerSettings | None:
        return turn_axis(settings)

    def variable_shapes(self, *inputs: Shape) -> Variables:
        (shape,) = inputs
        channels = (last_size(self.axis, shape),)
        return {**self._learned(channels), "moving_mean": channels, "moving_variance": channels}

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        graph.require_last_axis(self.axis, inputs[0], self.kind)
        exact = {name: weight.astype(np.float64) for name, weight in weights.items()}
        scale = exact.get("gamma", 1.0) / np.sqrt(exact["moving_variance"] + self.epsilon)
        return graph.scale_and_shift(inputs[0], scale, exact.get("beta", 0.0) - exact["moving_mean"] * scale)

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        exact = {name: weight.astype(np.float64) for name, weight in weights.items()}
        scale = exact.get("gamma", 1.0) / np.sqrt(exact["moving_variance"] + self.epsilon)
        shift = exact.get("beta", 0.0) - exact["moving_mean"] * scale
        return _pass_scaling(gradients, scale, shift)

    def _explain(self, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float) -> Cell:
        mean, variance = (float(weights[name][place[-1]]) for name in ("moving_mean", "moving_variance"))
        return self._cell(weights, inputs, place, mean, variance, value)


class LayerNormalization(_Normalizing):
    """Each place by the mean and variance of its own values along the axes (Ba, Kiros and Hinton, 2016)."""

    axis: int | tuple[int, ...] = setting(axis_numbers, -1)

    operation = "layer normalisation"

    def variable_shapes(self, *inputs: Shape) -> Variables:
        (shape,) = inputs
        return self._learned((last_size(self.axis, shape),))

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        (x,) = inputs
        graph.require_last_axis(self.axis, x, self.kind)
        last = (len(x.shape) - 1,)
        centred = graph.subtract(x, graph.reduce_mean(x, True, last))
        variance = graph.reduce_mean(graph.square(centred), True, last)
        made = graph.multiply(centred, graph.rsqrt(graph.add(variance, self.epsilon)))
        made = graph.multiply(made, graph.constant(weights["gamma"])) if self.scale else made
        return graph.add(made, graph.constant(weights["beta"])) if self.center else made

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        return self._pass_back(weights, inputs, output, gradients, (-1,))

    def _explain(self, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float) -> Cell:
        if self.axis not in (-1, len(place), (-1,), (len(place),)):
            raise NoArithmetic(self.kind)
        values = inputs[0][place[:-1]]
        require_readable(values.size)
        return self._cell_among(values, weights, inputs, place, value)


class GroupNormalization(_Normalizing):
    """Each group of channels by the mean and variance of all of its values (Wu and He, 2018)."""

    groups: int = setting(whole(-1, UNITS), 32)
    axis: int = setting(axis_number, -1)

    operation = "group normalisation"
    ignores_leading_axes = False
    mixes_everything = True

    @classmethod
    def turn_channels_last(cls, settings: LayerSettings) -> LayerSettings | None:
        return turn_axis(settings)

    def variable_shapes(self, *inputs: Shape) -> Variables:
        (shape,) = inputs
        channels = last_size(self.axis, shape)
        groups = channels if self.groups == -1 else self.groups
        require(groups > 0 and channels % groups == 0)
        return self._learned((channels,))

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        channels = output.shape[-1]
        groups = channels if self.groups == -1 else self.groups
        within = output.ndim + (1 if groups > 1 else 0)
        axes = tuple(at - within for at in range(within) if groups == 1 or at != within - 2)
        return self._pass_back(weights, inputs, output, gradients, axes, groups)

    def _explain(self, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float) -> Cell:
        (values,) = inputs
        require_readable(values.size)  # the group's lie between all others
        size = 1 if self.groups == -1 else values.shape[-1] // self.groups
        first = place[-1] // size * size
        return self._cell_among(values[..., first : first + size], weights, inputs, place, value)


class RMSNormalization(Layer):
    """Each place's values divided by their root mean square along an axis (Zhang and Sennrich, 2019)."""

    axis: int | tuple[int, ...] = setting(axis_numbers, -1)
    epsilon: float = setting(real, 1e-6)

    ignores_leading_axes = True
    is_minor = True

    def variable_shapes(self, *inputs: Shape) -> Variables:
        (shape,) = inputs
        return {"scale": (last_size(self.axis, shape),)}

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        (x,) = inputs
        graph.require_last_axis(self.axis, x, self.kind)
        squares = graph.reduce_mean(graph.square(x), True, (len(x.shape) - 1,))
        root = graph.rsqrt(graph.add(squares, self.epsilon))
        return graph.multiply(graph.multiply(x, root), graph.constant(weights["scale"]))

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        scale = weights["scale"].astype(np.float64)
        return pass_rms(gradients, inputs[0], output, (-1,), self.epsilon, scale)

    def _explain(self, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float) -> Cell:
        if self.axis not in (-1, len(place), (-1,), (len(place),)):
            raise NoArithmetic(self.kind)
        values = inputs[0][place[:-1]]
        require_readable(values.size)
        parts = (values[start : start + _AT_ONCE].astype(np.float64) for start in range(0, values.size, _AT_ONCE))
        square = sum(float(np.square(part).sum()) for part in parts) / values.size
        parameters = {"mean_square": square, "scale": float(weights["scale"][place[-1]]), "epsilon": self.epsilon}
        formula = "{0} ÷ √(mean square + epsilon) × scale"
        return ElementwiseCell((float(inputs[0][place]),), "rms normalisation", parameters, value, formula)


class UnitNormalization(Layer):
    """Each place's values divided by their length along the axes."""

    axis: int | tuple[int, ...] = setting(axis_numbers, -1)

    ignores_leading_axes = True

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        return pass_unit(gradients, inputs[0], output, from_end(self.axis, output.ndim))


class Normalization(Layer):
    """(x - mean) / sqrt(variance), both of data that the layer was adapted to, or was told.

    Inverted, it computes x from what it would make of it.
    """

    axis: int | tuple[int, ...] | None = setting(optional(axis_numbers), -1)
    mean: Any = setting(optional(numbers), None)
    variance: Any = setting(optional(numbers), None)
    invert: bool = setting(flag, False)

    phrase = "each channel shifted and scaled"
    is_minor = True
    ignores_leading_axes = True
    keeps_channels = True
    untrained = ("mean", "variance", "count")

    def variable_shapes(self, *inputs: Shape) -> Variables:
        (shape,) = inputs
        kept = () if self._is_of_all else (last_size(self.axis, shape),)
        if self.mean is None and self.variance is None:
            return {"mean": kept, "variance": kept, "count": ()}
        told = np.shape(self.mean)
        require(told == np.shape(self.variance) and told in {(), (1,), kept})
        return {}

    @property
    def _is_of_all(self) -> bool:
        """It has one mean and one variance for all values, and not a number for each channel."""
        return self.axis in (None, ())

    def _mean_and_variance(self, weights: Weights) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and variance: a number for each channel, or one for all."""
        told = weights if self.mean is None else {"mean": self.mean, "variance": self.variance}
        mean, variance = (np.ravel(np.asarray(told[name], np.float64)) for name in ("mean", "variance"))
        return mean, variance

    def value_range(self, weights: Weights) -> tuple[float, float] | None:
        """Return the narrowest of the usual ranges that data of this mean and variance can lie in.

        Values from a to b have a variance of (b - mean)(mean - a) at most (Bhatia and Davis, 2000). So MNIST's mean and
        variance, 0.13 and 0.1, are those of values from 0 to 1; -0.74 and 0.4 of -1 to 1, and 33 and 6,000 of bytes.
        None for mean 0 and variance 1, from which an unadapted layer starts, and for an inverted layer.
        """
        mean, variance = self._mean_and_variance(weights)
        if self.invert or not (mean.any() or (variance != 1).any()):
            return None
        for low, high in _RANGES:
            if np.all((high - mean) * (mean - low) * (1 + _ROUNDING) >= variance):
                return low, high
        return _BYTES if _largest(mean) > 1.5 else _UNIT

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        if not self._is_of_all:
            graph.require_last_axis(self.axis, inputs[0], self.kind)
        mean, variance = self._mean_and_variance(weights)
        deviation: NDArray[np.float64] = np.maximum(np.sqrt(variance), _KERAS_EPSILON)
        if self.invert:
            return graph.scale_and_shift(inputs[0], deviation, mean)
        return graph.scale_and_shift(inputs[0], 1 / deviation, -mean / deviation)

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        mean, variance = self._mean_and_variance(weights)
        deviation: NDArray[np.float64] = np.maximum(np.sqrt(variance), _KERAS_EPSILON)
        if self.invert:
            return _pass_scaling(gradients, deviation, mean)
        return _pass_scaling(gradients, 1 / deviation, -mean / deviation)

    def _explain(self, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float) -> Cell:
        if not self._is_of_all and self.axis not in (-1, len(place), (-1,), (len(place),)):
            raise NoArithmetic(self.kind)
        mean, variance = (float(each[place[-1] if each.size > 1 else 0]) for each in self._mean_and_variance(weights))
        formula = "{0} × √variance + mean" if self.invert else "({0} - mean) ÷ √variance"
        parameters = {"mean": mean, "variance": variance}
        return ElementwiseCell((float(inputs[0][place]),), "normalisation", parameters, value, formula)
