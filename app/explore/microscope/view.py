"""An inspection, drawn: pictures with the window marked in them, and numbers in their pictures' colours."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...cnn.cells import Contribution, ConvolutionCell, DenseCell
from ..exploration import RenderOptions
from ..inspection import Inspection
from ..look import Look
from .numbers import ColouredNumber
from .own_map import describe_map, draw_own_map
from .path import draw_path, path_layers
from .pictures import SMALL_PICTURE, Link, Picture
from .sources import colour_window, draw_sources, find_cell, name_input
from .terms import TermView, draw_terms, find_ends

SHOWN_TERMS = 4
SHOWN_CONTRIBUTIONS = 8

# The most that is shown where everything is asked for.
_MOST_CONTRIBUTIONS = 2**15
_MOST_TERMS = 2**12
_MOST_PIXELS = 2**23  # of their pictures


@dataclass(frozen=True)
class MicroscopeView:
    """Everything that the microscope's panel shows."""

    inspection: Inspection
    map: Picture  # the selected feature map, or vector, with the cell
    map_words: str | None  # where the map is strongest, and its mean, for those who do not see it; None for a vector
    path: list[Picture]  # the receptive field on the image and on the layers between
    more_path: int  # how many of these layers are left out
    terms: list[TermView]  # of a convolution, the largest first
    weight_ends: tuple[float, float] | None  # the lowest and the highest weight of its kernels, for their legend
    more_terms: int  # how many are left out
    more_partial_sum: float  # of those
    sources: list[Picture]  # of other layers: the maps that the cell reads
    window: list[list[ColouredNumber]] | None  # of pooling; None if it is too large to show
    contributions: list[Contribution]  # of a dense layer, the largest first
    input_names: list[str]  # what each of their inputs is
    input_links: list[Link | None]  # to the cell that each of them is, where it is one
    more_contributions: int  # how many are left out
    more_product: float  # the sum of their products


def view_inspection(inspection: Inspection, options: RenderOptions, all_terms: bool = False) -> MicroscopeView:
    """Draw an inspection. all_terms: show every input channel or input, not only the largest."""
    return view_inspections([inspection], options, all_terms)[0]


def view_inspections(
    inspections: Sequence[Inspection], options: RenderOptions, all_terms: bool = False
) -> list[MicroscopeView]:
    """Draw the same cell of several forward passes of one image, on common colour scales.

    All of them show the same input channels or inputs, in the same order. all_terms: every one, not only the largest.
    """
    look = Look.of(options, [each.forward for each in inspections])
    partial_sums = [_partial_sums(each) for each in inspections]
    products = [_products(each) for each in inspections]
    shown = _largest(partial_sums, _count_terms(inspections) if all_terms else SHOWN_TERMS)
    most = _MOST_CONTRIBUTIONS // len(inspections)
    contributions = _largest(products, most if all_terms else SHOWN_CONTRIBUTIONS)
    return [_view(each, look, shown, contributions) for each in inspections]


def _partial_sums(inspection: Inspection) -> list[float]:
    cell = inspection.cell
    return [term.partial_sum for term in cell.terms] if isinstance(cell, ConvolutionCell) else []


def _products(inspection: Inspection) -> list[float]:
    cell = inspection.cell
    return [each.product for each in cell.contributions] if isinstance(cell, DenseCell) else []


def _view(inspection: Inspection, options: Look, shown: list[int], contributions: list[int]) -> MicroscopeView:
    """Draw an inspection. shown: the indices of the terms to show. contributions: those of a dense layer's inputs."""
    cell = inspection.cell
    partial_sums, products = _partial_sums(inspection), _products(inspection)
    links = [find_cell(inspection, index) for index in contributions]
    path = draw_path(inspection, options)
    return MicroscopeView(
        inspection=inspection,
        map=draw_own_map(inspection, options),
        map_words=describe_map(inspection),
        path=path,
        more_path=len(path_layers(inspection)) - len(path),
        terms=draw_terms(inspection, options, shown),
        weight_ends=find_ends([term.kernel for term in cell.terms]) if isinstance(cell, ConvolutionCell) else None,
        more_terms=len(partial_sums) - len(shown),
        more_partial_sum=_sum_others(partial_sums, shown),
        sources=draw_sources(inspection, options),
        window=colour_window(inspection, options),
        contributions=[cell.contributions[index] for index in contributions] if isinstance(cell, DenseCell) else [],
        input_names=[name_input(inspection, *each) for each in zip(contributions, links, strict=True)],
        input_links=links,
        more_contributions=len(products) - len(contributions),
        more_product=_sum_others(products, contributions),
    )


def _largest(values: Sequence[Sequence[float]], count: int) -> list[int]:
    """Return the places with the largest absolute values in any of several rows of one length, in this order."""
    sizes = [max(map(abs, each)) for each in zip(*values, strict=True)]
    return sorted(range(len(sizes)), key=lambda index: -sizes[index])[:count]


def _sum_others(values: Sequence[float], shown: Iterable[int]) -> float:
    """Return the sum of the values that are not shown."""
    left_out = set(range(len(values))).difference(shown)
    return sum(values[index] for index in sorted(left_out))


def _count_terms(inspections: Sequence[Inspection]) -> int:
    """Return how many input channels can be shown at once, each with two pictures for each inspection."""
    inspection = inspections[0]
    sources = inspection.network.inputs(inspection.layer, inspection.forward)[:1]  # none of an input that is held
    maps = (inspection.forward.activations[inspection.layer.name], *sources)
    pixels: int = len(inspections) * sum(min(SMALL_PICTURE, math.prod(each.shape[:2])) for each in maps)
    return max(SHOWN_TERMS, min(_MOST_TERMS, _MOST_PIXELS // pixels))
