"""The network at a glance: a small live picture of each layer, in the order in which the data flows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from ..cnn.kinds import Layer
from ..cnn.network import ForwardPass, Network
from ..cnn.types import Array
from ..imaging.mapped import Mapped
from ..imaging.thumbnails import draw_thumbnails, sample_indices
from .comparison import pooled_layers
from .exploration import RenderOptions
from .large_layers import open_maps, reading

SIDE = 36  # pixels of a picture's longer side
PITCH = 48  # from one picture to the next
MOST_STOPS = 14  # more would not fit beside each other
_MOST_UNITS = 2**12  # of a vector, in its picture
_MOST_VALUES = 2**21  # of a layer, that are compared


@dataclass(frozen=True)
class Stop:
    """One place on the way: a layer, or in a large network several that follow each other."""

    layers: tuple[Layer, ...]
    follows_pooling: bool  # the pooling mode changes it

    @property
    def last(self) -> Layer:
        """The layer whose map is shown."""
        return self.layers[-1]

    @property
    def is_pooling(self) -> bool:
        return any(layer.is_pooling for layer in self.layers)


@dataclass(frozen=True)
class Overview:
    """The way from the image to the answer."""

    stops: tuple[Stop, ...]
    bypasses: tuple[tuple[int, int], ...]  # stops that are joined past those between them
    png: bytes  # a picture for each stop, PITCH pixels apart


def draw_overview(network: Network, forward: ForwardPass, options: RenderOptions) -> Overview:
    """Draw the map with the most contrast of each stop's last layer, in its own scale."""
    stops = plan_stops(network)
    maps = [_pick_map(forward, stop.last.name) for stop in stops]
    png = draw_thumbnails(maps, options.colormap, options.diverging, SIDE, PITCH)
    return Overview(stops, find_bypasses(stops), png)


def plan_stops(network: Network) -> tuple[Stop, ...]:
    """Return the stops of a network: each layer, or where these are too many, runs of layers of one size."""
    changed = {layer.name for layer in pooled_layers(network)}
    runs: list[list[Layer]] = [[layer] for layer in network.layers]
    if len(runs) > MOST_STOPS:
        runs = [list(run) for _, run in groupby(network.layers, key=lambda layer: layer.output_shape[:-1])]
    while len(runs) > MOST_STOPS:  # the two neighbours that are shortest together become one
        shortest = min(range(len(runs) - 1), key=lambda index: len(runs[index]) + len(runs[index + 1]))
        runs[shortest : shortest + 2] = [runs[shortest] + runs[shortest + 1]]
    return tuple(Stop(tuple(run), run[-1].name in changed) for run in runs)


def find_bypasses(stops: Sequence[Stop]) -> tuple[tuple[int, int], ...]:
    """Return the pairs of stops of which the second reads the first although others lie between."""
    places = {layer.name: number for number, stop in enumerate(stops) for layer in stop.layers}
    pairs = {
        (places[source], number)
        for number, stop in enumerate(stops)
        for layer in stop.layers
        for source in layer.inputs
        if source in places
    }
    return tuple(sorted(pair for pair in pairs if pair[1] - pair[0] > 1))


def _pick_map(forward: ForwardPass, name: str) -> NDArray[np.float32]:
    """Return one map of a layer, (height, width), of no more cells than are shown; a vector as a square."""
    activation = forward.activations[name]
    with reading(activation.size, forward):
        if activation.ndim == 3:
            return _pick_contrast(open_maps(activation, forward))
        return _as_square(activation.reshape(-1)[:_MOST_UNITS])


def _pick_contrast(activation: Array | Mapped) -> NDArray[np.float32]:
    """Return the map with the largest standard deviation of the cells that are shown; one lit all over has none.

    Of very many maps, the first ones are looked at.
    """
    rows, columns = (sample_indices(size, min(size, SIDE)) for size in activation.shape[:2])
    maps = slice(0, max(1, _MOST_VALUES // (rows.size * columns.size)))
    # Fewer cells first: a large network's layers have many times more than the small picture shows.
    if isinstance(activation, Mapped):
        shown = activation.take(rows, columns, maps)
    else:
        shown = activation[rows[:, np.newaxis], columns, maps]
    with np.errstate(over="ignore", invalid="ignore"):
        contrasts = np.nan_to_num(shown.std(axis=(0, 1)))
    return np.asarray(shown[:, :, int(contrasts.argmax())], dtype=np.float32)


def _as_square(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a vector row by row in a square; NaN after its end."""
    columns = math.ceil(math.sqrt(values.size))
    rows = -(-values.size // columns)
    square = np.full(rows * columns, np.nan, dtype=np.float32)
    square[: values.size] = values
    return square.reshape(rows, columns)
