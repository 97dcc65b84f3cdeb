"""How exact the ledger of an answer is, and whether its gradients are TensorFlow's.

    python -m benchmarks.ledger --digits 40 --gradients 3 --others FOLDER

On test digits, for all classes, layers, pooling modes and built-in networks, and for the models in a folder, on test
digits or on random images:

1. how far what the cells, the biases and what is left over make is from the logit, of the logit itself and of the
   answer's largest, and how many of these sums miss 1e-5 of the logit;
2. the same with gradients in float64 (“g64”), and with the network itself run in float64, by Keras (“f64”): what
   is then still missing would be an error of the way back, and no rounding;
3. how far the sum with the part of rounding is from the logit, and how large that part is at most;
4. how far each layer's gradients are from those of GradientTape, of the layer's largest.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from app.cnn.ledger import Ledger, draw_up
from app.cnn.logits import Logits, find_logits
from app.cnn.tensorflow import TimeDistributed, layer_class, with_pooling
from app.cnn.types import Array, PoolingMode
from app.model_files.loading import load_model

from .attribution import MODELS, draw_images, open_network

Doubles = NDArray[np.float64]
LIMIT = 1e-5
MOST_CLASSES = 50
FILES = {".keras", ".h5", ".hdf5"}


class Sums(NamedTuple):
    """Errors of all sums of a network so far."""

    own: list[Doubles]  # of each sum, of the logit itself
    largest: list[Doubles]  # of the answer's largest logit

    @classmethod
    def empty(cls) -> "Sums":
        return cls([], [])

    def add(self, ledger: Ledger, top: float, *, rounding: bool = False) -> None:
        for entry in ledger.entries.values():
            errors = np.abs(entry.sum - (0 if rounding else entry.rounding_after) - ledger.numbers)
            self.own.append(errors / np.abs(ledger.numbers))
            self.largest.append(errors / top)

    def __str__(self) -> str:
        own, largest = np.concatenate(self.own), np.concatenate(self.largest)
        return f"{own.max():.1e} {largest.max():.1e} {(own > LIMIT).mean():7.3%}"


def main() -> None:
    """Measure everything, and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ledger", description=__doc__)
    parser.add_argument("--digits", type=int, default=40, help="images of each network")
    parser.add_argument("--gradients", type=int, default=3, help="of these, those on which gradients are compared")
    parser.add_argument("--others", type=Path, help="a folder of other people's models; without it, the built-in ones")
    options = parser.parse_args()
    print("Each three: error of the logit itself, of the largest logit, share of sums beyond 1e-5 of the logit itself")
    for path in sorted((options.others or MODELS).glob("*.*")):
        if path.suffix in FILES:
            print_exactness(path, options.digits, options.gradients)


def print_exactness(path: Path, count: int, compared: int) -> None:
    """Print how far the sums at all layers are from the logit, for each class and pooling mode."""
    network, twins = open_network(path), {}
    plain, exact_gradients, exact_network, closed = (Sums.empty() for _ in range(4))
    rounding, left_over, gradients = [], [], []
    for number, image in enumerate(draw_images(network, count)):
        for mode in PoolingMode if network.pools else (None,):
            logits = find_logits(network, network.run(image, mode))
            several = np.eye(logits.values.size)[:MOST_CLASSES]
            top = float(np.abs(logits.values).max())
            ledger = draw_up(network, logits, several.astype(np.float32))
            plain.add(ledger, top)
            closed.add(ledger, top, rounding=True)
            exact_gradients.add(draw_up(network, logits, several, lambda _: False), top)
            if mode not in twins:
                twins[mode] = Twin(path, logits, mode)
            double = twins[mode].run(logits, image)
            exact_network.add(draw_up(network, double, several), top)
            rounding += [np.abs(entry.rounding_after).max() / top for entry in ledger.entries.values()]
            left_over += [np.abs(entry.left_over_after).max() / top for entry in ledger.entries.values()]
            if number < compared:
                gradients += list(twins[mode].differences(image, draw_up(network, double, several), ledger))
    own, other = zip(*gradients, strict=True) if gradients else ((0.0,), (0.0,))
    print(
        f"{path.name}: {sum(map(len, plain.own)):,} sums\n  without rounding {plain}   g64 {exact_gradients}   "
        f"f64 {exact_network}\n  with it {closed}, the part itself at most {max(rounding):.1e} of the largest logit; "
        f"left over at most {max(left_over):.1e} of it\n  gradients of {len(gradients):,} layers: float64 "
        f"{max(own):.1e}, float32 {max(other):.1e} at most, {(np.array(other) > LIMIT).sum()} layers beyond 1e-5",
        flush=True,
    )


class Twin:
    """The network in Keras, up to its logits, in float64."""

    def __init__(self, path: Path, logits: Logits, mode: PoolingMode | None) -> None:
        definition = load_model(path).definition
        assert definition.build is not None
        model = with_pooling(definition.build(definition.weights), mode)
        double = keras.models.clone_model(model, clone_function=_in_double)
        double.set_weights(model.get_weights())
        for layer in double.layers:
            if isinstance(layer, keras.layers.Normalization):
                layer.finalize_state()
        last = double.get_layer(logits.layer.name)
        if logits.layer.activation == "linear" and hasattr(last, "activation"):
            last.activation = keras.activations.linear
        self.names = [layer.name for layer in logits.layers]
        outputs = [double.get_layer(name).output for name in self.names]
        self._model = keras.Model(double.inputs, outputs)

    def run(self, logits: Logits, image: Array) -> Logits:
        """Return the logits, and every layer's values, in float64."""
        made = [each.numpy()[0] for each in self._model([image[np.newaxis].astype(np.float64)])]
        activations: dict[str | None, Any] = {None: image, **dict(zip(self.names, made, strict=True))}
        return Logits(logits.layers, made[-1].ravel(), activations)

    def differences(self, image: Array, double: Ledger, single: Ledger) -> Iterator[tuple[float, float]]:
        """Return how far each layer's gradients of each logit are from GradientTape's, of the layer's largest.

        Those of the ledger over float64 values, and over the server's own.
        """
        start = tf.constant(image[np.newaxis].astype(np.float64))
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(start)
            made = self._model([start])
            numbers = [tf.reshape(made[-1], [-1])[at] for at in range(len(double.numbers))]
        for at, number in enumerate(numbers):
            expected = tape.gradient(number, [start, *made])
            for name, gradient in zip([None, *self.names], expected, strict=True):
                own, other = (ledger.entries[name].gradients for ledger in (double, single))
                if own is None or other is None or gradient is None:
                    continue
                reference = gradient.numpy()[0]
                size = np.abs(reference).max() or 1.0
                yield float(np.abs(own[at] - reference).max() / size), float(np.abs(other[at] - reference).max() / size)


def _in_double(layer: keras.layers.Layer) -> keras.layers.Layer:
    config = {**layer.get_config(), "dtype": "float64"}
    if isinstance(layer, TimeDistributed):
        return TimeDistributed(_in_double(layer.layer), name=layer.name, dtype="float64")
    return layer_class(type(layer).__name__).from_config(config)


if __name__ == "__main__":
    main()
