"""One image through one network in all three pooling modes, side by side."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, dropwhile
from typing import Any

import numpy as np

from ..cnn.kinds import Layer
from ..cnn.network import ForwardPass, Network
from ..cnn.types import Array, PoolingMode, as_maps_shape
from ..imaging.colormap import Colormap, Difference, Extremes, Values, cut_blocks, find_extremes, join_extremes
from ..imaging.grid import Grid, draw_grids, draw_strips
from ..imaging.mapped import Mapped
from ..library.library import Library
from .exploration import (
    FEWER_LAYERS,
    LayerView,
    MapRange,
    RenderOptions,
    as_maps,
    count_pixels,
    draw_answer,
    make_view,
    require_pixels,
)
from .large_layers import finish, open_maps, reading
from .prediction import Prediction, predict

_REDUCE: dict[PoolingMode, Callable[..., Any]] = {
    PoolingMode.MAX: np.max,
    PoolingMode.AVERAGE: np.mean,
    PoolingMode.MIN: np.min,
}

_PAGE_PIXELS = 2**24  # of all pictures on a page


class NoPooling(ValueError):
    """The network has no pooling layer, so there is nothing to compare."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The model “{name}” has no pooling layer: max, average and min would be the same. "
            "Choose a model that pools."
        )


@dataclass(frozen=True)
class ComparedLayer:
    """One layer under one pooling mode, and its distance from the same layer as trained."""

    view: LayerView
    distance: float  # 0 to 1: see distance()
    farthest_map: int | None  # the feature map that differs most; None for a vector, and where none differs
    difference: Grid | None  # the activation minus the one as trained; None unless asked for


@dataclass(frozen=True)
class ModeColumn:
    """One pooling mode's column of the comparison."""

    pooling: PoolingMode
    is_as_trained: bool
    forward: ForwardPass
    prediction: Prediction | None  # None where the network answers with a picture
    picture: bytes | None  # that picture, as a PNG
    pooled: tuple[Grid, Grid]  # the image itself after one 2×2 pooling, and after two
    layers: tuple[ComparedLayer, ...]  # from the first pooling layer on

    @property
    def farthest(self) -> ComparedLayer | None:
        """The layer before the answer with the largest distance, the first of equals; None where nothing differs."""
        before = [each for each in self.layers if each.view.layer is not each.view.network.layers[-1]]
        farthest = max(before or self.layers, key=lambda layer: layer.distance)
        return farthest if farthest.distance > 0 else None


@dataclass(frozen=True)
class Comparison:
    """One image in the three pooling modes: max, average and min, in this order."""

    network: Network
    image: Array  # (height, width, channels)
    columns: tuple[ModeColumn, ...]

    @property
    def as_trained(self) -> ModeColumn | None:
        """The mode that the network was trained with; None if its pooling layers differ in their modes."""
        return next((column for column in self.columns if column.is_as_trained), None)

    @property
    def no_digit(self) -> str | None:
        """Why there is nothing to read in the drawing, as in Prediction; None where there may be."""
        prediction = self.columns[0].prediction
        return None if prediction is None else prediction.no_digit

    @property
    def farthest(self) -> ModeColumn | None:
        """The column with the largest distance of all; None where nothing differs."""
        apart = [column for column in self.columns if column.farthest]
        return max(apart, key=lambda column: column.farthest.distance if column.farthest else 0, default=None)

    @property
    def rows(self) -> Iterator[tuple[ComparedLayer, ...]]:
        """Each layer in the three modes."""
        return zip(*(column.layers for column in self.columns), strict=True)


@dataclass(frozen=True)
class Accuracy:
    """Test accuracy under one pooling mode, from 0 to 1; None where the card does not give it."""

    same_weights: float | None
    retrained: float | None
    retrained_model: str | None  # the model of the same architecture that was trained with this mode


def accuracies(network: Network, library: Library) -> dict[PoolingMode, Accuracy]:
    """Return the test accuracies that the cards of a network and of its siblings give; none of an edited network."""
    if network.is_edited:
        return dict.fromkeys(PoolingMode, Accuracy(None, None, None))
    return {mode: _accuracy(network, library, mode) for mode in PoolingMode}


def _accuracy(network: Network, library: Library, mode: PoolingMode) -> Accuracy:
    same_weights = network.card.test_accuracy_by_pooling.get(mode)
    sibling = library.sibling_name(network, mode)
    card = network.card if sibling == network.name else library.card(sibling)
    if card.pooling is not mode:  # there is no sibling: the library gave the network's own name
        return Accuracy(same_weights, None, None)
    return Accuracy(same_weights, card.test_accuracy, sibling)


def pooled_layers(network: Network) -> tuple[Layer, ...]:
    """Return the layers that the pooling mode can change: those from the first pooling layer on."""
    return tuple(dropwhile(lambda layer: not layer.is_pooling, network.layers))


def compare(
    network: Network,
    run: Callable[[PoolingMode | None], ForwardPass],
    options: RenderOptions,
    differences: bool = False,
    layers: Iterable[Layer] | None = None,
    maps: int | None = None,
    units: int | None = None,
    most_pixels: int | None = None,
) -> Comparison:
    """Run the network once in each pooling mode, and draw every layer from the first pooling layer on.

    The three pictures of a layer share one colour scale, and so do those of the differences. A network whose pooling
    layers differ in their modes is run once more, as trained.

    run: the forward pass of the image in a pooling mode; None is as trained. differences: also draw each activation
    minus the one as trained, in a colour map that is symmetric about zero. layers: draw only these. maps, units: the
    maximum to draw of each layer's maps and of each vector's units. most_pixels: of all pictures.

    Raises: NoPooling, TooManyPixels.
    """
    if not network.pools:
        raise NoPooling(network.name)
    forwards = [run(mode) for mode in PoolingMode]
    image = forwards[0].image
    trained = next((each for each in forwards if each.pooling is network.card.pooling), None) or run(None)
    ranges = [
        MapRange(layer, count=maps if layer.is_spatial else units)
        for layer in (pooled_layers(network) if layers is None else layers)
    ]
    if maps is not None:
        ranges = _fit_page(trained, ranges, options, _PAGE_PIXELS // (len(forwards) * (1 + differences)))
    if most_pixels is not None:
        pixels = sum(count_pixels(trained, each, options) for each in ranges)
        require_pixels(pixels * len(forwards) * (1 + differences), most_pixels, FEWER_LAYERS)
    rows = [_compare_layer(network, each.layer, forwards, trained, options, differences, each.count) for each in ranges]
    once = [pool_image(image, mode) for mode in PoolingMode]
    twice = [pool_image(picture, mode) for picture, mode in zip(once, PoolingMode, strict=True)]
    pooled = zip(draw_grids(once, Colormap.GRAY), draw_grids(twice, Colormap.GRAY), strict=True)  # each on one scale
    columns = (
        _column(network, forward, forward is trained, pictures, tuple(row[index] for row in rows))
        for index, (forward, pictures) in enumerate(zip(forwards, pooled, strict=True))
    )
    comparison = Comparison(network, image, tuple(columns))
    finish(*forwards, trained)
    return comparison


def _fit_page(
    forward: ForwardPass, ranges: Sequence[MapRange], options: RenderOptions, most_pixels: int
) -> list[MapRange]:
    """Draw fewer maps of large layers where all pictures of a column would be more than a page can hold.

    Where one map of each is still too much, the last layers are left out.
    """
    if sum(count_pixels(forward, each, options) for each in ranges) <= most_pixels:
        return list(ranges)
    share = most_pixels // len(ranges)
    fewer = [replace(each, count=_fit(forward.activations[each.layer.name], each.count, share)) for each in ranges]
    sums = list(accumulate(_count_cells(forward.activations[each.layer.name], each.count) for each in fewer))
    return fewer[: max(1, bisect_right(sums, most_pixels))]


def _count_cells(activation: Array, count: int | None) -> int:
    height, width, maps = as_maps_shape(activation.shape)
    if activation.ndim < 2:
        return width if count is None else min(width, count)
    return height * width * (maps if count is None else min(maps, count))


def _fit(activation: Array, count: int | None, pixels: int) -> int | None:
    if activation.ndim < 2 or count is None:
        return count
    height, width, _ = as_maps_shape(activation.shape)
    return max(1, min(count, pixels // (int(height) * int(width))))


def distance(activation: Array, trained: Array) -> float:
    """Return the Bray-Curtis dissimilarity of two activations: sum(|a - t|) / (sum(|a|) + sum(|t|)), from 0 to 1.

    0: they are equal. 1: at every place one of them is zero, or their signs differ. Values that are not finite are
    ignored. Source: Bray and Curtis, 1957.
    """
    return find_distance(as_maps(activation), as_maps(trained))


def find_distance(maps: Array | Mapped, trained: Array | Mapped) -> float:
    """Return the same for activations as maps, (height, width, channels), read block by block."""
    apart, size = 0.0, 0.0
    for block in cut_blocks(maps.shape):
        change, total = _add_up(maps[block], trained[block])
        apart, size = apart + change, size + total
    # Rounding can leave the numerator slightly above the denominator.
    return min(1.0, apart / size) if size > 0 else 0.0


def _add_up(activation: Array, trained: Array) -> tuple[float, float]:
    """Return sum(|a - t|), and sum(|a|) + sum(|t|), over the places where both are finite."""
    usable = np.isfinite(activation) & np.isfinite(trained)
    first, second = activation[usable].astype(np.float64), trained[usable].astype(np.float64)
    return float(np.abs(first - second).sum()), float(np.abs(first).sum() + np.abs(second).sum())


def pool_image(image: Array, mode: PoolingMode) -> Array:
    """Pool an image, (height, width, channels), 2×2 with stride 2, without padding.

    An image of a single row or column stays as it is.
    """
    height, width, channels = image.shape
    if min(height, width) < 2:
        return image
    windows = image[: height // 2 * 2, : width // 2 * 2].reshape(height // 2, 2, width // 2, 2, channels)
    return np.asarray(_REDUCE[mode](windows, axis=(1, 3)), dtype=np.float32)


def _compare_layer(
    network: Network,
    layer: Layer,
    forwards: Sequence[ForwardPass],
    trained: ForwardPass,
    options: RenderOptions,
    differences: bool,
    count: int | None,
) -> list[ComparedLayer]:
    """Compare a layer across the forward passes."""
    activations = [forward.activations[layer.name] for forward in forwards]
    reference = trained.activations[layer.name]
    with reading(reference.size, *forwards, trained):
        maps = [open_maps(as_maps(activation), *forwards) for activation in activations]
        compared_to = open_maps(as_maps(reference), trained)
        extremes = [find_extremes(each) for each in maps]
        changes = [Difference(each, compared_to) for each in maps]
        colormap = options.colormap_from(float(np.min([each.lowest for each in extremes])))
        has_maps = reference.ndim > 1
        grids = _draw_together(maps, has_maps, colormap, options, count, join_extremes(extremes))
        drawn: Sequence[Grid | None] = [None] * len(changes)
        if differences:
            drawn = _draw_together(changes, has_maps, options.diverging, options, count)
        return [
            ComparedLayer(
                make_view(network, trained.image, layer, activation, own, grid, values),
                find_distance(values, compared_to),
                _farthest_map(change) if has_maps else None,
                difference,
            )
            for activation, values, own, grid, change, difference in zip(
                activations, maps, extremes, grids, changes, drawn, strict=True
            )
        ]


def _farthest_map(change: Difference) -> int | None:
    """Return the feature map with the largest sum of absolute differences."""
    sums = np.zeros(change.shape[2])
    for block in cut_blocks(change.shape):
        sums[block[2]] += np.abs(change[block]).sum(axis=(0, 1), dtype=np.float64)
    return int(sums.argmax()) if sums.any() else None


def _draw_together(
    maps: Sequence[Values],
    has_maps: bool,
    colormap: Colormap,
    options: RenderOptions,
    count: int | None,
    extremes: Extremes | None = None,
) -> Sequence[Grid]:
    """Draw several activations of one layer on a common scale. has_maps: else they are vectors, (units, 1, 1)."""
    if has_maps:
        return draw_grids(maps, colormap, options.scale, options.columns, count, extremes)
    return draw_strips(maps, colormap, count=count, extremes=extremes)


def _column(
    network: Network,
    forward: ForwardPass,
    is_as_trained: bool,
    pooled: tuple[Grid, Grid],
    layers: tuple[ComparedLayer, ...],
) -> ModeColumn:
    assert forward.pooling is not None
    picture = draw_answer(forward, network.lowest_answer) if network.answers_with_picture else None
    prediction = predict(network, forward) if picture is None else None
    return ModeColumn(forward.pooling, is_as_trained, forward, prediction, picture, pooled, layers)
