"""At every layer of every small network, the ledger sums to the logit, and its gradients are TensorFlow's."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from app.cnn.errors import NoGradient
from app.cnn.ledger import Ledger, draw_up
from app.cnn.logits import find_logits
from app.cnn.network import ForwardPass, Network
from app.cnn.tensorflow import with_pooling
from app.cnn.types import PoolingMode
from app.model_files.infer_card import infer_card
from app.model_files.loading import load_model
from tests.keras_layers import computing_layers
from tests.small_models import (
    build_branches,
    build_digits,
    build_logistic,
    build_siamese,
    build_with_facts,
    build_without_pooling,
    card,
    parts,
    with_random_weights,
)

BUILDERS = [build_digits, build_branches, build_without_pooling, build_logistic]


def network_of(model: keras.Model) -> Network:
    return Network("small", parts(model), card(model))


def run(network: Network, mode: PoolingMode | None = None) -> ForwardPass:
    shape = tuple(size or 1 for size in network.card.input_shape)
    return network.run(np.random.default_rng(5).uniform(0, 1, shape).astype(np.float32), mode)


def account(network: Network, forward: ForwardPass) -> Ledger:
    logits = find_logits(network, forward)
    return draw_up(network, logits, np.eye(logits.values.size, dtype=np.float32))


def logits_of(model: keras.Model) -> keras.Model:
    """The same model without its last activation function, with every layer's output."""
    model.layers[-1].activation = keras.activations.linear
    return keras.Model(model.inputs[0], [layer.output for layer in computing_layers(model)])


@pytest.mark.parametrize("build", BUILDERS)
@pytest.mark.parametrize("mode", [None, *PoolingMode])
def test_at_every_layer_the_sum_is_the_logit(build: object, mode: PoolingMode | None) -> None:
    model = build()  # type: ignore[operator]
    network = network_of(model)
    forward = run(network, mode)
    ledger = account(network, forward)
    swapped = with_pooling(model, mode) if mode and network.pools else keras.models.clone_model(model)
    swapped.set_weights(model.get_weights())
    expected = np.asarray(logits_of(swapped)(forward.image[np.newaxis])[-1])[0]
    np.testing.assert_allclose(ledger.numbers, expected, rtol=1e-4, atol=1e-4)
    assert list(ledger.entries) == [*(layer.name for layer in reversed(network.layers)), None]
    for name, entry in ledger.entries.items():
        np.testing.assert_allclose(entry.sum, ledger.numbers, rtol=1e-9, err_msg=str(name))
        np.testing.assert_allclose(entry.rounding_after, 0, atol=1e-5, err_msg=str(name))
        if entry.gradients is not None:
            cells = ledger.contributions(name).reshape(len(ledger.numbers), -1)
            np.testing.assert_allclose(cells.sum(axis=1, dtype=np.float64), entry.total, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("build", BUILDERS)
def test_at_every_layer_the_gradient_is_tensorflow_s(build: object) -> None:
    model = build()  # type: ignore[operator]
    network = network_of(model)
    forward = run(network)
    ledger = account(network, forward)
    image = tf.constant(forward.image[np.newaxis])
    with tf.GradientTape() as tape:
        tape.watch(image)
        outputs = logits_of(model)(image)
        number = outputs[-1][0, 0]
    expected = tape.gradient(number, [image, *outputs])
    for name, gradient in zip([None, *forward.activations], expected, strict=True):
        own = ledger.entry(name).gradients
        assert own is not None
        np.testing.assert_allclose(own[0], gradient.numpy()[0], rtol=1e-4, atol=1e-5, err_msg=str(name))


def test_biases_count_at_the_layers_before_theirs() -> None:
    network = network_of(build_digits())
    ledger = account(network, run(network))
    after = np.zeros(10)
    for entry in ledger.entries.values():
        np.testing.assert_allclose(entry.bias_after, after, atol=1e-9)
        after = after + (0 if entry.bias is None else entry.bias.sum(axis=1))
    assert np.abs(after).min() > 0


def test_a_smooth_function_leaves_a_term_of_its_own() -> None:
    network = network_of(build_without_pooling())
    forward = run(network)
    ledger = account(network, forward)
    first = network.layers[0].name
    left_over = ledger.entry(first).left_over
    assert left_over is not None and np.abs(left_over).min() > 1e-4
    np.testing.assert_allclose(ledger.entry(None).left_over_after, left_over)
    made, gradients = forward.activations[first].astype(np.float64), ledger.entry(first).gradients
    tangent = (1 - made**2) * np.arctanh(made)  # what tanh's tangent makes of its argument
    assert gradients is not None
    np.testing.assert_allclose(left_over, (gradients * (made - tangent)).sum(axis=(1, 2, 3)), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("build", [build_siamese, build_with_facts])
def test_what_another_input_contributes_goes_round_the_image(build: object, tmp_path: Path) -> None:
    build().save(path := tmp_path / "m.keras")  # type: ignore[operator]
    loaded = load_model(path)
    network = Network("m", loaded.definition, infer_card(loaded, "m"))
    rng = np.random.default_rng(6)
    held = {
        each.name: rng.uniform(0, 1, each.known_sizes((28, 28, 1))).astype(np.float32) for each in network.held_inputs
    }
    image = rng.uniform(0, 1, (28, 28, 1)).astype(np.float32)
    ledger = account(network, network.run(image, None, held))
    entry = ledger.entry(None)
    np.testing.assert_allclose(entry.sum, ledger.numbers, rtol=1e-9)
    np.testing.assert_allclose(entry.rounding_after, 0, atol=1e-5)
    assert np.abs(entry.beside).min() > 0


def test_gradients_that_are_not_kept_leave_the_sums() -> None:
    network = network_of(build_digits())
    logits = find_logits(network, run(network))
    ledger = draw_up(network, logits, np.eye(10, dtype=np.float32), lambda name: name == "pool1")
    assert [name for name, entry in ledger.entries.items() if entry.gradients is not None] == ["pool1"]
    np.testing.assert_allclose(ledger.entry(None).sum, ledger.numbers, rtol=1e-5, atol=1e-5)
    with pytest.raises(KeyError):
        ledger.contributions(None)


def test_what_lies_before_a_layer_without_a_way_back_has_no_entry() -> None:
    model = keras.Sequential(
        [
            keras.Input((6, 4, 1)),
            keras.layers.Reshape((6, 4), name="rows"),
            keras.layers.LSTM(5, activation="log_softmax", name="reads"),
            keras.layers.Dense(3, activation="softmax", name="answer"),
        ]
    )
    network = network_of(model)
    ledger = account(network, run(network))
    assert list(ledger.entries) == ["answer", "reads"]
    np.testing.assert_allclose(ledger.entry("reads").sum, ledger.numbers, rtol=1e-5)
    for name in ("rows", None):
        with pytest.raises(NoGradient, match=r"through “reads”: .*log_softmax.* Ask about “reads” or a layer after it"):
            ledger.entry(name)


def build_bidirectional() -> keras.Model:
    image = keras.Input((6, 4, 1))
    rows = keras.layers.Reshape((6, 4))(image)
    both = keras.layers.Bidirectional(keras.layers.LSTM(3, return_sequences=True))(rows)
    last = keras.layers.Bidirectional(keras.layers.GRU(2), merge_mode="mul")(both)
    return keras.Model(image, keras.layers.Dense(3, activation="softmax")(last))


def build_attention() -> keras.Model:
    image = keras.Input((6, 4, 1))
    rows = keras.layers.Reshape((6, 4))(image)
    attended = keras.layers.MultiHeadAttention(2, 3)(rows, rows)
    flat = keras.layers.Flatten()(keras.layers.LayerNormalization()(keras.layers.Add()([rows, attended])))
    return keras.Model(image, keras.layers.Dense(3, activation="softmax")(flat))


@pytest.mark.parametrize("build", [build_bidirectional, build_attention])
def test_through_what_a_file_is_taken_apart_into_goes_tensorflow_s_gradient(build: object, tmp_path: Path) -> None:
    model = with_random_weights(build())  # type: ignore[operator]
    model.save(path := tmp_path / "m.keras")
    loaded = load_model(path)
    network = Network("m", loaded.definition, infer_card(loaded, "m"))
    forward = run(network)
    ledger = account(network, forward)
    image = tf.constant(forward.image[np.newaxis])
    with tf.GradientTape() as tape:
        tape.watch(image)
        number = logits_of(model)(image)[-1][0, 0]
    own = ledger.entry(None)
    assert own.gradients is not None
    expected = tape.gradient(number, image).numpy()[0]
    np.testing.assert_allclose(own.gradients[0], expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())
    np.testing.assert_allclose(own.sum, ledger.numbers, rtol=1e-9)
    assert np.abs(own.left_over_after).min() > 1e-4
