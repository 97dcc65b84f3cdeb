import keras
import numpy as np
import pytest

from app.cnn.activations import activate, softmax

VALUES = np.linspace(-12, 12, 101)


@pytest.mark.parametrize(
    "name", ["linear", "relu", "relu6", "sigmoid", "tanh", "softplus", "elu", "swish", "silu", "hard_sigmoid"]
)
def test_equals_keras(name: str) -> None:
    expected = np.asarray(keras.activations.get(name)(VALUES.astype(np.float32)))
    np.testing.assert_allclose(activate(name, VALUES), expected, atol=1e-5)


def test_softmax_adds_up_to_one_and_stays_finite() -> None:
    shares = softmax(np.array([1000.0, 999.0, -1000.0]))
    assert shares.sum() == pytest.approx(1)
    np.testing.assert_allclose(shares, [1 / (1 + np.exp(-1)), np.exp(-1) / (1 + np.exp(-1)), 0], atol=1e-12)


def test_an_unknown_one_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        activate("mystery", VALUES)
