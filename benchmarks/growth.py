"""How the cost of a drawing grows with its canvas, and with the network's channels, layers and input size.

Each size is timed in its parts: reading the drawing, the forward pass, and the pictures of all layers. Small models are
built here; the rest is as it is for `digits`. `python -m benchmarks.growth` also draws growth.svg, of the parts' sum.
"""

from pathlib import Path

import keras
import numpy as np

from app.cnn.network import Network
from app.explore.exploration import RenderOptions, explore, see
from app.imaging.encoding import encode_image
from app.imaging.strokes import CANVAS_SIDE, PEN_WIDTH, SAMPLES, draw_strokes
from benchmarks.figures import Figure, Way, alternate, run_alone, summarise
from benchmarks.plot import draw_plots
from tests.small_models import guess, parts

ROUNDS, QUICK_ROUNDS = 30, 3
SIDE, CHANNELS, LAYERS = 28, 16, 4  # what stays as it is while one of them grows
CANVASES = (100, 280, 500, 1000, 1500, 2000)
GROWING_CHANNELS = (1, 8, 16, 32, 64, 128)
GROWING_LAYERS = (1, 4, 8, 16, 32)
SIDES = (28, 64, 128, 192, 256)
PLOTS = Path(__file__).with_name("growth.svg")

Parts = dict[str, Way]  # reading, forward pass, pictures


def measure(quick: bool = False) -> list[Figure]:
    """Milliseconds of each part, for each size. Draws growth.svg as well, unless quick."""
    series: list[tuple[str, str, dict[int, Parts]]] = [
        ("canvas", "pixels a side", {side: _parts(SIDE, CHANNELS, LAYERS, side) for side in CANVASES}),
        ("channels", "feature maps a layer", {n: _parts(SIDE, n, LAYERS) for n in GROWING_CHANNELS}),
        ("layers", "convolutions", {n: _parts(SIDE, CHANNELS, n) for n in GROWING_LAYERS}),
        ("input", "pixels a side", {n: _parts(n, CHANNELS, LAYERS) for n in SIDES}),
    ]
    figures: list[Figure] = []
    plots = []
    for name, unit, sizes in series:
        ways = {f"{size} {unit}: {part}": way for size, parts in sizes.items() for part, way in parts.items()}
        taken = alternate(ways, QUICK_ROUNDS if quick else ROUNDS)
        found = {way: summarise(f"{name}: {way}", times) for way, times in taken.items()}
        figures += found.values()
        sums = [(float(n), sum(found[f"{n} {unit}: {part}"].value for part in parts)) for n, parts in sizes.items()]
        plots.append((name, unit, "ms", sums))
    if not quick:
        PLOTS.write_text(draw_plots(plots), encoding="utf-8")
    return figures


def build(side: int, channels: int, layers: int) -> Network:
    """So many 3×3 convolutions of so many channels, that keep the size of a grey image."""
    convolutions = (keras.layers.Conv2D(channels, 3, padding="same", activation="relu") for _ in range(layers))
    rest = (keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(10, activation="softmax"))
    model = keras.Sequential([keras.Input((side, side, 1)), *convolutions, *rest])
    return Network("growing", parts(model), guess(model))


def _parts(side: int, channels: int, layers: int, canvas: int = CANVAS_SIDE) -> Parts:
    network = build(side, channels, layers)
    scale = canvas / CANVAS_SIDE
    strokes = [[(x * scale, y * scale) for x, y in stroke] for stroke in SAMPLES["7"]]
    drawing = encode_image(draw_strokes(strokes, canvas, PEN_WIDTH * scale))
    image = np.random.default_rng(0).random((side, side, 1), dtype=np.float32)
    forward = network.run(image)
    return {
        "reading": lambda: see(drawing, network.card),
        "forward pass": lambda: network.run(image),
        "pictures": lambda: explore(network, forward, RenderOptions()),
    }


if __name__ == "__main__":
    run_alone("growth", measure, __doc__)
