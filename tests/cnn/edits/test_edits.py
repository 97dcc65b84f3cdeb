"""Edits of a network, against Keras with the same weights, and the text that they are written in."""

import re
from collections.abc import Callable

import keras
import numpy as np
import pytest
from keras import layers

from app.cnn.edits import MOST_CHARACTERS, MOST_EDITS, Edits
from app.cnn.errors import InvalidEdit, NoArithmetic
from app.cnn.ledger import draw_up
from app.cnn.logits import find_logits
from app.cnn.network import Network
from app.cnn.tensorflow import TensorFlowEngine, with_pooling
from app.cnn.types import PoolingMode
from tests.keras_layers import define
from tests.small_models import build_digits, card, with_random_weights

Change = Callable[[keras.Model], None]
Cells = dict[str, dict[tuple[int, ...], float]]  # values by the cell's place, row first, by layer

KERNEL = [1, 0, -1, 2, 0, -2, 1, 0, -1]


def change(layer: str, edit: Callable[[list[np.ndarray]], None]) -> Change:
    """Return what sets a layer's weights in Keras."""

    def make(model: keras.Model) -> None:
        weights = [np.array(each) for each in model.get_layer(layer).get_weights()]
        edit(weights)
        model.get_layer(layer).set_weights(weights)

    return make


def zero(maps: list[int]) -> Callable[[list[np.ndarray]], None]:
    def make(weights: list[np.ndarray]) -> None:
        for each in weights:
            each[..., maps] = 0

    return make


def put(which: int, place: tuple[int | slice, ...], value: object) -> Callable[[list[np.ndarray]], None]:
    def make(weights: list[np.ndarray]) -> None:
        weights[which][place] = value

    return make


_ALL = slice(None)
EDITS = {
    "mute:conv1.3": change("conv1", zero([3])),
    "mute:conv1": change("conv1", zero([0, 1, 2, 3])),
    "solo:conv2.5;solo:conv2.7": change("conv2", zero([n for n in range(20) if n not in (5, 7)])),
    "bias:conv1.2=-0.25": change("conv1", put(1, (2,), -0.25)),
    "kernel:conv2.1.3=" + ",".join(map(str, range(15))): change(
        "conv2", put(0, (_ALL, _ALL, 3, 1), np.arange(15).reshape(3, 5))
    ),
    "weight:conv1.kernel.0.2.0.1=1e-1": change("conv1", put(0, (0, 2, 0, 1), 0.1)),
}


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return np.random.default_rng(3).random((28, 28, 1), dtype=np.float32)


@pytest.mark.parametrize("text", EDITS)
def test_an_edit_is_that_of_the_same_weights_in_keras(text: str, image: np.ndarray) -> None:
    model, edited = build_digits(), build_digits()
    EDITS[text](edited)
    network = Network("small", define(model), card(model)).edited(Edits.parse(text))
    for mode in (None, PoolingMode.MIN):
        expected = (edited if mode is None else with_pooling(edited, mode))(image[np.newaxis]).numpy()[0]
        np.testing.assert_allclose(network.run(image, mode).output, expected, atol=1e-4)


@pytest.mark.parametrize("runs", ["litert", "tensorflow"])
def test_one_layer_pools_in_its_own_mode_whatever_the_network_does(runs: str, image: np.ndarray) -> None:
    model = build_digits()
    first = next(layer.name for layer in define(model).layers if layer.is_pooling)
    edits = Edits.parse(f"pooling:{first}=min")
    definition = define(model)
    engine = TensorFlowEngine(definition).edited(edits) if runs == "tensorflow" else None
    network = Network("small", definition, card(model)).edited(edits)
    for mode in (None, *PoolingMode):
        expected = with_pooling(model, mode, {first: PoolingMode.MIN})(image[np.newaxis]).numpy()[0]
        found = engine.run(image, mode)[-1] if engine else network.run(image, mode).output
        np.testing.assert_allclose(found, expected, atol=1e-4)


def in_keras(model: keras.Model, image: np.ndarray, cells: Cells) -> np.ndarray:
    """Run a chain of layers one by one, and set cells between them."""
    made = image[np.newaxis]
    for layer in model.layers:
        made = np.array(layer(made))
        for place, value in cells.get(layer.name, {}).items():
            made[0, *place] = value
    answer: np.ndarray = made[0]
    return answer


@pytest.mark.parametrize("runs", ["litert", "tensorflow"])
def test_cells_are_set_and_everything_after_them_follows(runs: str, image: np.ndarray) -> None:
    model = build_digits()
    cells: Cells = {"conv1": {(3, 4, 2): 2.5, (25, 0, 0): -1}, "pool2": {(0, 1, 7): 3}, "answer": {(3,): 0.5}}
    edits = Edits.parse("cell:conv1.2.3.4=2.5;cell:conv1.0.25.0=-1;cell:pool2.7.0.1=3;cell:answer.3=0.5")
    definition = define(model)
    if runs == "tensorflow":
        made = TensorFlowEngine(definition).edited(edits).run(image, None)
        outputs = dict(zip((layer.name for layer in definition.layers), made, strict=True))
    else:
        outputs = Network("small", definition, card(model)).edited(edits).run(image).activations
    assert outputs["conv1"][3, 4, 2] == 2.5 and outputs["pool2"][0, 1, 7] == 3
    np.testing.assert_allclose(outputs["answer"], in_keras(model, image, cells), atol=1e-4)


def test_a_cell_that_is_set_has_no_arithmetic_and_the_ledger_adds_up(image: np.ndarray) -> None:
    model = build_digits()
    network = Network("small", define(model), card(model)).edited(
        Edits.parse("cell:conv1.2.3.4=2.5;cell:pool1.1.2.3=9")
    )
    forward = network.run(image)
    layer = network.layer("conv1")
    with pytest.raises(NoArithmetic, match="was set by hand"):
        layer.explain(network.weights(layer), [image], forward.activations["conv1"], (3, 4, 2))
    logits = find_logits(network, forward)
    ledger = draw_up(network, logits, np.eye(10)[:3])
    for entry in ledger.entries.values():
        np.testing.assert_allclose(entry.sum, ledger.numbers, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("layer", "number", "channel", "place"),
    [
        (layers.Conv2D(4, 3, groups=2, name="edited"), 3, 2, (_ALL, _ALL, 0, 3)),
        (layers.DepthwiseConv2D(3, depth_multiplier=2, name="edited"), 3, 1, (_ALL, _ALL, 1, 1)),
        (layers.Conv2DTranspose(4, 3, name="edited"), 3, 2, (_ALL, _ALL, 3, 2)),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_kernel_stands_where_keras_has_it(
    layer: layers.Layer, number: int, channel: int, place: tuple[int | slice, ...]
) -> None:
    model = with_random_weights(keras.Sequential([keras.Input((9, 8, 4)), layer]))
    network = Network("small", define(model), card(model))
    edited = network.edited(Edits.parse(f"kernel:edited.{number}.{channel}={','.join(map(str, KERNEL))}"))
    change("edited", put(0, place, np.reshape(KERNEL, (3, 3))))(model)
    image = np.random.default_rng(3).normal(size=(9, 8, 4)).astype(np.float32)
    np.testing.assert_allclose(edited.run(image).output, model(image[np.newaxis]).numpy()[0], atol=1e-4)


def test_text_and_edits_are_the_same() -> None:
    text = "mute:conv1.3;solo:a%2Eb.0;pooling:pool1=min;bias:conv2.5=0.1;kernel:c.0.1=1,-2,0.5;weight:d.gamma.3=1e-20"
    assert str(Edits.parse(text)) == text
    assert str(Edits.parse(" bias:conv1.1=1.0 ;; bias:conv1.1=+2 ")) == "bias:conv1.1=2"  # the later one counts
    assert not Edits.parse("")


def test_edits_are_told_in_words() -> None:
    network = define(build_digits())
    edits = Edits.parse("mute:conv1.3;solo:conv2.1;bias:conv1.0=0.25")
    assert edits.describe(network.layers) == [
        "conv1 map 3 muted",
        "conv2 map 1 alone",
        "conv1 map 0 has the bias 0.25",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nonsense", "“nonsense” is no edit. Each begins with one of cell, mute, "),
        ("mute:", "is no edit"),
        ("mute:conv1.x", "is written mute:LAYER.MAP"),
        ("mute:conv1.-1", "is written mute:LAYER.MAP"),
        ("mute:conv1.999", "“conv1” has no map 999. It has maps 0 to "),
        ("mute:nowhere.1", "There is no layer “nowhere” here. There is: conv1"),
        ("bias:conv1.1=nan", "“nan” is no number."),
        ("bias:conv1.1=1e39", "is more than a float32 holds"),
        ("bias:conv1.1", "is written bias:LAYER.MAP=NUMBER"),
        ("kernel:conv1.1.0=1,2", "has 9 numbers, 3×3. Received: 2."),
        ("kernel:conv1.1.7=1", "does not read channel 7. It reads channel 0 alone."),
        ("weight:conv1.gamma.1=1", "“conv1” has no weights called “gamma”. It has: kernel, bias."),
        ("weight:conv1.kernel.9.9.9.9=1", "there is none at 9.9.9.9"),
        ("pooling:conv1=min", "“conv1” is no pooling layer by itself. Pooling layers here are: "),
        (
            "cell:conv1.4.0.0=1",
            "no cell at map 4, row 0, column 0. It has maps 0 to 3, rows 0 to 25",
        ),
        ("cell:conv1.0.26.0=1", "no cell at map 0, row 26, column 0."),
        ("cell:answer.10=1", "“answer” has no unit 10. It has units 0 to 9."),
        ("cell:answer.1.0.0=1", "A cell of “answer” is set by cell:LAYER.UNIT=NUMBER."),
        ("cell:conv1.1.2=1", "is written cell:LAYER.MAP.ROW.COLUMN=NUMBER"),
        ("cell:conv1.1.2.3=inf", "“inf” is no number."),
        ("pooling:pool1=median", "is written pooling:LAYER=max, =average or =min"),
        ("mute:conv1.1;" * (MOST_EDITS + 1), "2,000 at most are made"),
        ("x" * (MOST_CHARACTERS + 1), "65,536 are read at most"),
    ],
)
def test_what_is_no_edit_is_refused_with_a_sentence(text: str, problem: str) -> None:
    definition = define(build_digits())
    with pytest.raises(InvalidEdit, match=re.escape(problem)):
        definition.edited(Edits.parse(text))


def test_two_settings_of_edits_are_made_one_after_the_other(image: np.ndarray) -> None:
    model = build_digits()
    network = Network("small", define(model), card(model)).edited(Edits.parse("solo:conv1.1"))
    both = network.edited(Edits.parse("solo:conv1.2")).run(image)
    assert not both.activations["conv1"].any()
    assert network.run(image).activations["conv1"].any()
