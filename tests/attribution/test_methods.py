"""The attribution methods against Keras' gradients, and against sums worked out by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from app.attribution.attribution import attribute, rank_correlation
from app.attribution.case import InvalidSetting, Settings
from app.attribution.contributions import explain
from app.attribution.method import METHODS, UnknownMethod, find_method
from app.cnn.cost import RunLimits, TooCostly
from app.cnn.errors import NoGradient
from app.cnn.network import ForwardPass, Network
from app.cnn.tensorflow import with_pooling
from app.cnn.types import Array, PoolingMode
from app.explore.forward_passes import preprocess
from app.library.library import Library
from tests.small_models import build_digits, card, parts


@pytest.fixture(scope="module")
def network(library: Library) -> Network:
    return library.network("digits")


@pytest.fixture(scope="module")
def forward(network: Network, four: bytes) -> ForwardPass:
    return network.run(preprocess(four, network.card))


@pytest.fixture(scope="module")
def model() -> keras.Model:
    """The same network in Keras, up to the logits, with the second convolution's maps."""
    model = build_digits()
    model.layers[-1].activation = keras.activations.linear
    return keras.Model(model.inputs[0], [model.get_layer("conv2").output, model.outputs[0]])


def logit_and_gradient(model: keras.Model, image: Array, of: str = "image") -> tuple[float, Array, Array]:
    """The logit of class 3, its gradient for the image or the second convolution's maps, and their values."""
    given = tf.constant(image[np.newaxis])
    with tf.GradientTape() as tape:
        tape.watch(given)
        maps, logits = model(given)
        number = logits[0, 3]
    source = given if of == "image" else maps
    return float(number), tape.gradient(number, source).numpy()[0], source.numpy()[0]


def test_saliency_is_the_size_of_keras_gradient(network: Network, forward: ForwardPass, model: keras.Model) -> None:
    _, gradient, _ = logit_and_gradient(model, forward.image)
    found = attribute(network, forward, METHODS["saliency"], "3")
    np.testing.assert_allclose(found.values, np.abs(gradient), rtol=1e-4, atol=1e-5)


def test_gradient_times_input_and_the_biases_are_the_logit(network: Network, forward: ForwardPass) -> None:
    for layer in (None, "conv1", "pool2", "flatten"):
        found = attribute(network, forward, METHODS["gradient-x-input"], "3", "5", Settings(layer))
        terms = explain(network, forward, "3", "5").layer(layer)
        assert found.total == pytest.approx(terms.total, rel=1e-4, abs=1e-4)
        assert found.completeness_error == pytest.approx(-terms.bias_after, rel=1e-3, abs=1e-4)


def test_integrated_gradients_are_keras_gradients_summed_up(network: Network, four: bytes, model: keras.Model) -> None:
    # Without ink, all cells of a window are equal, and each engine's rounding takes another one for the largest.
    forward = network.run(preprocess(four, network.card), PoolingMode.AVERAGE)
    model = with_pooling(model, PoolingMode.AVERAGE)
    steps = 8
    images = [forward.image * np.float32(step / steps) for step in range(steps + 1)]
    gradients = np.array([logit_and_gradient(model, image)[1] for image in images], np.float64)
    expected = ((gradients[1:] + gradients[:-1]) / 2).mean(axis=0) * forward.image
    found = attribute(network, forward, METHODS["integrated-gradients"], "3", settings=Settings(steps=steps))
    np.testing.assert_allclose(found.values, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("layer", [None, "conv1", "pool2"])
def test_more_steps_make_integrated_gradients_complete(
    network: Network, forward: ForwardPass, layer: str | None
) -> None:
    few, many = (
        attribute(network, forward, METHODS["integrated-gradients"], "3", settings=Settings(layer, steps=steps))
        for steps in (4, 128)
    )
    empty = explain(network, network.run(np.zeros_like(forward.image)), "3", layers=()).number
    assert many.expected == pytest.approx(many.number - empty, rel=1e-4)
    assert abs(many.completeness_error) < 0.02 * max(1, abs(many.expected))
    assert abs(many.completeness_error) <= abs(few.completeness_error) + 1e-4


def test_class_activation_maps_are_the_papers_formulas(
    network: Network, forward: ForwardPass, model: keras.Model
) -> None:
    _, gradient, maps = logit_and_gradient(model, forward.image, "conv2")
    settings = Settings("conv2")
    cam = attribute(network, forward, METHODS["grad-cam"], "3", settings=settings)
    hires = attribute(network, forward, METHODS["hires-cam"], "3", settings=settings)
    weighted = sum(gradient[:, :, at].mean() * maps[:, :, at] for at in range(maps.shape[2]))
    np.testing.assert_allclose(cam.values, np.maximum(weighted, 0), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(hires.values, (gradient * maps).sum(axis=2), rtol=1e-3, atol=1e-4)


def test_occlusion_is_the_fall_of_the_logit(network: Network, forward: ForwardPass, model: keras.Model) -> None:
    settings = Settings(patch=(28, 20), stride=5)
    number, _, _ = logit_and_gradient(model, forward.image)
    falls = []
    for left in (0, 5, 8):  # the last patch ends with the image
        covered = forward.image.copy()
        covered[:, left : left + 20] = 0
        falls.append(number - logit_and_gradient(model, covered)[0])
    found = attribute(network, forward, METHODS["occlusion"], "3", settings=settings)
    assert found.values.shape == (28, 28)
    np.testing.assert_allclose(
        found.values[0, [0, 6, 10, 27]],
        [falls[0], (falls[0] + falls[1]) / 2, sum(falls) / 3, falls[2]],
        rtol=1e-4,
        atol=1e-4,
    )


def test_a_patch_over_nothing_changes_nothing(network: Network, forward: ForwardPass) -> None:
    blank = network.run(np.zeros_like(forward.image))
    found = attribute(network, blank, METHODS["occlusion"], "3", settings=Settings(patch=(7, 7), stride=7))
    assert not found.values.any()
    assert found.expected == 0


def test_shuffled_weights_give_other_maps(network: Network, forward: ForwardPass) -> None:
    one, again, other = (
        attribute(network, forward, METHODS["gradient-x-input"], "3", seed=seed).randomisation for seed in (1, 1, 2)
    )
    assert one is not None and again is not None and other is not None
    np.testing.assert_array_equal(one.values, again.values)
    assert not np.array_equal(one.values, other.values)
    assert abs(one.correlation) < 0.9
    assert attribute(network, forward, METHODS["gradient-x-input"], "3").randomisation is None


def test_shuffling_keeps_each_weight_s_numbers() -> None:
    definition = parts(build_digits())
    shuffled = definition.shuffling(4)
    for layer, arrays in definition.weights.items():
        for name, array in arrays.items():
            other = shuffled.weights[layer][name]
            np.testing.assert_array_equal(np.sort(other, axis=None), np.sort(array, axis=None))
    assert not np.array_equal(shuffled.weights["conv2"]["kernel"], definition.weights["conv2"]["kernel"])


def test_rank_correlation_is_pearson_s_of_the_ranks() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.integers(-3, 4, 42).astype(np.float64), rng.normal(size=42)
    ranks = [
        [
            sum(abs(each) < abs(own) for each in values) + sum(abs(each) == abs(own) for each in values) / 2
            for own in values
        ]
        for values in (one, other)
    ]
    first, second = (np.array(each) - np.mean(each) for each in ranks)
    expected = (first @ second) / np.sqrt((first @ first) * (second @ second))
    assert rank_correlation(one, other) == pytest.approx(expected)
    assert np.isnan(rank_correlation(np.ones(42), other))
    zeros = np.zeros(30)
    assert rank_correlation(np.append(one + 9, zeros), np.append(other, zeros)) == pytest.approx(
        rank_correlation(one + 9, other)
    )
    assert np.isnan(rank_correlation(zeros, zeros))


def test_a_map_of_a_vector_is_refused(network: Network, forward: ForwardPass) -> None:
    with pytest.raises(InvalidSetting, match=r"“flatten” has no maps.*Layers with maps: conv1, pool1"):
        attribute(network, forward, METHODS["grad-cam"], settings=Settings("flatten"))


def test_settings_that_do_not_go_with_the_image_are_refused(network: Network, forward: ForwardPass) -> None:
    with pytest.raises(InvalidSetting, match=r"29×1 cells does not fit.*28×28"):
        attribute(network, forward, METHODS["occlusion"], settings=Settings(patch=(29, 1)))
    with pytest.raises(InvalidSetting, match="leave the layer out"):
        attribute(network, forward, METHODS["occlusion"], settings=Settings("conv1"))
    with pytest.raises(InvalidSetting, match=r"takes 502 passes .* ask for fewer steps"):
        limits = RunLimits(seconds=1e-2)
        attribute(network, forward, METHODS["integrated-gradients"], settings=Settings(steps=500), limits=limits)
    with pytest.raises(TooCostly, match="takes more than to give it"):
        attribute(network, forward, METHODS["saliency"], limits=RunLimits(seconds=1e-6))


def test_a_patch_is_a_seventh_of_the_image_and_moves_by_half(network: Network, forward: ForwardPass) -> None:
    by_default = attribute(network, forward, METHODS["occlusion"], "3")
    told = attribute(network, forward, METHODS["occlusion"], "3", settings=Settings(patch=(4, 4), stride=2))
    np.testing.assert_array_equal(by_default.values, told.values)


def test_an_unknown_method_is_refused_with_all_names() -> None:
    with pytest.raises(UnknownMethod, match=r"no attribution method “lime”.*saliency.*occlusion"):
        find_method("lime")


def test_a_layer_that_no_gradient_gets_to_is_refused_with_the_nearest_that_works() -> None:
    model = keras.Sequential(
        [
            keras.Input((6, 4, 1)),
            keras.layers.Reshape((6, 4), name="rows"),
            keras.layers.LSTM(5, activation="log_softmax", name="reads"),
            keras.layers.Dense(3, activation="softmax", name="answer"),
        ]
    )
    network = Network("reader", parts(model), card(model, classes=["a", "b", "c"]))
    forward = network.run(np.random.default_rng(0).uniform(size=(6, 4, 1)).astype(np.float32))
    with pytest.raises(NoGradient, match=r"through “reads”: .*LSTM.* Ask about “reads” or a layer after it\."):
        attribute(network, forward, METHODS["saliency"])
    assert attribute(network, forward, METHODS["saliency"], settings=Settings("reads")).values.shape == (5,)
