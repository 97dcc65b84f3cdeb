"""A network's whole answer to one image as a single picture: the input and every layer, one below the other."""

from collections.abc import Iterator, Sequence

from ..cnn.kinds import Layer
from ..cnn.network import ForwardPass, Network
from ..imaging.grid import Grid
from ..imaging.sheet import Item, draw_sheet, measure_sheet
from .exploration import FEWER_LAYERS, MapRange, RenderOptions, draw_image, explore, lay_out, require_pixels
from .prediction import Prediction

_STRIP_HEIGHT = 8  # pixels at least of a row of a vector's units: one pixel would hardly be seen
# The font has no multiplication sign, so a shape is written 28x28.


def draw_network(
    network: Network,
    forward: ForwardPass,
    options: RenderOptions,
    most_pixels: int,
    layers: Sequence[Layer] | None = None,
    zoom: int = 1,
) -> Iterator[bytes]:
    """Draw the input and these layers, by default all, as one PNG on white, each with its name, shape and scale.

    zoom: pixels a cell. Returns: the file in parts, made one after the other. Raises: TooManyPixels.
    """
    ranges = [MapRange(layer) for layer in (network.layers if layers is None else layers)]
    items = [_measure(forward, each, options, zoom) for each in ranges]
    has_image = not network.card.takes_numbers
    height, width = forward.image.shape[:2]
    if has_image:
        items.insert(0, Item(f"input · {height}x{width}", width * zoom, height * zoom))
    sheet_width, sheet_height = measure_sheet(items)
    advice = f"{FEWER_LAYERS} Or ask for fewer pixels a cell, with zoom=." if zoom > 1 else FEWER_LAYERS
    require_pixels(sheet_width * sheet_height, most_pixels, advice)
    exploration = explore(network, forward, options, ranges, most_pixels)
    pngs = [None, *([draw_image(forward.image, network.card)] if has_image else [])]
    items.insert(0, Item(_say_answer(network, forward, exploration.prediction)))
    drawn = zip(items[len(pngs) :], exploration.layers, strict=True)
    named = [Item(f"{item.label} · {_say_scale(view.grid)}", item.width, item.height) for item, view in drawn]
    return draw_sheet([*items[: len(pngs)], *named], [*pngs, *(view.grid.png for view in exploration.layers)])


def _measure(forward: ForwardPass, maps: MapRange, options: RenderOptions, zoom: int) -> Item:
    layout, name = lay_out(forward, maps, options), maps.layer.name
    shape = forward.activations[name].shape
    row = zoom if len(shape) > 1 else max(zoom, _STRIP_HEIGHT)
    return Item(f"{name} · {'x'.join(map(str, shape))}", layout.width * zoom, layout.height * row)


def _say_answer(network: Network, forward: ForwardPass, prediction: Prediction | None) -> str:
    pooling = f" · {forward.pooling} pooling" if forward.pooling else ""
    return f"{network.name}{pooling}{f' · answer: {prediction.label}' if prediction else ''}"


def _say_scale(grid: Grid) -> str:
    return "each map by itself" if grid.low is None else f"{grid.low:.4g} to {grid.high:.4g}"
