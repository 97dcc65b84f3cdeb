"""The part of an example that excites a map: what the strongest cell sees, its receptive field."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..cnn.kinds import Layer
from ..cnn.network import Network
from ..cnn.receptive_field import IMAGE, receptive_field
from ..cnn.types import Shape
from ..cnn.windows import Region
from .strongest import NONE, Strongest
from .top_activations import TopActivations


@dataclass(frozen=True)
class Patch:
    """One example, the cell of the map that it excites most, and what that cell sees."""

    place: int  # of the example among all that were shown
    name: str  # of the example, such as test-7
    number: int  # of the example in its set
    label: int  # the number of its class
    class_name: str  # what it is
    value: float  # of the cell
    row: int
    column: int
    region: Region  # that the cell sees of the network's input; it may reach into the padding around it


def find_patches(found: TopActivations, layer: Layer, number: int) -> list[Patch]:
    """Return what excites one map most, the strongest first. Raises: NoMaps."""
    strongest = found.of(layer)
    return [_find(found, layer, strongest, number, rank) for rank in count_ranks(strongest, number)]


def count_ranks(strongest: Strongest, number: int) -> Iterator[int]:
    """Return the ranks of the examples that excite a map: those above its lowest value. A dead map has none."""
    excites = (strongest.examples[number] != NONE) & (strongest.values[number] > strongest.low[number])
    return (rank for rank, is_so in enumerate(excites.tolist()) if is_so)


def _find(found: TopActivations, layer: Layer, strongest: Strongest, number: int, rank: int) -> Patch:
    network, examples, at = found.network, found.examples, (number, rank)
    place, row, column = (int(each[at]) for each in (strongest.examples, strongest.rows, strongest.columns))
    label = int(examples.labels[place])
    return Patch(
        place,
        examples.name(place),
        int(examples.numbers[place]),
        label,
        examples.classes[label],
        float(strongest.values[at]),
        row,
        column,
        see(network, layer, examples.image(place, network.card).shape, row, column),
    )


def see(network: Network, layer: Layer, image: tuple[int, ...], row: int, column: int) -> Region:
    """Return the region of an input of this shape that a cell of a layer sees; it may reach into the padding."""
    shapes: dict[str, Shape] = {}
    if None in network.card.input_shape:
        names = (each.name for each in network.layers)
        shapes = dict(zip(names, network.engine.output_shapes(image), strict=True))
    return receptive_field(network.layers, image, layer.name, (row, column), shapes)[IMAGE]
