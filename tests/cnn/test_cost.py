import keras
import pytest
from keras import layers

from app.cnn.cost import is_small
from app.cnn.engine import make_engine
from tests.large_model import build_large
from tests.small_models import build_digits, build_picture, parts


def chain(shape: tuple[int, int, int], *made: keras.layers.Layer) -> keras.Model:
    return keras.Sequential([keras.Input(shape), *made])


def test_a_network_for_digits_is_small() -> None:
    model = parts(build_digits())
    assert is_small(model)
    assert make_engine(model).is_small


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(build_large(), id="many layers"),
        pytest.param(build_picture(), id="as large as the image"),
        pytest.param(chain((200, 200, 1), layers.Conv2D(4, 1)), id="many numbers"),
        pytest.param(chain((28, 28, 1), layers.Flatten(), layers.Dense(12_000)), id="a large kernel"),
        pytest.param(chain((60, 60, 1), layers.Conv2D(30, 10, padding="same")), id="a kernel at many places"),
        pytest.param(chain((60, 60, 20), layers.MaxPooling2D(20, 1, "same")), id="large pooling windows"),
    ],
)
def test_what_takes_longer_is_not(model: keras.Model) -> None:
    assert not is_small(parts(model))


def test_depthwise_kernels_count_at_each_place() -> None:
    places, kernel = 40 * 40, 9 * 8
    model = chain((40, 40, 8), layers.DepthwiseConv2D(3, padding="same"))
    assert places * kernel < 2**23
    assert is_small(parts(model))
