from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from numpy.typing import NDArray

from app.cnn.network import ForwardPass, Network, UnknownLayer
from app.cnn.types import PoolingMode
from app.library.library import Library
from tests.reference import pool, pool_all
from tests.small_models import card, parts

EVERY_MODE = pytest.mark.parametrize("mode", [None, *PoolingMode])


def images(network: Network, count: int, size: tuple[int, int] = (28, 28)) -> NDArray[np.float32]:
    height, width, channels = network.card.input_shape
    shape = (count, height or size[0], width or size[1], channels)
    return np.random.default_rng(0).random(shape, dtype=np.float32)


def keras_model(models: Path, name: str) -> keras.Model:
    return keras.models.load_model(models / f"{name}.keras", compile=False)


def expected_pooling(layer: layers.Layer, before: NDArray[np.float32], mode: str) -> NDArray[np.float32]:
    """NumPy's pooling of the previous activation, with the Keras layer's window."""
    config = layer.get_config()
    if "pool_size" not in config:
        return pool_all(before, mode)
    return pool(before, mode, tuple(config["pool_size"]), tuple(config["strides"]), config["padding"])


@EVERY_MODE
@pytest.mark.parametrize("name", ["digits", "digits-min", "branches", "a-plain", "logistic", "picture"])
def test_each_activation_is_what_the_layer_makes_of_those_before(
    library: Library, models: Path, name: str, mode: PoolingMode | None
) -> None:
    network, model = library.network(name), keras_model(models, name)
    forward = network.run(images(network, 1)[0], mode)
    for layer in network.layers:
        before = [forward.activations[source] for source in layer.inputs] or [forward.image]
        made_by = model.get_layer(layer.name)
        if layer.is_pooling:
            own = layer.pooling
            assert own is not None
            effective = mode or network.card.pooling or own
            expected = expected_pooling(made_by, before[0], effective)
        else:
            batch = [array[np.newaxis] for array in before]
            expected = np.asarray(made_by(batch if len(batch) > 1 else batch[0]))[0]
        np.testing.assert_allclose(forward.activations[layer.name], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["digits", "branches", "a-plain", "logistic", "picture"])
def test_as_trained_the_output_is_the_model_s_own(library: Library, models: Path, name: str) -> None:
    network = library.network(name)
    image = images(network, 1)
    expected = np.asarray(keras_model(models, name)(image))[0]
    np.testing.assert_allclose(network.run(image[0]).output, expected, atol=1e-5)


def test_the_modes_differ_in_their_outputs(library: Library) -> None:
    network = library.network("digits")
    image = images(network, 1)[0]
    outputs = [network.run(image, mode).output for mode in PoolingMode]
    assert all(np.abs(one - other).max() > 0.01 for one in outputs for other in outputs if one is not other)


@pytest.mark.parametrize(
    ("name", "asked", "ran"),
    [
        ("digits", None, PoolingMode.MAX),
        ("digits", PoolingMode.AVERAGE, PoolingMode.AVERAGE),
        ("digits-min", None, PoolingMode.MIN),
        ("branches", None, None),
        ("branches", PoolingMode.MAX, PoolingMode.MAX),
        ("a-plain", None, None),
        ("a-plain", PoolingMode.MIN, None),
    ],
)
def test_the_mode_that_it_ran_in_is_said(
    library: Library, name: str, asked: PoolingMode | None, ran: PoolingMode | None
) -> None:
    network = library.network(name)
    assert network.run(images(network, 1)[0], asked).pooling is ran


def test_all_layers_are_there_in_their_order(library: Library) -> None:
    network = library.network("branches")
    forward = network.run(images(network, 1)[0])
    assert list(forward.activations) == [layer.name for layer in network.layers]
    assert forward.output is forward.activations["answer"]


@pytest.mark.parametrize("name", ["digits", "branches", "a-plain", "logistic"])
def test_activations_have_the_shapes_that_the_layers_say(library: Library, name: str) -> None:
    network = library.network(name)
    forward = network.run(images(network, 1)[0])
    for layer in network.layers:
        assert forward.activations[layer.name].shape == layer.output_shape
        assert forward.activations[layer.name].dtype == np.float32


@EVERY_MODE
def test_sixteen_threads_get_what_one_gets(library: Library, mode: PoolingMode | None) -> None:
    network = library.network("digits")

    def run(image: NDArray[np.float32]) -> ForwardPass:
        return network.run(image, mode)

    many = images(network, 48)
    one_by_one = [run(image) for image in many]
    with ThreadPoolExecutor(16) as threads:
        at_once = list(threads.map(run, many))
    for expected, found in zip(one_by_one, at_once, strict=True):
        for name, activation in expected.activations.items():
            np.testing.assert_array_equal(found.activations[name], activation)


def test_running_does_not_change_the_image(library: Library) -> None:
    network = library.network("digits")
    image = images(network, 1)[0]
    before = image.copy()
    assert network.run(image).image is image
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("size", [(28, 28), (5, 9), (64, 33), (1, 1)])
def test_a_network_for_any_size_takes_any_size(library: Library, size: tuple[int, int]) -> None:
    network = library.network("picture")
    forward = network.run(images(network, 1, size)[0])
    assert {name: array.shape for name, array in forward.activations.items()} == {
        "conv1": (*size, 2),
        "answer": (*size, 1),
    }


@pytest.mark.parametrize(("name", "pools"), [("digits", True), ("branches", True), ("a-plain", False)])
def test_it_is_known_whether_the_pooling_matters(library: Library, name: str, pools: bool) -> None:
    assert library.network(name).pools is pools


@pytest.mark.parametrize(("name", "picture"), [("digits", False), ("logistic", False), ("picture", True)])
def test_it_is_known_whether_the_answer_is_a_picture(library: Library, name: str, picture: bool) -> None:
    assert library.network(name).answers_with_picture is picture


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("digits", ["conv1", "pool1", "conv2", "pool2"]),
        ("branches", ["trunk", "left_max", "right_average", "mixed", "least"]),
        ("logistic", []),
    ],
)
def test_feature_map_layers_are_convolutions_and_pooling(library: Library, name: str, expected: list[str]) -> None:
    assert [layer.name for layer in library.network(name).feature_map_layers] == expected


def test_receptive_fields_are_ready(library: Library) -> None:
    fields = library.network("digits").receptive_fields
    assert fields["conv1"] == (3, 3)
    assert fields["pool1"] == (4, 4)
    assert fields["conv2"] == (8, 12)
    assert fields["answer"] == (28, 28)


def test_a_layer_is_found_by_its_name(library: Library) -> None:
    assert library.network("digits").layer("pool2").name == "pool2"


def test_an_unknown_layer_s_sentence_names_the_layers(library: Library) -> None:
    with pytest.raises(UnknownLayer) as caught:
        library.network("logistic").layer("conv9")
    assert str(caught.value) == "The model “logistic” has no layer “conv9”. It has: flatten, hidden, answer."


def test_a_network_of_one_layer_runs() -> None:
    model = keras.Sequential([keras.Input((4, 4, 1)), layers.MaxPooling2D(2, name="only")])
    network = Network("only", parts(model), card(model, pooling="max", classes=[]))
    image = np.arange(16, dtype=np.float32).reshape(4, 4, 1)
    assert network.run(image, PoolingMode.MIN).output.ravel().tolist() == [0, 2, 8, 10]


def test_another_card_shares_everything_else(library: Library) -> None:
    network = library.network("digits")
    other = network.with_card(network.card.model_copy(update={"title": "Another"}))
    assert (other.card.title, network.card.title) == ("Another", library.network("digits").card.title)
    image = images(network, 1)[0]
    np.testing.assert_array_equal(other.run(image).output, network.run(image).output)
    assert other.weights(other.layer("conv1"))["kernel"] is network.weights(network.layer("conv1"))["kernel"]
