"""`python -m benchmarks.large_network`: a drawing through MobileNet, as the explorer's page requests it.

The POST of a new drawing, and of one that was just answered, as when a layer scrolls into view, against the bare
forward pass: a graph function of the last output alone. The server runs in a process of its own, the bare passes in
this one, in turn.
"""

import json
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from app.cnn.card import Card, read_card, write_card
from app.cnn.network import Network
from app.cnn.types import PoolingMode
from app.explore.forward_passes import preprocess
from app.imaging.drawing import SAMPLES, draw_strokes
from app.imaging.encoding import encode_image
from benchmarks.figures import milliseconds
from benchmarks.http_client import PAGE, Client, post, request
from benchmarks.serving import Server
from tests.small_models import parts

ROUNDS, WARM_UP = 40, 5
LISTED = re.compile(rb' data-listed="([^"]*)"')
FIRST_SCREEN = ["conv1", "conv_dw_1", "conv_pw_1", "conv_dw_2", "conv_pw_2"]
FURTHER_DOWN = ["conv_dw_3", "conv_pw_3"]


def save_mobilenet(folder: Path) -> keras.Model:
    """Save a MobileNet for 1,000 classes with random weights, and a card for it."""
    keras.utils.set_random_seed(0)
    model = keras.applications.MobileNet(weights=None, classes=1000)
    card = Card(
        title="MobileNet",
        description="Random weights.",
        trained_on="Nothing.",
        training="None.",
        classes=[str(number) for number in range(1000)],
        input_shape=(224, 224, 3),
        value_range=(-1, 1),
        pooling=PoolingMode.AVERAGE,
        parameters=model.count_params(),
        test_accuracy=None,
    )
    model.save(folder / "mobilenet.keras")
    write_card(card, folder / "mobilenet.json")
    return model


def drawings() -> Iterator[bytes]:
    """Yield pictures of a digit, each shifted differently."""
    step = 0
    while True:
        step += 1
        moved = [[(x + step % 40 - 20, y + step // 40) for x, y in stroke] for stroke in SAMPLES["7"]]
        yield encode_image(draw_strokes(moved))


def compile_bare(model: keras.Model) -> Callable[[Any], Any]:
    """Compile the forward pass to the last output alone."""
    signature = [tf.TensorSpec((1, 224, 224, 3), tf.float32)]
    forward = tf.function(lambda image: model(image, training=False), input_signature=signature)
    graph = forward.get_concrete_function()

    def run(image: Any) -> Any:
        return graph(image).numpy()

    return run


def make_network(model: keras.Model, folder: Path) -> Network:
    """Return the server's network, in this process."""
    return Network("mobilenet", parts(model), read_card(folder / "mobilenet.json"))


def measure(rounds: int = ROUNDS) -> dict[str, float]:
    """Return median milliseconds, their ratios to the bare forward pass, and the kilobytes of an answer."""
    with tempfile.TemporaryDirectory() as name:
        model = save_mobilenet(Path(name))
        with Server(built_in_models=name) as server, Client(server.port) as client:
            bare, network = compile_bare(model), make_network(model, Path(name))
            pictures, size = drawings(), 0
            listed = LISTED.search(client.send(request("GET", "/")).body)
            assert listed

            def send(drawing: bytes, layers: list[str]) -> None:
                nonlocal size
                fields = [("model", "mobilenet"), ("card_of", "mobilenet"), ("listed", listed[1].decode())]
                fields.append(("shown", json.dumps(dict.fromkeys(layers, 0))))
                answer = client.send(post(PAGE, drawing, fields))
                assert answer.status == 200
                size = len(answer.body)

            taken: dict[str, list[float]] = {"bare": [], "network": [], "post": [], "again": []}
            for _ in range(rounds + WARM_UP):
                drawing = next(pictures)
                image = preprocess(drawing, network.card)
                taken["bare"].append(_time(bare, tf.constant(image[np.newaxis])))
                taken["network"].append(_time(network.run, image))
                taken["post"].append(_time(send, drawing, FIRST_SCREEN))
                first_screen = size
                taken["again"].append(_time(send, drawing, FURTHER_DOWN))
    times = {name: statistics.median(each[WARM_UP:]) for name, each in taken.items()}
    ratios = {
        f"{name} / bare": statistics.median(
            a / b for a, b in zip(taken[name][WARM_UP:], taken["bare"][WARM_UP:], strict=True)
        )
        for name in ("network", "post", "again")
    }
    return times | ratios | {"kilobytes": first_screen / 1000}


def _time(run: Callable[..., object], *arguments: object) -> float:
    time.sleep(0.02)  # the previous engine's threads spin for a while
    return milliseconds(lambda: run(*arguments))


def main() -> None:
    """Print the figures."""
    figures = measure()
    print(f"bare forward pass, last output        {figures['bare']:7.1f} ms")
    print(f"forward pass, every layer kept        {figures['network']:7.1f} ms  {figures['network / bare']:5.2f} x")
    print(f"POST, five layers on screen           {figures['post']:7.1f} ms  {figures['post / bare']:5.2f} x")
    print(f"POST, same drawing, two more layers   {figures['again']:7.1f} ms  {figures['again / bare']:5.2f} x")
    print(f"size of the first answer              {figures['kilobytes']:7.0f} kB")


if __name__ == "__main__":
    main()
