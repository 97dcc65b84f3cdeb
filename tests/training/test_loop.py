import keras
import numpy as np
import pytest
from keras import layers

from app.datasets.digits import Digits
from app.training.batches import to_input, training_batches
from app.training.data import TrainingData
from app.training.evaluation import accuracy
from app.training.loop import fit
from app.training.task import Task

pytestmark = pytest.mark.slow


def small_network() -> keras.Sequential:
    keras.utils.set_random_seed(0)
    return keras.Sequential([layers.Input((28, 28, 1)), layers.Flatten(), layers.Dense(1, activation="sigmoid")])


def test_inputs_are_float32_from_0_to_1() -> None:
    images = np.array([[[0, 255]]], dtype=np.uint8)
    inputs = to_input(images)
    assert inputs.dtype == np.float32
    assert inputs.tolist() == [[[[0.0], [1.0]]]]


def test_batches_are_shuffled_anew_every_epoch_and_repeat_with_the_seed(small_digits: Digits) -> None:
    batches = training_batches(small_digits, Task.DIGIT, seed=1)
    (first, targets), (second, _) = next(iter(batches)), next(iter(batches))
    assert first.shape == (60, 28, 28, 1)
    assert targets.shape == (60, 10)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, next(iter(training_batches(small_digits, Task.DIGIT, seed=1)))[0])


def test_a_fit_keeps_the_best_epoch_by_validation_loss(data: TrainingData) -> None:
    network = small_network()
    trained = fit(network, Task.PARITY, data.train, data.validation, epochs=3, seed=1)
    assert trained.network is network
    assert trained.epochs == 3
    measured = network.evaluate(
        to_input(data.validation.images), Task.PARITY.targets(data.validation.labels), verbose=0
    )
    assert abs(measured[0] - min(network.history.history["val_loss"])) < 1e-5


def test_a_fit_learns_and_repeats(data: TrainingData) -> None:
    before = accuracy(small_network(), Task.PARITY, data.mnist_test)
    networks = [fit(small_network(), Task.PARITY, data.train, data.validation, 4, seed=1).network for _ in range(2)]
    assert accuracy(networks[0], Task.PARITY, data.mnist_test) > max(before, 0.55)
    for one, other in zip(*(network.get_weights() for network in networks), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
