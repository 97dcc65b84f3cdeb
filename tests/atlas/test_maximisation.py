"""Images that are made to excite a map: gradients against TensorFlow's, and what the ascent reaches and keeps to."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from app.atlas.ascent import NO_PENALTIES, Ascent, Penalties, make_start, total_variation_gradient
from app.atlas.examples import Examples
from app.atlas.goals import Goal, Part
from app.atlas.maximisation import InvalidAscent, Maximisation, MaximisationRun
from app.atlas.patches import find_patches
from app.atlas.top_activations import TopActivations, TopActivationsRun
from app.cnn.card import Card
from app.cnn.cost import RunLimits
from app.cnn.errors import NoGradient
from app.cnn.network import Network
from app.cnn.preprocessing import to_level_gradient, to_levels, to_values
from app.cnn.types import Array
from app.explore.evaluation import run_on_image
from app.explore.inspection import UnknownCell
from tests.small_models import build_digits, build_small, card, parts, with_random_weights

MODEL = build_digits()
NETWORK = Network("small", parts(MODEL), card(MODEL, pooling="max"))
FEW = Examples(100)
IMAGE = np.random.default_rng(3).uniform(0, 1, (28, 28, 1)).astype(np.float32)


@pytest.fixture(scope="module")
def found() -> TopActivations:
    return TopActivationsRun(NETWORK, examples=FEW).compute()


def tape_gradient(model: keras.Model, name: str, number: Callable[[Any], Any], image: Array) -> Array:
    """The gradient that TensorFlow finds of a number of a layer's output, without the batch, for the image."""
    part = keras.Model(model.inputs, model.get_layer(name).output)
    pixels = tf.constant(image)[tf.newaxis]
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        value = number(part(pixels)[0])
    gradient: Array = tape.gradient(value, pixels).numpy()[0]
    return gradient


@pytest.mark.parametrize("part", list(Part))
@pytest.mark.parametrize(("name", "number"), [("conv1", 1), ("pool1", 2), ("conv2", 3), ("pool2", 7)])
def test_the_gradient_of_a_map_is_tensorflow_s(name: str, number: int, part: Part) -> None:
    goal = Goal(NETWORK, name, number, part)
    forward = run_on_image(NETWORK, IMAGE)
    reduce = tf.reduce_max if part is Part.CELL else tf.reduce_mean
    expected = tape_gradient(MODEL, name, lambda made: reduce(made[..., number]), IMAGE)
    assert np.abs(expected).max() > 0
    assert np.allclose(goal.gradient(forward), expected, atol=1e-5 * np.abs(expected).max())
    values = forward.activations[name][..., number]
    assert goal.value(forward) == pytest.approx(float(values.max() if part is Part.CELL else values.mean()), rel=1e-5)
    row, column = goal.strongest_cell(forward)
    assert values[row, column] == values.max()


def test_a_class_is_raised_by_its_logit_and_not_by_its_probability() -> None:
    logits = build_digits()
    logits.set_weights(MODEL.get_weights())
    logits.get_layer("answer").activation = keras.activations.linear
    goal = Goal(NETWORK, "answer", 4)
    expected = tape_gradient(logits, "answer", lambda made: made[4], IMAGE)
    forward = run_on_image(NETWORK, IMAGE)
    assert np.allclose(goal.gradient(forward), expected, atol=1e-5 * np.abs(expected).max())
    assert goal.value(forward) == pytest.approx(float(logits(IMAGE[np.newaxis])[0, 4]), abs=1e-4)


def test_softmax_in_a_layer_of_its_own_leaves_the_layer_before_it_as_the_logits() -> None:
    image = keras.layers.Input((28, 28, 1), name="image")
    scores = keras.layers.Dense(10, name="scores")(keras.layers.Flatten()(image))
    model = with_random_weights(keras.Model(image, keras.layers.Softmax(name="softmax")(scores)))
    network = Network("apart", parts(model), card(model))
    forward = run_on_image(network, IMAGE)
    goal = Goal(network, "softmax", 2)
    assert goal.value(forward) == pytest.approx(float(forward.activations["scores"][2]))
    assert np.allclose(goal.gradient(forward).ravel(), model.get_layer("scores").kernel.numpy()[:, 2], atol=1e-6)


def test_a_map_that_relu_has_cut_off_is_raised_by_what_relu_read() -> None:
    model = build_digits(seed=1)
    kernel, bias = model.get_layer("conv1").get_weights()
    model.get_layer("conv1").set_weights([kernel, np.full_like(bias, -100)])
    network = Network("off", parts(model), card(model))
    goal = Goal(network, "conv1", 0)
    forward = run_on_image(network, IMAGE)
    assert goal.value(forward) == 0
    gradient = goal.gradient(forward)
    assert np.isclose(gradient.sum(), kernel[..., 0].sum(), atol=1e-5) and np.count_nonzero(gradient) == 9
    assert np.array_equal(Goal(network, "pool1", 0).gradient(forward), gradient)


@pytest.mark.parametrize(
    "changes", [{}, {"ink": "dark"}, {"value_range": (-1, 3)}, {"value_range": (255, 0), "mean": [7], "std": [0.25]}]
)
def test_one_step_is_that_of_tensorflow_s_gradient(changes: dict[str, Any]) -> None:
    seen = Card.model_validate({**NETWORK.card.model_dump(), **changes})
    start = make_start((28, 28, 1), seen, 5)
    network = NETWORK.with_card(seen)
    ascent = Ascent(Goal(network, "conv2", 3), seen, lambda image: run_on_image(network, image), 7, NO_PENALTIES, 1)
    low, high = seen.value_range
    slope = (high - low) / 255 / (seen.std or [1])[0]
    gradient = tape_gradient(MODEL, "conv2", lambda made: tf.reduce_max(made[..., 3]), to_values(start, seen))
    raised = gradient * slope
    expected = np.clip(start + 0.05 * 255 * raised / np.sqrt(np.mean(raised**2)), 0, 255)
    assert np.allclose(ascent.climb(start), expected, atol=1e-2)


def test_the_gradient_for_levels_is_the_chain_rule_s() -> None:
    facts = {
        "input_shape": (6, 5, 3),
        "channel_order": "bgr",
        "value_range": (-2, 5),
        "mean": [1, 2, 3],
        "std": [2, 3, 4],
    }
    seen = Card.model_validate({**NETWORK.card.model_dump(), **facts})
    rng = np.random.default_rng(0)
    levels, weights = rng.uniform(60, 200, (6, 5, 3)), rng.standard_normal((6, 5, 3))
    gradient = to_level_gradient(weights, seen)
    for place in [(0, 0, 0), (3, 4, 1), (5, 2, 2)]:
        moved = levels.copy()
        moved[place] += 10
        change = float((weights * (to_values(moved, seen).astype(float) - to_values(levels, seen))).sum())
        assert gradient[place] == pytest.approx(change / 10, rel=1e-3)


def test_total_variation_has_the_gradient_that_differences_give() -> None:
    values = np.random.default_rng(1).uniform(0, 1, (4, 5, 2))

    def total(values: NDArray[Any]) -> float:
        return sum(float(np.sqrt(np.diff(values, axis=axis) ** 2 + 1e-3).sum()) for axis in (0, 1))

    gradient = total_variation_gradient(values)
    for place in [(0, 0, 0), (2, 3, 1), (3, 4, 0)]:
        moved = values.copy()
        moved[place] += 1e-5
        assert gradient[place] == pytest.approx((total(moved) - total(values)) / 1e-5, rel=1e-3, abs=1e-3)


@pytest.fixture(scope="module")
def made(found: TopActivations) -> Maximisation:
    return MaximisationRun(found, "conv2", 3, steps=40).compute()


def test_what_is_made_excites_the_map_more_than_what_it_began_with(made: Maximisation) -> None:
    assert made.made.value > made.start.value
    assert made.without_penalties.value > made.start.value
    for picture in (made.start, made.made, made.without_penalties, made.example):
        levels = to_levels(picture.image, NETWORK.card)
        assert levels.min() >= -1e-3 and levels.max() <= 255 + 1e-3
        assert picture.value == float(run_on_image(NETWORK, picture.image).activations["conv2"][..., 3].max())


def test_penalties_keep_the_image_smoother(made: Maximisation) -> None:
    def roughness(image: NDArray[Any]) -> float:
        return sum(float(np.abs(np.diff(image, axis=axis)).sum()) for axis in (0, 1)) / float(np.ptp(image))

    assert roughness(made.made.image) < roughness(made.without_penalties.image)


def test_the_example_is_the_one_that_excites_the_map_most(made: Maximisation, found: TopActivations) -> None:
    strongest = found.of(NETWORK.layer("conv2"))
    assert made.example.value == strongest.values[3, 0] and made.patch.place == strongest.examples[3, 0]
    assert made.example.region == made.patch.region


def test_the_same_seed_gives_the_same_image_and_another_one_another(found: TopActivations) -> None:
    run = MaximisationRun(found, "conv2", 3, steps=5)
    first, again = run.compute(), run.compute()
    other = replace(run, seed=1).compute()
    assert np.array_equal(first.made.image, again.made.image)
    assert not np.array_equal(first.made.image, other.made.image)
    assert run.key != replace(run, seed=1).key and run.key == MaximisationRun(found, "conv2", 3, steps=5).key


def test_it_tells_how_far_it_is_and_ends_when_it_is_told_to(found: TopActivations) -> None:
    run = MaximisationRun(found, "conv1", 1, steps=6)
    told: list[int] = []
    run.compute(told.append)
    assert told == list(range(1, 13)) and run.total == 12

    def leave(done: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        run.compute(leave)


def test_a_mean_is_of_the_whole_image(found: TopActivations) -> None:
    made = MaximisationRun(found, "conv1", 1, Part.MEAN, steps=10).compute()
    assert made.made.region == (0, 0, 28, 28) and made.made.value > made.start.value
    assert made.example.value <= made.made.value * 10


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"number": 0}, "is dead"),
        ({"steps": 0}, "1 to 512 steps"),
        ({"penalties": Penalties(shift=17)}, "from 0 to 16 pixels"),
        ({"penalties": Penalties(smoothness=2)}, "from 0 to 1"),
    ],
)
def test_what_cannot_be_made_says_why(found: TopActivations, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidAscent, match=sentence):
        replace(MaximisationRun(found, "conv1", 1), **changes).require_possible(RunLimits())


def test_a_map_that_is_not_there_is_named(found: TopActivations) -> None:
    with pytest.raises(UnknownCell, match="has the maps or units 0 to 3"):
        MaximisationRun(found, "conv1", 4).require_possible(RunLimits())


def test_a_layer_that_no_gradient_passes_says_which() -> None:
    image = keras.layers.Input((28, 28, 1), name="image")
    flat = keras.layers.Flatten(name="flat")(image)
    scores = keras.layers.Dense(5, activation="log_softmax", name="scores")(flat)
    answer = keras.layers.Dense(10, name="answer", activation="softmax")(scores)
    model = with_random_weights(keras.Model(image, answer))
    network = Network("scores", parts(model), card(model))
    found = TopActivationsRun(network, examples=FEW).compute()
    alive = next(unit for unit in range(10) if find_patches(found, network.layer("answer"), unit))
    with pytest.raises(NoGradient, match="No gradient goes back through “scores”"):
        MaximisationRun(found, "answer", alive).require_possible(RunLimits())


def test_alpha_stays_opaque_and_colours_are_made() -> None:
    model = build_small((16, 16, 4), 3)
    network = Network("colours", parts(model), card(model))
    start = make_start((16, 16, 4), network.card, 0)
    layer = network.layers[0].name
    ascent = Ascent(Goal(network, layer, 0), network.card, lambda image: run_on_image(network, image), 3, steps=4)
    levels = ascent.climb(start)
    assert (levels[..., 3] == 255).all() and np.ptp(levels[..., :3], axis=2).max() > 1
