"""The part of an example that excites a map, cut to what the strongest cell sees: its receptive field."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..cnn.card import Ink
from ..cnn.kinds import Layer
from ..cnn.network import Network
from ..cnn.receptive_field import IMAGE, receptive_field
from ..cnn.types import Array, Shape
from ..cnn.windows import Region
from ..explore.exploration import draw_image
from ..explore.forward_passes import swap_ink_and_paper
from .strongest import NONE, Strongest
from .top_activations import TopActivations


@dataclass(frozen=True)
class Patch:
    """One example, the cell of the map that it excites most, and what that cell sees."""

    name: str  # of the example, such as test-7
    number: int  # of the digit in its set
    label: int  # what it is
    value: float  # of the cell
    row: int
    column: int
    region: Region  # that the cell sees of the network's input; it may reach into the padding around it
    png: bytes  # the part of the input within that region, or all of it; ink is dark
    top: int  # the place of the picture in the input
    left: int
    height: int  # in pixels of the input
    width: int

    @property
    def frame(self) -> Region:
        """The picture, with as much padding around it as the region reaches into."""
        return Region(self.top, self.left, self.top + self.height, self.left + self.width).union(self.region)


def cut_patches(found: TopActivations, layer: Layer, number: int, whole: bool = False) -> list[Patch]:
    """Return what excites one map most, the strongest first. whole: all of each example, not only what the cell sees.

    Raises: NoMaps.
    """
    strongest = found.of(layer)
    return [_cut(found, layer, strongest, number, rank, whole) for rank in count_ranks(strongest, number)]


def count_ranks(strongest: Strongest, number: int) -> Iterator[int]:
    """Return the ranks of the examples that excite a map: those above its lowest value. A dead map has none."""
    excites = (strongest.examples[number] != NONE) & (strongest.values[number] > strongest.low[number])
    return (rank for rank, is_so in enumerate(excites.tolist()) if is_so)


def _cut(found: TopActivations, layer: Layer, strongest: Strongest, number: int, rank: int, whole: bool) -> Patch:
    network, examples = found.network, found.examples
    at = number, rank
    place, row, column = (int(each[at]) for each in (strongest.examples, strongest.rows, strongest.columns))
    image = examples.image(place, network.card)
    region = see(network, layer, image.shape, row, column)
    shown = Region(0, 0, *image.shape[:2]) if whole else region.clipped(image.shape[:2])
    return Patch(
        examples.name(place),
        int(examples.numbers[place]),
        int(examples.labels[place]),
        float(strongest.values[at]),
        row,
        column,
        region,
        draw_part(network, image, shown),
        shown.top,
        shown.left,
        shown.height,
        shown.width,
    )


def see(network: Network, layer: Layer, image: tuple[int, ...], row: int, column: int) -> Region:
    """Return the region of an input of this shape that a cell of a layer sees; it may reach into the padding."""
    shapes: dict[str, Shape] = {}
    if None in network.card.input_shape:
        names = (each.name for each in network.layers)
        shapes = dict(zip(names, network.engine.output_shapes(image), strict=True))
    return receptive_field(network.layers, image, layer.name, (row, column), shapes)[IMAGE]


def draw_part(network: Network, image: Array, part: Region) -> bytes:
    """Draw a part of a network's input, (height, width, channels), as a PNG with dark ink on bright paper."""
    top, left, bottom, right = part
    pixels = image[top:bottom, left:right]
    if not pixels.size:  # the cell sees nothing of it
        pixels = image[:1, :1]
    shown = swap_ink_and_paper(pixels, network.card) if network.card.ink is Ink.BRIGHT else pixels
    return draw_image(shown, network.card)
