"""One forward pass by four engines, and the time to make a network ready.

`python -m benchmarks.forward_pass [FILES ...]` measures the app's own digits model, a MobileNet for images of 224×224
with random weights, and the model files that are named. The engines take turns in one process, so that a slow minute
slows all. Each activation is compared with Keras' own.
"""

import argparse
import gc
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from app.cnn.definition import ModelDefinition
from app.cnn.litert.builder import GraphBuilder
from app.cnn.litert.engine import Interpreters, LiteEngine
from app.cnn.network import make_engine
from app.cnn.tensorflow import TensorFlowEngine
from app.model_files.loading import load_model
from app.settings import resource
from benchmarks.figures import Operation, milliseconds
from tests.small_models import parts

ROUNDS, SECONDS = 200, 4.0  # whichever ends first


def medians(operations: dict[str, Operation]) -> dict[str, float]:
    """Return the median milliseconds of each operation. They take turns."""
    times: dict[str, list[float]] = {name: [] for name in operations}
    for operation in operations.values():
        operation()
    end = time.perf_counter() + SECONDS
    while len(times["model(x)"]) < ROUNDS and time.perf_counter() < end:
        for name, operation in operations.items():
            times[name].append(milliseconds(operation))
    return {name: statistics.median(samples) for name, samples in times.items()}


def largest_difference(found: list[Any], expected: list[Any]) -> float:
    """Return the largest difference in multiples of the tolerance, 1e-4 absolute and relative."""
    return max(
        float((np.abs(one - other) / (1e-4 + 1e-4 * np.abs(other))).max())
        for one, other in zip(found, expected, strict=True)
    )


def measure(name: str, apart: ModelDefinition) -> None:
    """Print the figures of one model."""
    assert apart.build is not None
    model, layers = apart.build(apart.weights), apart.layers
    shape = tuple(size or 224 for size in apart.input_shape)
    image = np.random.default_rng(0).random(shape, dtype=np.float32)
    ready = milliseconds(lambda: make_engine(apart))
    traced = milliseconds(lambda: TensorFlowEngine(apart))
    engine, plain = make_engine(apart), TensorFlowEngine(apart)
    kind = type(engine).__name__
    print(f"\n{name}: {len(layers)} layers, {model.count_params():,} parameters, by {kind}")
    print(f"  ready in {ready:.0f} ms, a TensorFlow function in {traced:.0f} ms")
    every = [model.get_layer(layer.name).output for layer in layers]
    expected = keras.Model(model.inputs[0], every)(image[np.newaxis], training=False)
    difference = largest_difference(engine.run(image, None), [np.asarray(each)[0] for each in expected])
    print(f"  largest difference to Keras: {difference:.3f} of what is allowed")
    answer = tf.function(lambda batch: model(batch, training=False)).get_concrete_function(
        tf.TensorSpec((1, *shape), tf.float32)
    )
    operations: dict[str, Operation] = {
        "model.predict": lambda: model.predict(image[np.newaxis], verbose=0),
        "model(x)": lambda: model(image[np.newaxis], training=False),
        "function, the answer only": lambda: answer(tf.constant(image[np.newaxis])).numpy(),
        "function, every activation": lambda: plain.run(image, None),
        "engine, every activation": lambda: engine.run(image, None),
    }
    if isinstance(engine, LiteEngine):
        bare = answer_only(apart, shape)
        operations["engine, the answer only"] = lambda: bare.run(image)
    times = medians(operations)
    for name, median in times.items():
        ratio = median / times["engine, every activation"]
        print(f"  {name:28} {median:8.2f} ms  {ratio:6.1f} of the engine")
    for threads in (1, 2, 4):
        print(f"  {threads} threads: {throughput(lambda: engine.run(image, None), threads):8.1f} passes a second")


def answer_only(apart: ModelDefinition, shape: tuple[int, ...]) -> Interpreters:
    """Return the same graph with its last layer's output alone."""
    graph = GraphBuilder(shape)
    made: dict[str, Any] = {}
    for layer in apart.layers:
        inputs = [made[name] for name in layer.inputs] or [graph.image]
        made[layer.name] = layer.write(graph, apart.weights[layer.name], inputs)
    return Interpreters(graph, [made[apart.layers[-1].name]])


def throughput(operation: Operation, threads: int) -> float:
    """Return the passes a second of this many threads together."""
    end = time.perf_counter() + SECONDS / 4

    def work(_: int) -> int:
        count = 0
        while time.perf_counter() < end:
            operation()
            count += 1
        return count

    start = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        done = sum(pool.map(work, range(threads)))
    return done / (time.perf_counter() - start)


def memory_left(apart: ModelDefinition, make: Callable[[], Any], count: int) -> float:
    """Return the MB that the process grows by while engines are made, run and dropped, after a warm-up of ten."""
    memory = Path("/proc/self/statm")
    image = np.zeros([size or 224 for size in apart.input_shape], np.float32)

    def drop(times: int) -> float:
        for _ in range(times):
            make().run(image, None)
        gc.collect()
        return int(memory.read_text().split()[1]) * 4096 / 1e6

    before = drop(10)
    return drop(count) - before


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="*", help=".keras, .h5 or .hdf5")
    files: list[Path] = parser.parse_args().files
    digits = load_model(resource("models") / "digits.keras").definition
    measure("digits", digits)
    measure("MobileNet, 224×224", parts(keras.applications.MobileNet(weights=None)))
    for path in files:
        measure(path.name, load_model(path).definition)
    lite = memory_left(digits, lambda: LiteEngine(digits), 50)
    print(f"\n50 engines of digits made and dropped: {lite:+.1f} MB by LiteRT", flush=True)
    print(f"20 by TensorFlow: {memory_left(digits, lambda: TensorFlowEngine(digits), 20):+.1f} MB")


if __name__ == "__main__":
    main()
