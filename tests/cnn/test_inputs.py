"""Networks of several inputs: what is drawn into, and what is held."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from app.cnn.errors import NoArithmetic, UnknownInput
from app.cnn.kinds.inputs import InputLayer
from app.cnn.network import LocalEngine, Network
from app.cnn.receptive_field import IMAGE, receptive_field
from app.cnn.types import Array
from app.model_files.infer_card import infer_card
from app.model_files.loading import load_model
from tests.small_models import build_conditional, build_decoder, build_siamese, build_with_facts

Open = Callable[[keras.Model], Network]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Open a model as one out of a file."""

    def open_model(model: keras.Model) -> Network:
        model.save(path := tmp_path / "m.keras")
        loaded = load_model(path)
        return Network("m", loaded.definition, infer_card(loaded, "m"))

    return open_model


def draw_values(network: Network, side: int = 20) -> tuple[Array, dict[str, Array]]:
    """Return a random image, and random values of the other inputs."""
    rng = np.random.default_rng(3)
    image = rng.normal(size=[size or side for size in network.card.input_shape]).astype(np.float32)
    held = {each.name: rng.normal(size=each.known_sizes(image.shape)) for each in network.held_inputs}
    return image, {name: values.astype(np.float32) for name, values in held.items()}


def by_keras(model: keras.Model, values: dict[str, Array]) -> Array:
    inputs = [
        values[each.name].reshape(1, *(size or values[each.name].shape[at] for at, size in enumerate(each.shape[1:])))
        for each in model.inputs
    ]
    output: Array = np.asarray(model(inputs if len(inputs) > 1 else inputs[0]))[0]
    return output


MODELS = {
    "siamese": build_siamese,
    "siamese of any size": lambda: build_siamese((None, None, 1)),
    "facts": build_with_facts,
    "decoder": build_decoder,
    "conditional": build_conditional,
}


@pytest.mark.parametrize("name", MODELS)
def test_both_engines_compute_what_keras_does(name: str, opened: Open) -> None:
    from app.cnn.tensorflow import TensorFlowEngine

    model = MODELS[name]()
    network = opened(model)
    image, held = draw_values(network)
    expected = by_keras(model, {network.card.input or "": image, **held})
    forward = network.run(image, None, held)
    np.testing.assert_allclose(forward.output, expected, rtol=1e-4, atol=1e-5)
    for each in network.held_inputs:
        np.testing.assert_array_equal(forward.activations[each.name], held[each.name])
    engine: LocalEngine = TensorFlowEngine(network._definition)
    outputs = engine.run(image, None, [held[each.name] for each in network.held_inputs])
    np.testing.assert_allclose(outputs[-1], expected, rtol=1e-4, atol=1e-5)
    assert engine.output_shapes(image.shape) == [output.shape for output in outputs]
    assert network.engine.output_shapes(image.shape) == [output.shape for output in outputs]


def test_another_input_is_drawn_into(opened: Open) -> None:
    model = build_siamese()
    left = opened(model)
    right = left.drawing_into("right")
    assert right is left.drawing_into("right") and left is left.drawing_into("left") is left.drawing_into(None)
    assert [each.name for each in right.held_inputs] == ["left"]
    image, held = draw_values(left)
    other = held["right"]
    forward = right.run(other, None, {"left": image})
    expected = left.run(image, None, held)
    np.testing.assert_array_equal(forward.output, expected.output)
    assert forward.activations.keys() - expected.activations.keys() == {"left"}
    np.testing.assert_array_equal(forward.activations["left"], image)
    with pytest.raises(UnknownInput, match="One can draw into: “left”, “right”"):
        left.drawing_into("middle")


def test_an_input_that_nobody_sets_holds_zeros(opened: Open) -> None:
    network = opened(build_with_facts())
    image, _ = draw_values(network)
    assert not network.run(image).activations["facts"].any()


def test_the_receptive_field_is_that_of_the_drawing(opened: Open) -> None:
    network = opened(build_siamese())
    first, second = (layer for layer in network.layers if layer.kind == "Conv2D")
    drawn, held = (first, second) if first.sources == (None,) else (second, first)
    assert (network.receptive_fields[drawn.name], network.receptive_fields[held.name]) == ((3, 3), (0, 0))
    assert network.receptive_fields["right"] == (0, 0)
    assert receptive_field(network.layers, (28, 28, 1), held.name, (5, 6))["right"].height == 3
    assert receptive_field(network.layers, (28, 28, 1), held.name, (5, 6))[IMAGE].height == 0
    image, values = draw_values(network)
    forward = network.run(image, None, values)
    assert network.extent(held, image, forward.activations[held.name]) is None
    assert network.extent(drawn, image, forward.activations[drawn.name]) is not None


def test_the_cost_counts_every_input(opened: Open) -> None:
    network = opened(build_with_facts())
    image, held = draw_values(network)
    cells = sum(each.size for each in network.run(image, None, held).activations.values())
    assert network.cost(image.shape).cells == cells


def test_what_an_input_holds_has_no_arithmetic(opened: Open) -> None:
    layer = InputLayer.of("facts", (4,))
    with pytest.raises(NoArithmetic, match="this value was given to the network"):
        layer.explain({}, [], np.ones(4, np.float32), (1,))
    network = opened(build_with_facts())
    image, held = draw_values(network)
    forward = network.run(image, None, held)
    known = network.layer("known")
    cell = known.explain(network.weights(known), network.inputs(known, forward), forward.activations["known"], (2,))
    expected = held["facts"] @ network.weights(known)["kernel"][:, 2] + network.weights(known)["bias"][2]
    assert cell.pre_activation == pytest.approx(float(expected), abs=1e-5)  # type: ignore[union-attr]
