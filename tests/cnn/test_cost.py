import keras
import pytest
from keras import layers

from app.cnn.cost import Cost, cost_of, is_small
from app.cnn.engine import make_engine
from tests.large_model import build_large
from tests.small_models import build_digits, build_picture, parts


def chain(shape: tuple[int | None, int | None, int], *made: keras.layers.Layer) -> keras.Model:
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
        pytest.param(chain((None, None, 1), layers.GlobalMaxPooling2D()), id="any image, a small answer"),
        pytest.param(chain((400, 400, 1), layers.MaxPooling2D(40)), id="a large image"),
        pytest.param(chain((100, 100, 1), layers.Conv2D(20, 1), layers.GlobalMaxPooling2D()), id="many numbers"),
        pytest.param(chain((28, 28, 1), layers.Flatten(), layers.Dense(700), layers.Dense(9)), id="many weights"),
        pytest.param(
            chain((60, 60, 1), layers.Conv2D(30, 10, padding="same"), layers.GlobalMaxPooling2D()),
            id="a kernel at many places",
        ),
        pytest.param(
            chain((60, 60, 20), layers.MaxPooling2D(20, 1, "same"), layers.GlobalMaxPooling2D()),
            id="large pooling windows",
        ),
        pytest.param(chain((4, 4, 1), layers.Conv2D(2000, 4), layers.GlobalMaxPooling2D()), id="many maps"),
        pytest.param(chain((4, 4, 1), layers.Flatten(), layers.Dense(300)), id="many classes"),
    ],
)
def test_what_takes_longer_is_not(model: keras.Model) -> None:
    assert not is_small(parts(model))


def test_what_is_counted() -> None:
    model = chain(
        (28, 28, 2),
        layers.Conv2D(8, 3, padding="same"),
        layers.DepthwiseConv2D(5, strides=2, padding="same"),
        layers.MaxPooling2D(3, strides=1, padding="same"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(10),
    )
    full, half = 28 * 28, 14 * 14
    assert cost_of(parts(model)) == Cost(
        layers=5,
        numbers=2 * full + 8 * full + 8 * half + 8 * half + 8 + 10,
        multiplications=9 * 2 * 8 * full + 25 * 8 * half + 9 * 8 * half + 8 * 10,
        weights=9 * 2 * 8 + 8 + 25 * 8 + 8 + 8 * 10 + 10,
        maps=24,
        classes=10,
    )
