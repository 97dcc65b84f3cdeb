"""What a network's last layer gives."""

import keras
import numpy as np
import pytest
from keras import layers

from app.cnn.definition import last_activation
from app.explore.prediction import logistic, softmax
from tests.keras_layers import describe_layers


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ([layers.Dense(3, activation="softmax")], "softmax"),
        ([layers.Dense(3), layers.Softmax()], "softmax"),
        ([layers.Dense(3), layers.Activation("softmax"), layers.Flatten()], "softmax"),
        ([layers.Dense(3, activation="sigmoid"), layers.Dropout(0.1)], "sigmoid"),
        ([layers.Dense(3)], "linear"),
        ([layers.Dense(3, activation="softmax"), layers.BatchNormalization()], None),
    ],
)
def test_the_last_activation_function(last: list[layers.Layer], expected: str | None) -> None:
    model = keras.Sequential([keras.Input((2, 2, 1)), layers.Flatten(), *last])
    assert last_activation(describe_layers(model)) == expected


def test_softmax_sums_to_1_whatever_the_size_of_the_scores() -> None:
    np.testing.assert_allclose(softmax(np.array([0, np.log(3)], np.float32)), [0.25, 0.75], rtol=1e-6)
    np.testing.assert_allclose(softmax(np.array([3e38, -3e38], np.float32)), [1, 0])


@pytest.mark.parametrize(("score", "expected"), [(0, 0.5), (np.log(3), 0.75), (-np.log(3), 0.25), (1e9, 1), (-1e9, 0)])
def test_the_logistic_function(score: float, expected: float) -> None:
    assert logistic(score) == pytest.approx(expected)
