"""The explorer's list of layers: which layers and maps to draw now, and the graph's lines beside the list."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from ..cnn.kinds import Layer
from ..cnn.network import ForwardPass, Network
from ..cnn.types import as_maps_shape
from ..explore.comparison import pooled_layers
from ..explore.exploration import Exploration, LayerView, MapRange, RenderOptions
from ..imaging.grid import Layout, lay_out_grid, lay_out_strip

MAPS = 64  # of a layer, on one page of its maps
UNITS = 1024  # of a vector, likewise
FIRST_LAYERS = 6  # drawn before the page has sent what is on screen; they fill a tall screen
COMPARED = 24  # the maximum of layers in the comparison, each with three pictures
LARGE = 16  # networks with more layers get a table of contents, and some layers start folded
MAX_LANES = 40  # with more lines there would be no room for the layers

_PICTURE_PIXELS = 2**22  # on one page of a layer's maps
_ANSWER_PIXELS = 2**23  # of all pictures of layers in one answer
_LANE = 12  # pixels from one lane to the next, if there are few
_RAIL = 120  # pixels for all lanes, if there are more


@dataclass(frozen=True)
class Row:
    """One layer's part of the picture: a node, and the lines between the row's top edge and its bottom edge.

    A line keeps its lane from the layer that made it to the last one that reads it, so that a lane at the bottom of a
    row is the same line as that lane at the top of the next one.
    """

    lane: int  # where the node is; 0 is the leftmost
    passing: tuple[int, ...]  # lines from top to bottom, for a layer further down
    incoming: tuple[int, ...]  # lines from the top to the node: what this layer reads; one may pass on as well
    is_read: bool  # a line goes from the node to the bottom


def lay_lanes(inputs: Mapping[str, Sequence[str]]) -> tuple[Row, ...]:
    """Return a row for each layer, in the given order.

    inputs: what each layer reads, by name; layers come after those that they read. A layer takes the leftmost lane of
    those whose line ends with it, else the leftmost that is free.
    """
    last_readers = {name: reader for reader, names in inputs.items() for name in names}
    lines: dict[str, int] = {}  # the lane of each output that is still to be read
    rows = []
    for name, read in inputs.items():
        incoming = tuple(sorted({lines[each] for each in read if each in lines}))
        ending = [each for each in lines if last_readers[each] == name]
        passing = {each: lane for each, lane in lines.items() if each not in ending}
        lane = min((lines[each] for each in ending), default=_first_free(passing.values()))
        is_read = name in last_readers
        rows.append(Row(lane, tuple(sorted(passing.values())), incoming, is_read))
        lines = passing | ({name: lane} if is_read else {})
    return tuple(rows)


def count_lanes(rows: Iterable[Row]) -> int:
    """Return the number of lanes side by side."""
    return 1 + max(lane for row in rows for lane in (row.lane, *row.passing, *row.incoming))


def _first_free(taken: Iterable[int]) -> int:
    occupied = set(taken)
    return next(lane for lane in range(len(occupied) + 1) if lane not in occupied)


@dataclass(frozen=True)
class MapPage:
    """One page of a layer's maps or of a vector's units."""

    first: int
    count: int
    total: int  # on all pages
    size: int  # the count of a full page

    @property
    def last(self) -> int:
        return self.first + self.count - 1

    @property
    def before(self) -> int | None:
        """The first map of the page before."""
        return self.first - self.size if self.first else None

    @property
    def next(self) -> int | None:
        """The first map of the next page."""
        return self.last + 1 if self.last + 1 < self.total else None


@dataclass(frozen=True)
class LayerEntry:
    """One layer in the list."""

    layer: Layer
    shape: tuple[int, ...]  # of its activation
    page: MapPage
    layout: Layout
    view: LayerView | None  # None until it is on screen
    is_folded: bool


@dataclass(frozen=True)
class Rail:
    """The lines beside the list that show which layer reads which."""

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
        """Return a lane's position in pixels."""
        return (lane + 0.5) * self.pitch


def is_large(network: Network) -> bool:
    return len(network.layers) > LARGE


def starts_folded(network: Network, layer: Layer) -> bool:
    """Return whether a layer is folded at first: in a large network, if it only reshapes or rescales."""
    return is_large(network) and layer.is_minor and layer is not network.layers[-1]


def find_page(shape: tuple[int, ...], number: int = 0) -> MapPage:
    """Return the page of a layer's maps that has the map of this number; the last page if there is no such map."""
    total, size = (as_maps_shape(shape)[2], _maps_on_page(shape)) if len(shape) > 1 else (prod(shape), UNITS)
    first = min(number, total - 1) // size * size
    return MapPage(first, min(size, total - first), total, size)


def _maps_on_page(shape: tuple[int, ...]) -> int:
    """Return how many maps a page has: fewer of large ones, so that the picture is not too large."""
    return max(1, min(MAPS, _PICTURE_PIXELS // (shape[0] * shape[1])))


def choose_ranges(
    network: Network, forward: ForwardPass, shown: Mapping[str, int] | None, selected: Mapping[str, int]
) -> list[MapRange]:
    """Choose the maps to draw.

    shown: the layers on screen, each with the number of the first map on its page. If it is None, or has only layers
    of another network, the first layers of the list are drawn. selected: a layer and a map to draw in any case.
    """
    names = {layer.name for layer in network.layers}
    here = {name: number for name, number in (shown or {}).items() if name in names}
    if shown is None or (shown and not here):
        unfolded = [layer.name for layer in network.layers if not starts_folded(network, layer)]
        here = dict.fromkeys(unfolded[:FIRST_LAYERS], 0) | dict(selected)
    wanted = dict(selected) | here
    ranges = [_range(forward, layer, wanted[layer.name]) for layer in network.layers if layer.name in wanted]
    return _fit_answer(forward, ranges, selected)


def _fit_answer(forward: ForwardPass, ranges: Sequence[MapRange], selected: Mapping[str, int]) -> list[MapRange]:
    """Leave layers out where all pictures would be too large for one answer; the page asks for them after it.

    One layer that is not selected is drawn in any case, so that all of them come in the end.
    """
    kept, pixels = [], 0
    for each in ranges:
        if each.layer.name not in selected:
            size = prod(forward.activations[each.layer.name].shape[:2]) if each.layer.is_spatial else 1
            more = size * (each.count or 0)
            if pixels and pixels + more > _ANSWER_PIXELS:
                continue
            pixels += more
        kept.append(each)
    return kept


def choose_compared(network: Network) -> tuple[Layer, ...]:
    """Choose the layers to compare: those that pooling can change.

    If these are too many, those that only reshape or rescale are left out, and then those in the middle.
    """
    layers = pooled_layers(network)
    if len(layers) > COMPARED:
        layers = tuple(layer for layer in layers if not starts_folded(network, layer))
    half = COMPARED // 2
    return layers if len(layers) <= COMPARED else (*layers[:half], *layers[-half:])


def list_drawn(exploration: Exploration, options: RenderOptions) -> list[LayerEntry]:
    """Return the entries of the layers that were drawn."""
    return [_entry(exploration, view.layer, view, options) for view in exploration.layers]


def list_all(exploration: Exploration, options: RenderOptions) -> Iterator[LayerEntry]:
    """Return an entry for each layer of the network."""
    views = {view.layer.name: view for view in exploration.layers}
    return (_entry(exploration, layer, views.get(layer.name), options) for layer in exploration.network.layers)


def draw_rail(network: Network) -> Rail | None:
    """Lay out the lines beside the list; None for a single layer, and for a graph with too many lanes."""
    rows = lay_lanes({layer.name: layer.inputs for layer in network.layers})
    lanes = count_lanes(rows)
    return Rail(rows, lanes) if len(rows) > 1 and lanes <= MAX_LANES else None


def _range(forward: ForwardPass, layer: Layer, number: int) -> MapRange:
    page = find_page(forward.activations[layer.name].shape, number)
    return MapRange(layer, page.first, page.count)


def _entry(exploration: Exploration, layer: Layer, view: LayerView | None, options: RenderOptions) -> LayerEntry:
    shape = exploration.forward.activations[layer.name].shape
    page = find_page(shape, view.grid.first if view else 0)
    height, width, _ = as_maps_shape(shape)
    layout = lay_out_grid(height, width, page.count, options.columns) if len(shape) > 1 else lay_out_strip(page.count)
    is_folded = view is None and starts_folded(exploration.network, layer)
    return LayerEntry(layer, shape, page, layout, view, is_folded)
