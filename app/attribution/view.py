"""Contributions as pictures, and the strongest of each layer, ready to be shown."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cnn.kinds import Layer
from ..cnn.types import as_maps_shape
from ..explore.exploration import RenderOptions
from ..imaging.colormap import Colormap, Scale
from ..imaging.grid import Grid, draw_grid, draw_map, draw_strip
from .contributions import Contributions, LayerContributions

_MOST_PIXELS = 2**20  # of all pictures of an answer
_MOST_CELLS = 2**18  # of a layer that is drawn


@dataclass(frozen=True)
class Share:
    """What one map, or one unit of a vector, contributes, and where most of it comes from."""

    number: int
    contribution: float
    place: tuple[int, int] | None  # row and column of its strongest cell; None for a unit
    of_place: float  # what that cell contributes


@dataclass(frozen=True)
class ExplainedLayer:
    """A layer's contributions, drawn."""

    terms: LayerContributions
    picture: Grid | None  # in signed colours, symmetric about zero; None where it would be too large
    shares: tuple[Share, ...]  # the strongest first

    @property
    def layer(self) -> Layer | None:
        """None is the image."""
        return self.terms.layer

    @property
    def name(self) -> str:
        return "input" if self.layer is None else self.layer.name

    @property
    def is_spatial(self) -> bool:
        return len(self.terms.shape) > 1

    @property
    def largest(self) -> float:
        """The size of the strongest share."""
        return max((abs(share.contribution) for share in self.shares), default=0.0)


def view_contributions(found: Contributions, options: RenderOptions, most_shares: int = 6) -> list[ExplainedLayer]:
    """Draw the contributions of the image and of each layer that adds something to the way, in the order of the data.

    Layers that only pass values on have the contributions of the one before, and are left out. Too large ones are not
    drawn.
    """
    pixels = _MOST_PIXELS
    shown = []
    for terms in found.layers:
        if terms.layer is not None and repeats(terms.layer):
            continue
        size = int(np.prod(terms.shape))
        is_drawn = terms.cells is not None and size <= min(_MOST_CELLS, pixels)
        pixels -= size if is_drawn else 0
        picture = _draw(terms, options) if is_drawn else None
        shown.append(ExplainedLayer(terms, picture, _find_shares(terms, most_shares)))
    return shown


def draw_values(values: NDArray[np.floating[Any]], colormap: Colormap) -> Grid:
    """Draw what a method says of each place, (height, width), in colours symmetric about zero."""
    return draw_map(np.ascontiguousarray(values, np.float32)[:, :, np.newaxis], 0, colormap)


def repeats(layer: Layer) -> bool:
    """Return whether a layer only passes values on, so that its contributions are those of the one before."""
    return layer.is_minor or (layer.keeps_values and not layer.is_pooling)


def _draw(terms: LayerContributions, options: RenderOptions) -> Grid:
    cells = _as_float32(terms.cells)
    if terms.layer is None and cells.ndim == 3:  # what a pixel contributes is the sum of its channels
        return draw_map(cells.sum(axis=2, keepdims=True), 0, options.diverging)
    if cells.ndim == 1:
        return draw_strip(cells, options.diverging)
    scale = Scale.MAP if options.scale is Scale.MAP else Scale.LAYER
    return draw_grid(cells.reshape(as_maps_shape(cells.shape)), options.diverging, scale, options.columns)


def _find_shares(terms: LayerContributions, most: int) -> tuple[Share, ...]:
    if terms.cells is None:
        return ()
    totals = terms.maps
    return tuple(_share(terms.cells, number, totals[number]) for number in terms.strongest_maps(most) if totals[number])


def _share(cells: NDArray[np.floating[Any]], number: int, total: float) -> Share:
    if cells.ndim == 1:
        return Share(number, float(total), None, float(total))
    maps = cells.reshape(as_maps_shape(cells.shape))[..., number]
    at = int((maps if total > 0 else -maps).argmax())
    row, column = divmod(at, maps.shape[1])
    return Share(number, float(total), (row, column), float(maps[row, column]))


def _as_float32(cells: NDArray[np.floating[Any]] | None) -> NDArray[np.float32]:
    assert cells is not None
    return np.ascontiguousarray(cells, np.float32)
