"""The explorer's list of layers: which of them are drawn now, which of their maps, and the lines beside them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod

from app.cnn.graph_layout import Row, count_lanes, lay_lanes
from app.cnn.kinds import Layer
from app.cnn.network import ForwardPass, Network
from app.explore.comparison import pooled_layers
from app.explore.exploration import Exploration, LayerView, Part, RenderOptions
from app.imaging.grid import Layout, lay_out_grid, lay_out_strip

MAPS = 64  # of a layer, shown at once
UNITS = 1024  # of a vector
FIRST_LAYERS = 6  # drawn before the page has said what is on screen: what a tall screen holds
COMPARED = 24  # layers in the comparison at most, each with three pictures
LARGE = 16  # networks of more layers have a table of contents, and start with some of them folded
MAX_LANES = 40  # beyond them, the lines would leave no room for the layers

_LANE = 12  # pixels from one lane to the next, while there are few
_RAIL = 120  # pixels for all of them, while there are more


@dataclass(frozen=True)
class Page:
    """Some of a layer's maps or of a vector's units: count of them from first on, of so many in total."""

    first: int
    count: int
    total: int
    size: int  # a full page's count

    @property
    def last(self) -> int:
        return self.first + self.count - 1

    @property
    def before(self) -> int | None:
        """The first one of the page before."""
        return self.first - self.size if self.first else None

    @property
    def next(self) -> int | None:
        """The first one of the next page."""
        return self.last + 1 if self.last + 1 < self.total else None


@dataclass(frozen=True)
class Entry:
    """One layer in the list."""

    layer: Layer
    shape: tuple[int, ...]  # of its activation
    page: Page
    layout: Layout
    view: LayerView | None  # None until it is on screen
    is_folded: bool


@dataclass(frozen=True)
class Rail:
    """The lines beside the whole list."""

    rows: tuple[Row, ...]
    lanes: int

    @property
    def pitch(self) -> float:
        """Pixels from one lane to the next."""
        return max(4, min(_LANE, _RAIL / self.lanes))

    @property
    def width(self) -> float:
        return self.lanes * self.pitch

    def x(self, lane: int) -> float:
        """Where a lane is, in pixels."""
        return (lane + 0.5) * self.pitch


def is_large(network: Network) -> bool:
    return len(network.layers) > LARGE


def starts_folded(network: Network, layer: Layer) -> bool:
    """In a large network: what adds little to the picture of the layer before it."""
    return is_large(network) and layer.is_minor and layer is not network.layers[-1]


def find_page(shape: tuple[int, ...], number: int = 0) -> Page:
    """The page of a layer's maps that this map is on; the last one for a number beyond it."""
    total, size = (shape[2], MAPS) if len(shape) == 3 else (prod(shape), UNITS)
    first = min(number, total - 1) // size * size
    return Page(first, min(size, total - first), total, size)


def choose_parts(
    network: Network, forward: ForwardPass, shown: Mapping[str, int] | None, selected: Mapping[str, int]
) -> list[Part]:
    """What is to be drawn.

    shown: the layers that are on screen, each with the number of the map that its page begins with. None, or layers of
    another network only: the first ones of the list. selected: a layer and a map that must be among them.
    """
    names = {layer.name for layer in network.layers}
    here = {name: number for name, number in (shown or {}).items() if name in names}
    if shown is None or (shown and not here):
        unfolded = [layer.name for layer in network.layers if not starts_folded(network, layer)]
        here = dict.fromkeys(unfolded[:FIRST_LAYERS], 0) | dict(selected)
    wanted = dict(selected) | here
    return [_part(forward, layer, wanted[layer.name]) for layer in network.layers if layer.name in wanted]


def choose_compared(network: Network) -> tuple[Layer, ...]:
    """The layers that are drawn three times, side by side: all that pooling may change, or of many the most telling.

    Of a large network, what only reshapes or rescales is left out, and then the middle.
    """
    layers = pooled_layers(network)
    if len(layers) > COMPARED:
        layers = tuple(layer for layer in layers if not starts_folded(network, layer))
    half = COMPARED // 2
    return layers if len(layers) <= COMPARED else (*layers[:half], *layers[-half:])


def list_shown(exploration: Exploration, look: RenderOptions) -> list[Entry]:
    """The entries of the layers that were drawn."""
    return [_entry(exploration, view.layer, view, look) for view in exploration.layers]


def list_all(exploration: Exploration, look: RenderOptions) -> Iterator[Entry]:
    """An entry for each layer of the network."""
    views = {view.layer.name: view for view in exploration.layers}
    return (_entry(exploration, layer, views.get(layer.name), look) for layer in exploration.network.layers)


def draw_rail(network: Network) -> Rail | None:
    """The lines beside the list; None where there is nothing to follow, or too much."""
    rows = lay_lanes({layer.name: layer.inputs for layer in network.layers})
    lanes = count_lanes(rows)
    return Rail(rows, lanes) if len(rows) > 1 and lanes <= MAX_LANES else None


def _part(forward: ForwardPass, layer: Layer, number: int) -> Part:
    page = find_page(forward.activations[layer.name].shape, number)
    return Part(layer, page.first, page.count)


def _entry(exploration: Exploration, layer: Layer, view: LayerView | None, look: RenderOptions) -> Entry:
    shape = exploration.forward.activations[layer.name].shape
    page = find_page(shape, view.grid.first if view else 0)
    layout = lay_out_grid(*shape[:2], page.count, look.columns) if len(shape) == 3 else lay_out_strip(page.count)
    is_folded = view is None and starts_folded(exploration.network, layer)
    return Entry(layer, shape, page, layout, view, is_folded)
