from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from numpy.typing import NDArray

from app.cnn.kinds import KINDS
from app.cnn.tensorflow import layer_class, trained_pooling, with_pooling
from app.cnn.types import PoolingMode
from tests.keras_layers import computing_layers
from tests.reference import pool, pool_all
from tests.small_models import build_branches, build_digits, build_logistic

GlobalMinPooling2D = layer_class("GlobalMinPooling2D")
MinPooling2D = layer_class("MinPooling2D")

EVERY_MODE = pytest.mark.parametrize("mode", list(PoolingMode))


def random_image(height: int = 9, width: int = 11, channels: int = 3) -> NDArray[np.float32]:
    """Values of both signs, none of them zero."""
    return np.random.default_rng(0).normal(0, 5, (height, width, channels)).astype(np.float32)


def run(layer: keras.layers.Layer, image: NDArray[np.float32]) -> NDArray[np.float32]:
    output: NDArray[np.float32] = np.asarray(layer(image[np.newaxis]))[0]
    return output


@EVERY_MODE
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("size", "strides"),
    [((2, 2), (2, 2)), ((2, 2), (1, 1)), ((3, 3), (2, 2)), ((3, 2), (1, 3)), ((1, 4), (2, 1)), ((2, 2), (3, 3))],
)
def test_windows_are_pooled_as_by_hand(
    mode: PoolingMode, size: tuple[int, int], strides: tuple[int, int], padding: str
) -> None:
    image = random_image()
    pooled = run(layer_class(f"{mode.title()}Pooling2D")(size, strides, padding), image)
    np.testing.assert_allclose(pooled, pool(image, mode, size, strides, padding), rtol=1e-5, atol=1e-6)


@EVERY_MODE
def test_whole_maps_are_pooled_as_by_hand(mode: PoolingMode) -> None:
    image = random_image()
    np.testing.assert_allclose(
        run(layer_class(f"Global{mode.title()}Pooling2D")(), image), pool_all(image, mode), rtol=1e-5, atol=1e-6
    )


@EVERY_MODE
@pytest.mark.parametrize("output_size", [(1, 1), (4, 1), (1, 5), (4, 5), (9, 11)])
def test_adaptive_windows_are_pooled_as_by_hand(mode: PoolingMode, output_size: tuple[int, int]) -> None:
    image = random_image()
    (height, width), (rows, columns) = image.shape[:2], output_size
    pooled = run(layer_class(f"Adaptive{mode.title()}Pooling2D")(output_size), image)
    for row, column in np.ndindex(rows, columns):
        high = slice(row * height // rows, -(-(row + 1) * height // rows))
        wide = slice(column * width // columns, -(-(column + 1) * width // columns))
        np.testing.assert_allclose(pooled[row, column], pool_all(image[high, wide], mode), rtol=1e-5, atol=1e-6)


def test_padding_never_is_the_minimum() -> None:
    ones = np.ones((3, 3, 1), dtype=np.float32)
    assert (run(MinPooling2D(2, padding="same"), ones) == 1).all()


def test_padding_never_is_the_maximum() -> None:
    below_zero = -np.ones((3, 3, 1), dtype=np.float32)
    assert (run(layers.MaxPooling2D(2, padding="same"), below_zero) == -1).all()


@pytest.mark.parametrize("kind", [MinPooling2D, GlobalMinPooling2D])
def test_minimum_pooling_survives_saving(kind: type[layers.Layer], tmp_path: Any) -> None:
    image = random_image(8, 8, 2)
    model = keras.Sequential([keras.Input((8, 8, 2)), kind(name="least")])
    model.save(tmp_path / "least.keras")
    loaded = keras.models.load_model(tmp_path / "least.keras")
    assert type(loaded.layers[0]) is kind
    np.testing.assert_array_equal(run(loaded, image), run(model, image))


@EVERY_MODE
@pytest.mark.parametrize("family", ["{}Pooling2D", "Global{}Pooling2D"])
def test_a_pooling_layer_knows_its_mode_and_its_keras_class(family: str, mode: PoolingMode) -> None:
    name = family.format(mode.title())
    assert mode_of(name) is mode
    assert layer_class(name).__name__ == name


def mode_of(kind: str) -> PoolingMode | None:
    """Return the mode of a Keras class; None for one that does not pool."""
    mode: PoolingMode | None = getattr(KINDS[kind], "mode", None)
    return mode


@pytest.mark.parametrize(("kind", "mode"), [(layers.AveragePooling2D, "average"), (MinPooling2D, "min")])
def test_the_mode_that_all_pooling_layers_share_is_the_trained_one(kind: type[layers.Layer], mode: str) -> None:
    assert trained_pooling(build_digits(kind)) == mode


def test_layers_of_different_modes_share_none() -> None:
    assert trained_pooling(build_branches()) is None


def test_a_model_without_pooling_has_no_trained_mode() -> None:
    assert trained_pooling(build_logistic()) is None


@EVERY_MODE
@pytest.mark.parametrize("build", [build_digits, build_branches])
def test_every_pooling_layer_is_swapped_and_nothing_else(build: Any, mode: PoolingMode) -> None:
    model = build()
    swapped = with_pooling(model, mode)
    for before, after in zip(computing_layers(model), computing_layers(swapped), strict=True):
        own = mode_of(type(before).__name__)
        assert mode_of(type(after).__name__) is (mode if own else None)
        assert own or type(after) is type(before)
        assert after.get_config() == before.get_config()


@EVERY_MODE
@pytest.mark.parametrize("build", [build_digits, build_branches])
def test_a_swapped_model_has_the_same_weights(build: Any, mode: PoolingMode) -> None:
    model = build()
    for before, after in zip(model.get_weights(), with_pooling(model, mode).get_weights(), strict=True):
        np.testing.assert_array_equal(after, before)


def test_swapping_to_the_trained_mode_changes_no_output() -> None:
    model = build_digits()
    image = random_image(28, 28, 1)
    np.testing.assert_array_equal(run(with_pooling(model, PoolingMode.MAX), image), run(model, image))


def test_swapping_leaves_the_model_itself_as_it_was() -> None:
    model = build_digits()
    image = random_image(28, 28, 1)
    before = run(model, image)
    with_pooling(model, PoolingMode.MIN)
    np.testing.assert_array_equal(run(model, image), before)
    assert trained_pooling(model) is PoolingMode.MAX
