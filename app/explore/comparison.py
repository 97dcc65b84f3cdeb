"""The service: one image through one network in all three pooling modes, side by side."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from typing import Any

import numpy as np

from app.cnn.card import Card
from app.cnn.kinds import Layer
from app.cnn.network import ForwardPass, Network
from app.cnn.pooling import PoolingMode
from app.cnn.preprocessing import colour_channels, to_levels, to_values
from app.cnn.types import Array
from app.explore.exploration import LayerView, RenderOptions, as_maps, draw_answer
from app.explore.prediction import Prediction, predict
from app.imaging.colormap import Colormap
from app.imaging.grid import Grid, draw_grids, draw_strips
from app.imaging.quantize import measure
from app.library.library import Library

_KEEP: dict[PoolingMode, Callable[..., Any]] = {
    PoolingMode.MAX: np.max,
    PoolingMode.AVERAGE: np.mean,
    PoolingMode.MIN: np.min,
}


class NoPooling(ValueError):
    """The network has no pooling layer, so that there is nothing to compare."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The model “{name}” has no pooling layer: max, average and min would be the same. "
            "Choose a model that pools."
        )


@dataclass(frozen=True)
class Cell:
    """One layer under one pooling mode, and how far that is from the same layer as it was trained."""

    view: LayerView
    distance: float  # from the activation as trained: see distance()
    farthest_map: int | None  # the feature map that differs most; None without height and width, or where none does
    difference: Grid | None  # the activation minus the one as trained; None where it was not asked for


@dataclass(frozen=True)
class Column:
    """Everything that one pooling mode changes."""

    pooling: PoolingMode
    is_as_trained: bool
    forward: ForwardPass
    prediction: Prediction | None  # None where the network answers with a picture
    picture: bytes | None  # that picture, as a PNG
    pooled: tuple[Grid, Grid]  # the image itself after one 2×2 pooling, and after two
    cells: tuple[Cell, ...]  # from the first pooling layer on

    @property
    def farthest(self) -> Cell | None:
        """Where before the answer it differs most from as trained, the first of equals; None where nowhere."""
        farthest = max(self.cells[:-1] or self.cells, key=lambda cell: cell.distance)
        return farthest if farthest.distance > 0 else None


@dataclass(frozen=True)
class Comparison:
    """One image in the three pooling modes: max, average, min."""

    network: Network
    image: Array  # (height, width, channels)
    columns: tuple[Column, ...]

    @property
    def as_trained(self) -> Column | None:
        """None for a network whose pooling layers differ in their modes: as trained, it is none of the three."""
        return next((column for column in self.columns if column.is_as_trained), None)

    @property
    def farthest(self) -> Column | None:
        """The column with the layer that differs most of all from as trained; None where nothing differs."""
        apart = [column for column in self.columns if column.farthest]
        return max(apart, key=lambda column: column.farthest.distance if column.farthest else 0, default=None)

    @property
    def rows(self) -> Iterator[tuple[Cell, ...]]:
        """Each layer's three cells."""
        return zip(*(column.cells for column in self.columns), strict=True)


@dataclass(frozen=True)
class Accuracy:
    """How well a model reads the test set under one pooling mode, from 0 to 1; None where its card does not say."""

    same_weights: float | None
    retrained: float | None
    retrained_model: str | None  # the model of the same architecture that was trained with this mode


def accuracies(network: Network, library: Library) -> dict[PoolingMode, Accuracy]:
    """What the cards of a network and of its siblings say."""
    return {mode: _accuracy(network, library, mode) for mode in PoolingMode}


def _accuracy(network: Network, library: Library, mode: PoolingMode) -> Accuracy:
    same_weights = network.card.test_accuracy_by_pooling.get(mode)
    sibling = library.sibling_name(network, mode)
    card = network.card if sibling == network.name else library.card(sibling)
    if card.pooling is not mode:  # there is none: the library gave the network itself
        return Accuracy(same_weights, None, None)
    return Accuracy(same_weights, card.test_accuracy, sibling)


def swap_ink_and_paper(image: Array, card: Card) -> Array:
    """The image, (height, width, channels), with each value as far from ink as it was from paper; alpha stays."""
    colours = colour_channels(image.shape[2])
    levels = to_levels(image, card)
    levels[..., :colours] = 255 - levels[..., :colours]
    return to_values(levels, card)


def pooled_layers(network: Network) -> tuple[Layer, ...]:
    """The layers that the pooling mode may change: from the first pooling layer on."""
    return tuple(dropwhile(lambda layer: not layer.is_pooling, network.layers))


def compare(
    network: Network,
    run: Callable[[PoolingMode | None], ForwardPass],
    look: RenderOptions,
    differences: bool = False,
    layers: Iterable[Layer] | None = None,
    maps: int | None = None,
    units: int | None = None,
) -> Comparison:
    """Run the network once in each pooling mode, and draw every layer from the first pooling layer on.

    The three pictures of a layer share one colour scale, and so do those of the differences. A network whose pooling
    layers differ in their modes is run once more, as trained. run: runs it on the image; None is as trained.
    differences: also draw each activation minus the one as trained, in a colour map that is symmetric about zero.
    layers: only these. maps, units: draw at most so many of each layer's maps, of each vector's units.

    Raises: NoPooling.
    """
    if not network.pools:
        raise NoPooling(network.name)
    forwards = [run(mode) for mode in PoolingMode]
    image = forwards[0].image
    trained = next((each for each in forwards if each.pooling is network.card.pooling), None) or run(None)
    compared = pooled_layers(network) if layers is None else layers
    rows = [
        _compare_layer(network, layer, forwards, trained, look, differences, maps if layer.is_spatial else units)
        for layer in compared
    ]
    once, twice = _draw_pooled(image, 1), _draw_pooled(image, 2)
    columns = (
        _column(network, forward, forward is trained, (once[index], twice[index]), tuple(row[index] for row in rows))
        for index, forward in enumerate(forwards)
    )
    return Comparison(network, image, tuple(columns))


def distance(activation: Array, trained: Array) -> float:
    """How far two activations are apart, from 0 to 1: sum(|a - t|) / (sum(|a|) + sum(|t|)).

    This is the Bray-Curtis dissimilarity: 0 where they are equal, 1 where at every place one of them is zero or their
    signs differ. Values that are not finite count for nothing.
    """
    usable = np.isfinite(activation) & np.isfinite(trained)
    first, second = activation[usable].astype(np.float64), trained[usable].astype(np.float64)
    size = np.abs(first).sum() + np.abs(second).sum()
    # Rounding may leave the sum of differences a little above the sum of values.
    return min(1.0, float(np.abs(first - second).sum() / size)) if size > 0 else 0.0


def pool_image(image: Array, mode: PoolingMode) -> Array:
    """An image, (height, width, channels), pooled 2×2 with stride 2. What does not fill a window is left out.

    An image of a single row or column stays as it is.
    """
    height, width, channels = image.shape
    if min(height, width) < 2:
        return image
    windows = image[: height // 2 * 2, : width // 2 * 2].reshape(height // 2, 2, width // 2, 2, channels)
    return np.asarray(_KEEP[mode](windows, axis=(1, 3)), dtype=np.float32)


def _compare_layer(
    network: Network,
    layer: Layer,
    forwards: Sequence[ForwardPass],
    trained: ForwardPass,
    look: RenderOptions,
    differences: bool,
    count: int | None,
) -> list[Cell]:
    """The layer's cells, one a forward pass."""
    activations = [forward.activations[layer.name] for forward in forwards]
    reference = trained.activations[layer.name]
    with np.errstate(invalid="ignore", over="ignore"):  # infinity minus infinity
        apart = [activation - reference for activation in activations]
    grids = _draw_together(activations, look.colormap_for(np.stack(activations)), look, count)
    drawn = _draw_together(apart, Colormap.BERLIN, look, count) if differences else [None] * len(apart)
    return [
        Cell(
            LayerView(network, trained.image, layer, activation, measure(as_maps(activation)), grid),
            distance(activation, reference),
            _farthest_map(each),
            difference,
        )
        for activation, grid, each, difference in zip(activations, grids, apart, drawn, strict=True)
    ]


def _farthest_map(apart: Array) -> int | None:
    """The feature map with the largest sum of absolute differences."""
    if apart.ndim != 3 or not apart.any():
        return None
    return int(np.abs(apart).sum(axis=(0, 1), dtype=np.float64).argmax())


def _draw_together(
    activations: Sequence[Array], colormap: Colormap, look: RenderOptions, count: int | None
) -> Sequence[Grid]:
    if activations[0].ndim == 3:
        return draw_grids(activations, colormap, look.scale, look.columns, count)
    return draw_strips([activation.ravel() for activation in activations], colormap, count=count)


def _draw_pooled(image: Array, times: int) -> list[Grid]:
    """The image itself, pooled so many times in each mode: grey, one scale for all modes."""
    pooled = []
    for mode in PoolingMode:
        picture = image
        for _ in range(times):
            picture = pool_image(picture, mode)
        pooled.append(picture)
    return draw_grids(pooled, Colormap.GRAY)


def _column(
    network: Network, forward: ForwardPass, is_as_trained: bool, pooled: tuple[Grid, Grid], cells: tuple[Cell, ...]
) -> Column:
    assert forward.pooling is not None
    picture = draw_answer(forward) if network.answers_with_picture else None
    prediction = predict(network, forward) if picture is None else None
    return Column(forward.pooling, is_as_trained, forward, prediction, picture, pooled, cells)
