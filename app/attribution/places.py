"""Where in the image what speaks for an answer lies: what each place of the last layer with maps contributes.

Its maps summed up are HiResCAM (Draelos and Carin, 2020), here of a difference of two logits as well.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..explore.exploration import RenderOptions
from ..imaging.grid import Grid
from .contributions import Contributions, LayerContributions
from .view import draw_values, repeats

Values = NDArray[np.floating[Any]]
Extent = tuple[float, float, float, float]  # top, left, bottom, right in pixels of the image

_NAMES = (("top left", "top", "top right"), ("left", "middle", "right"), ("bottom left", "bottom", "bottom right"))


@dataclass(frozen=True)
class Part:
    """A ninth of the image."""

    name: str
    contribution: float  # of all cells whose middle lies in it


@dataclass(frozen=True)
class Places:
    """What each place of a layer contributes."""

    terms: LayerContributions
    values: Values  # (height, width), all maps summed up
    extent: Extent
    picture: Grid  # in signed colours, symmetric about zero
    parts: tuple[Part, ...]  # the nine, whose sum is the layer's total

    @property
    def strongest(self) -> Part | None:
        """The part that speaks most for the class; None where none does."""
        most = max(self.parts, key=lambda part: part.contribution)
        return most if most.contribution > 0 else None

    @property
    def opposed(self) -> Part | None:
        """The part that speaks most against the class, or for the other one; None where none does."""
        least = min(self.parts, key=lambda part: part.contribution)
        return least if least.contribution < 0 else None


def find_places(found: Contributions, options: RenderOptions) -> Places | None:
    """Return what each place of the last layer with maps of several cells contributes; None without such a layer."""
    for terms in reversed(found.layers):
        if terms.layer is not None and repeats(terms.layer):
            continue
        if len(terms.shape) == 3 and terms.shape[0] * terms.shape[1] > 1 and terms.cells is not None:
            extent = _find_extent(found, terms)
            if extent is not None:
                values = terms.cells.sum(axis=2, dtype=np.float64)
                picture = draw_values(values, options.diverging)
                return Places(terms, values, extent, picture, _sum_parts(values, extent, found.forward.image.shape))
    return None


def _find_extent(found: Contributions, terms: LayerContributions) -> Extent | None:
    image, layer = found.forward.image, terms.layer
    if layer is None:
        return 0.0, 0.0, float(image.shape[0]), float(image.shape[1])
    return found.network.extent(layer, image, found.forward.activations[layer.name])


def _sum_parts(values: Values, extent: Extent, image: tuple[int, ...]) -> tuple[Part, ...]:
    top, left, bottom, right = extent
    rows = _thirds(values.shape[0], top, bottom, image[0])
    columns = _thirds(values.shape[1], left, right, image[1])
    sums = np.zeros((3, 3))
    np.add.at(sums, (rows[:, np.newaxis], columns), values)
    return tuple(
        Part(name, float(total))
        for names, totals in zip(_NAMES, sums, strict=True)
        for name, total in zip(names, totals, strict=True)
    )


def _thirds(cells: int, first: float, last: float, size: int) -> NDArray[np.intp]:
    """Return in which third of the image the middle of each row, or column, of cells lies."""
    middles = first + (np.arange(cells) + 0.5) * (last - first) / cells
    return np.clip(3 * middles / size, 0, 2).astype(np.intp)
