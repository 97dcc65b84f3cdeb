"""The cost of a drawing against the size of its canvas and the network's channels, layers and input.

Each size is timed in three steps: reading the drawing, the forward pass, and the pictures of all layers. The models are
built here. `python -m benchmarks.growth` also plots the steps' sum in growth.svg.
"""

from pathlib import Path

import keras
import numpy as np

from app.cnn.network import Network
from app.explore.exploration import RenderOptions, explore
from app.explore.forward_passes import preprocess
from app.imaging.drawing import CANVAS_SIDE, PEN_WIDTH, SAMPLES, draw_strokes
from app.imaging.encoding import encode_image
from benchmarks.figures import Figure, Operation, alternate, run_alone, summarise
from benchmarks.plot import draw_plots
from tests.small_models import guess, parts

ROUNDS, QUICK_ROUNDS = 30, 3
SIDE, CHANNELS, LAYERS = 28, 16, 4  # of the network while another dimension grows
CANVASES = (100, 280, 500, 1000, 1500, 2000)
GROWING_CHANNELS = (1, 8, 16, 32, 64, 128)
GROWING_LAYERS = (1, 4, 8, 16, 32)
SIDES = (28, 64, 128, 192, 256)
PLOTS = Path(__file__).with_name("growth.svg")

Steps = dict[str, Operation]  # reading, forward pass, pictures


def measure(quick: bool = False) -> list[Figure]:
    """Return the milliseconds of each step for each size. Plots growth.svg unless quick."""
    series: list[tuple[str, str, dict[int, Steps]]] = [
        ("canvas", "pixels a side", {side: _steps(SIDE, CHANNELS, LAYERS, side) for side in CANVASES}),
        ("channels", "feature maps a layer", {n: _steps(SIDE, n, LAYERS) for n in GROWING_CHANNELS}),
        ("layers", "convolutions", {n: _steps(SIDE, CHANNELS, n) for n in GROWING_LAYERS}),
        ("input", "pixels a side", {n: _steps(n, CHANNELS, LAYERS) for n in SIDES}),
    ]
    figures: list[Figure] = []
    plots = []
    for name, unit, sizes in series:
        operations = {
            f"{n} {unit}: {step}": operation for n, steps in sizes.items() for step, operation in steps.items()
        }
        times = alternate(operations, QUICK_ROUNDS if quick else ROUNDS)
        found = {label: summarise(f"{name}: {label}", samples) for label, samples in times.items()}
        figures += found.values()
        sums = [(float(n), sum(found[f"{n} {unit}: {step}"].value for step in steps)) for n, steps in sizes.items()]
        plots.append((name, unit, "ms", sums))
    if not quick:
        PLOTS.write_text(draw_plots(plots), encoding="utf-8")
    return figures


def build(side: int, channels: int, layers: int) -> Network:
    """Build a network of 3×3 convolutions that keep the size of a grey image."""
    convolutions = (keras.layers.Conv2D(channels, 3, padding="same", activation="relu") for _ in range(layers))
    rest = (keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(10, activation="softmax"))
    model = keras.Sequential([keras.Input((side, side, 1)), *convolutions, *rest])
    return Network("growing", parts(model), guess(model))


def _steps(side: int, channels: int, layers: int, canvas: int = CANVAS_SIDE) -> Steps:
    network = build(side, channels, layers)
    scale = canvas / CANVAS_SIDE
    strokes = [[(x * scale, y * scale) for x, y in stroke] for stroke in SAMPLES["7"]]
    drawing = encode_image(draw_strokes(strokes, canvas, PEN_WIDTH * scale))
    image = np.random.default_rng(0).random((side, side, 1), dtype=np.float32)
    forward = network.run(image)
    return {
        "reading": lambda: preprocess(drawing, network.card),
        "forward pass": lambda: network.run(image),
        "pictures": lambda: explore(network, forward, RenderOptions()),
    }


if __name__ == "__main__":
    run_alone("growth", measure, __doc__)
