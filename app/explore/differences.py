"""Where two networks part: two models, two pooling modes, two sets of weights or two drawings, layer by layer."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from ..cnn.kinds import Layer
from ..cnn.network import ForwardPass, Network
from ..cnn.types import Array
from ..imaging.colormap import Values, cut_blocks
from ..imaging.grid import Grid, draw_grid, draw_strip
from .comparison import find_distance
from .exploration import RenderOptions, as_maps
from .large_layers import finish, open_maps, reading

_MOST_DRAWN = 2**20  # cells of the one layer that is drawn
_AT_ONCE = 2**18  # weights that are compared


@dataclass(frozen=True)
class Side:
    """One of the two: a network, and what it made of a drawing."""

    network: Network
    forward: ForwardPass


@dataclass(frozen=True)
class VariableDifference:
    """How one weight array differs between two layers."""

    name: str  # as Keras calls it: kernel, bias, ...
    size: int  # how many weights it has in the first
    changed: int | None  # how many of them differ; None where the shapes do
    largest: float | None  # the largest absolute difference; None where the shapes differ


@dataclass(frozen=True)
class LayerDifference:
    """One layer of each network that take the same place, or one that the other network does not have."""

    first: Layer | None
    second: Layer | None
    distance: float | None = None  # of the activations, 0 to 1: see comparison.distance; None where shapes differ
    largest: float | None = None  # the largest absolute difference of two cells
    variables: tuple[VariableDifference, ...] = ()

    @property
    def layer(self) -> Layer:
        """Whichever there is, the first network's where there are both."""
        layer = self.first or self.second
        assert layer is not None
        return layer

    @property
    def parts(self) -> bool:
        """The activations are not the same."""
        return self.largest is None or self.largest > 0

    @property
    def changed(self) -> int:
        """How many weights differ."""
        return sum(each.size if each.changed is None else each.changed for each in self.variables)

    @property
    def weights(self) -> int:
        """How many weights the first layer has."""
        return sum(each.size for each in self.variables)


@dataclass(frozen=True)
class Differences:
    """Two networks side by side."""

    first: Side
    second: Side
    sees_the_same: bool  # both get the same image
    layers: tuple[LayerDifference, ...]
    picture: Grid | None = None  # of the first layer that parts, the second minus the first, in signed colours

    @property
    def parting(self) -> LayerDifference | None:
        """The first layer whose activations are not the same; None where all are."""
        return next((each for each in self.layers if each.parts), None)

    @property
    def changed(self) -> int:
        """How many weights differ."""
        return sum(each.changed for each in self.layers)

    @property
    def is_one_architecture(self) -> bool:
        """Each layer of one has its counterpart in the other, with weights of the same shapes."""
        variables = (each for layer in self.layers for each in layer.variables)
        return all(each.first and each.second for each in self.layers) and all(
            each.changed is not None for each in variables
        )


@dataclass(frozen=True)
class Pair:
    """Two layers that take the same place, and how their weights differ; or one that the other network has not."""

    first: Layer | None
    second: Layer | None
    variables: tuple[VariableDifference, ...] = ()


@dataclass(frozen=True)
class WeightDifferences:
    """What two networks differ in, whatever they are shown."""

    pairs: tuple[Pair, ...]

    @property
    def nbytes(self) -> int:
        """About what it takes in memory."""
        return 1_000 * (len(self.pairs) + 1)


def compare_weights(first: Network, second: Network) -> WeightDifferences:
    """Pair the layers of two networks in their order, by kind and shape, pooling layers by their windows, and compare
    the weights of each pair, block by block.
    """
    return WeightDifferences(
        tuple(
            Pair(mine, other, tuple(_compare_variables(first, second, mine, other)) if mine and other else ())
            for mine, other in _pair(first, second)
        )
    )


def find_differences(
    first: Side, second: Side, options: RenderOptions | None = None, weights: WeightDifferences | None = None
) -> Differences:
    """Compare what two networks made, and their weights, layer by layer.

    options: how to draw the first layer that parts; None draws nothing. weights: of these two networks, where they were
    compared before.
    """
    weights = weights or compare_weights(first.network, second.network)
    layers = tuple(_compare(first, second, pair) for pair in weights.pairs)
    found = Differences(first, second, _is_same(first.forward.image, second.forward.image), layers)
    picture = None if options is None or found.parting is None else _draw(found, found.parting, options)
    finish(first.forward, second.forward)
    return Differences(first, second, found.sees_the_same, layers, picture)


def _pair(first: Network, second: Network) -> Iterator[tuple[Layer | None, Layer | None]]:
    mine, other = ([_place(layer) for layer in each.layers] for each in (first, second))
    for tag, start, end, other_start, other_end in SequenceMatcher(None, mine, other, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from zip(first.layers[start:end], second.layers[other_start:other_end], strict=True)
        else:
            yield from ((layer, None) for layer in first.layers[start:end])
            yield from ((None, layer) for layer in second.layers[other_start:other_end])


def _place(layer: Layer) -> tuple[object, ...]:
    """Return what two layers share that take the same place: one that pools is paired whatever its mode."""
    return ("pooling", layer.window) if layer.is_pooling else (layer.kind, layer.output_shape)


def _compare(first: Side, second: Side, pair: Pair) -> LayerDifference:
    if pair.first is None or pair.second is None:
        return LayerDifference(pair.first, pair.second)
    made, others = first.forward.activations[pair.first.name], second.forward.activations[pair.second.name]
    if made.shape != others.shape:  # a network that takes any size, with images of two
        return LayerDifference(pair.first, pair.second, variables=pair.variables)
    with reading(made.size, first.forward, second.forward):
        values, compared = open_maps(as_maps(made), first.forward), open_maps(as_maps(others), second.forward)
        largest = _find_largest(values, compared)
        return LayerDifference(pair.first, pair.second, find_distance(compared, values), largest, pair.variables)


def _compare_variables(first: Network, second: Network, mine: Layer, other: Layer) -> Iterator[VariableDifference]:
    others = second.weights(other)
    for name, weights in first.weights(mine).items():
        if name not in others or weights.shape != others[name].shape:
            yield VariableDifference(name, weights.size, None, None)
        elif weights is others[name]:
            yield VariableDifference(name, weights.size, 0, 0.0)
        else:
            yield VariableDifference(name, weights.size, *_count_changed(weights.ravel(), others[name].ravel()))


def _count_changed(weights: Array, others: Array) -> tuple[int, float]:
    """Return how many numbers of two rows differ, and by how much at most."""
    changed, largest = 0, 0.0
    for start in range(0, weights.size, _AT_ONCE):
        mine, other = weights[start : start + _AT_ONCE], others[start : start + _AT_ONCE]
        apart = _differ(mine, other)
        changed += int(apart.sum())
        largest = max(largest, float(_sizes(mine[apart], other[apart]).max(initial=0.0)))
    return changed, largest


def _find_largest(values: Values, others: Values) -> float:
    """Return the largest absolute difference of two activations as maps; infinite where only one is a number."""
    largest = 0.0
    for block in cut_blocks(values.shape):
        made, other = values[block], others[block]
        apart = _differ(made, other)
        largest = max(largest, float(_sizes(made[apart], other[apart]).max(initial=0.0)))
    return largest


def _differ(values: Array, others: Array) -> NDArray[np.bool_]:
    """Return where two arrays differ. NaN is the same as NaN."""
    return np.asarray((values != others) & ~(np.isnan(values) & np.isnan(others)))


def _sizes(values: Array, others: Array) -> NDArray[np.float64]:
    """Return the absolute differences of values that differ, in float64; infinite where one is not a number."""
    change = np.abs(values.astype(np.float64) - others)
    return np.where(np.isnan(change), np.inf, change)


def _is_same(image: Array, other: Array) -> bool:
    return image.shape == other.shape and bool(np.array_equal(image, other, equal_nan=True))


def _draw(found: Differences, layer: LayerDifference, options: RenderOptions) -> Grid | None:
    if layer.first is None or layer.second is None or layer.largest is None:
        return None
    made = found.first.forward.activations[layer.first.name]
    if made.size > _MOST_DRAWN:
        return None
    change = found.second.forward.activations[layer.second.name] - made
    if change.ndim < 2:
        return draw_strip(change, options.diverging)
    return draw_grid(as_maps(change), options.diverging, columns=options.columns)
