"""A whole request to Layerglass, against the usual alternatives for the same layers.

Keras' own recipe (F. Chollet, Deep Learning with Python, "Visualizing intermediate activations"): a model of all
outputs, `predict`, and one matplotlib figure a layer, here saved as PNG. tf-explain's ExtractActivations: a model of
one layer's output, `predict`, a grey grid, saved by OpenCV. Both are given the normalised image and, if they can keep
one, a model that is already built; Layerglass is given the drawing, over HTTP. All three alternate.
"""

import importlib.metadata
import io
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from app.explore.forward_passes import preprocess
from app.settings import resource
from benchmarks.computation import MODEL, open_network
from benchmarks.drawings import make_drawings
from benchmarks.figures import Figure, alternate, ratio, run_alone, summarise
from benchmarks.http_client import Client, post
from benchmarks.one_drawing import API
from benchmarks.serving import Server

ROUNDS, QUICK_ROUNDS = 20, 2
TF_EXPLAIN = Path(sys.prefix) / "tf-explain"  # where `make bench` puts it
COLUMNS = 16  # maps in a row of the recipe's grid, as in the book


def measure(quick: bool = False) -> list[Figure]:
    """Return the milliseconds of each, and the ratios to the request."""
    rounds = QUICK_ROUNDS if quick else ROUNDS
    network, model = open_network(), keras.models.load_model(resource("models") / f"{MODEL}.keras")
    names = [layer.name for layer in network.feature_map_layers]
    drawings = iter(make_drawings(2 * rounds))
    image = preprocess(make_drawings(1)[0], network.card)[np.newaxis]
    # The connection is kept while the others take their time, as a script keeps one.
    with (
        Server(keep_alive_seconds=600) as server,
        Client(server.port) as client,
        tempfile.TemporaryDirectory() as folder,
    ):
        operations: dict[str, Callable[[], object]] = {
            "layerglass": lambda: _send(client, post(API, next(drawings))),
            "keras + matplotlib": make_keras_recipe(model, names, image),
        }
        try:
            operations["tf-explain"] = make_tf_explain(model, names, image, Path(folder))
            operations["tf-explain"]()
        except Exception as error:
            operations.pop("tf-explain", None)
            print(f"tf-explain does not run here and was not measured: {type(error).__name__}: {error}")
        times = alternate(operations, rounds)
    ours = times.pop("layerglass")
    figures = [summarise("layerglass, the whole request", ours, note=f"{len(names)} layers")]
    for name, theirs in times.items():
        figures += [summarise(name, theirs, note=version_of(name)), ratio(f"{name} / layerglass", theirs, ours)]
    return figures


def _send(client: Client, request: bytes) -> None:
    if client.send(request).status != 200:
        raise RuntimeError("The server did not answer the drawing.")


def version_of(name: str) -> str:
    parts = name.split(" + ")
    return ", ".join(f"{part} {importlib.metadata.version(part)}" for part in parts)


def make_keras_recipe(model: Any, names: list[str], image: Any) -> Callable[[], list[bytes]]:
    """Return the book's recipe. The model of all outputs is built once."""
    import matplotlib

    matplotlib.use("Agg")
    activation_model = keras.Model(model.inputs, [model.get_layer(name).output for name in names])

    def run() -> list[bytes]:
        return [_draw(maps[0]) for maps in activation_model.predict(image, verbose=0)]

    return run


def _draw(maps: Any) -> bytes:
    """Draw a layer, (height, width, channels), as the book does."""
    from matplotlib import pyplot

    height, width, channels = maps.shape
    columns = min(COLUMNS, channels)
    rows = -(-channels // columns)
    grid = np.zeros(((height + 1) * rows - 1, (width + 1) * columns - 1), np.uint8)
    for channel in range(channels):
        row, column = divmod(channel, columns)
        one = maps[..., channel].copy()
        if one.sum() != 0:
            one = (one - one.mean()) / (one.std() or 1) * 64 + 128
        top, left = (height + 1) * row, (width + 1) * column
        grid[top : top + height, left : left + width] = np.clip(one, 0, 255).astype(np.uint8)
    figure = pyplot.figure(figsize=(grid.shape[1] / width, grid.shape[0] / height))
    pyplot.grid(False)
    pyplot.axis("off")
    pyplot.imshow(grid, aspect="auto", cmap="viridis")
    file = io.BytesIO()
    figure.savefig(file, format="png")
    pyplot.close(figure)
    return file.getvalue()


def make_tf_explain(model: Any, names: list[str], image: Any, folder: Path) -> Callable[[], None]:
    """Return tf-explain as its documentation uses it: one layer a grid, and a new model at every call."""
    # In a folder of its own, because it brings a package named tests.
    sys.path.append(str(TF_EXPLAIN))
    from tf_explain.core.activations import ExtractActivations

    explainer = ExtractActivations()

    def run() -> None:
        keras.utils.disable_interactive_logging()  # no progress bars
        for name in names:
            grid = explainer.explain((image, None), model, [name])
            explainer.save(grid, str(folder), f"{name}.png")

    return run


if __name__ == "__main__":
    run_alone("today", measure, __doc__)
