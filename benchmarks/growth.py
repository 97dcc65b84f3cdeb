"""How the cost of a drawing grows with its canvas, and with the network's channels, layers and input size.

Small models are built here; the rest is as it is for `digits`. `python -m benchmarks.growth` also draws growth.svg.
"""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from app.cnn.network import Network
from app.explorer import Look, explore, see
from app.imaging.png import encode_image
from app.imaging.samples import SAMPLES
from app.imaging.strokes import CANVAS_SIDE, PEN_WIDTH, draw_strokes
from benchmarks.figures import Figure, alternate, run_alone, summarise
from benchmarks.plot import draw_plots
from tests.small_models import guess, parts

ROUNDS, QUICK_ROUNDS = 30, 3
SIDE, CHANNELS, LAYERS = 28, 16, 4  # what stays as it is while one of them grows
CANVASES = (100, 280, 500, 1000, 1500, 2000)
GROWING_CHANNELS = (1, 8, 16, 32, 64, 128)
GROWING_LAYERS = (1, 4, 8, 16, 32)
SIDES = (28, 64, 128, 192, 256)
PLOTS = Path(__file__).with_name("growth.svg")

Ways = dict[int, Callable[[], object]]


def measure(quick: bool = False) -> list[Figure]:
    """Milliseconds from a drawing to all pictures, for each size. Draws growth.svg as well, unless quick."""
    series: list[tuple[str, str, Ways]] = [
        ("canvas", "pixels a side", {side: _draw_on(side) for side in CANVASES}),
        ("channels", "feature maps a layer", {n: _run(SIDE, n, LAYERS) for n in GROWING_CHANNELS}),
        ("layers", "convolutions", {n: _run(SIDE, CHANNELS, n) for n in GROWING_LAYERS}),
        ("input", "pixels a side", {n: _run(n, CHANNELS, LAYERS) for n in SIDES}),
    ]
    figures, plots = [], []
    for name, unit, ways in series:
        taken = alternate({str(size): way for size, way in ways.items()}, QUICK_ROUNDS if quick else ROUNDS)
        found = [summarise(f"{name}: {size} {unit}", times) for size, times in taken.items()]
        figures += found
        plots.append((name, unit, "ms", [(float(size), each.value) for size, each in zip(taken, found, strict=True)]))
    if not quick:
        PLOTS.write_text(draw_plots(plots), encoding="utf-8")
    return figures


def build(side: int, channels: int, layers: int) -> Network:
    """So many 3×3 convolutions of so many channels, that keep the size of a grey image."""
    convolutions = (keras.layers.Conv2D(channels, 3, padding="same", activation="relu") for _ in range(layers))
    rest = (keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(10, activation="softmax"))
    model = keras.Sequential([keras.Input((side, side, 1)), *convolutions, *rest])
    return Network("growing", parts(model), guess(model))


def _run(side: int, channels: int, layers: int) -> Callable[[], object]:
    network = build(side, channels, layers)
    image = np.random.default_rng(0).random((side, side, 1), dtype=np.float32)
    return lambda: explore(network, network.run(image), Look())


def _draw_on(side: int) -> Callable[[], object]:
    network = build(SIDE, CHANNELS, LAYERS)
    scale = side / CANVAS_SIDE
    strokes = [[(x * scale, y * scale) for x, y in stroke] for stroke in SAMPLES["7"]]
    drawing = encode_image(draw_strokes(strokes, side, PEN_WIDTH * scale))
    return lambda: explore(network, network.run(see(drawing, network.card)), Look())


if __name__ == "__main__":
    run_alone("growth", measure, __doc__)
