"""A model from its recipe to its file and its card, on a network of a few hundred weights."""

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from app.cnn.card import Card, Fit, read_card
from app.cnn.tensorflow import trained_pooling
from app.cnn.types import PoolingMode
from app.training import outlines as outline_loop
from app.training import run as run_module
from app.training.command import NAMES, is_finished
from app.training.data import TrainingData
from app.training.evaluation import make_card
from app.training.family import FAMILY, SIBLINGS, Recipe
from app.training.run import run, save
from app.training.task import Task

pytestmark = pytest.mark.slow


def small_network() -> keras.Sequential:
    return keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(2, 3, strides=3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )


SMALL = Recipe("small", "Small", "A small one.", Task.DIGIT, small_network, epochs=2)


def quiet(_: str) -> None:
    pass


@pytest.fixture(autouse=True)
def small_in_the_family(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAMILY, "small", SMALL)


@pytest.fixture
def card(data: TrainingData) -> Card:
    return make_card(SMALL, small_network(), data, 1, seed=1)


def test_a_run_saves_a_plain_model_with_its_measured_card(data: TrainingData, tmp_path: Path) -> None:
    said: list[str] = []
    run(["small"], data, tmp_path / "new", seed=1, epochs=1, report=said.append)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "small.json",
        "small.keras",
        "small.novelty.json",
    ]
    network = keras.saving.load_model(tmp_path / "new" / "small.keras")
    assert getattr(network, "optimizer", None) is None
    card = read_card(tmp_path / "new" / "small.json")
    inputs = data.mnist_test.images[..., None] / 255
    answers = network.predict(inputs.astype(np.float32), verbose=0).argmax(axis=1)
    assert card.test_accuracy == (answers == data.mnist_test.labels).mean()
    assert card.test_accuracy_by_pooling[PoolingMode.MAX] == card.test_accuracy
    assert set(card.test_accuracy_by_pooling) == set(PoolingMode)
    assert card.pen_accuracy is not None
    assert card.parameters == network.count_params()
    assert card.training.startswith("1 epoch of 240 pictures")
    assert "seed 1" in card.training
    assert "small: saved." in said[-1]


def test_a_model_is_the_same_whichever_others_are_trained(data: TrainingData, tmp_path: Path) -> None:
    run(["small"], data, tmp_path / "alone", seed=1, epochs=1, report=quiet)
    run(["untrained", "small"], data, tmp_path / "after", seed=1, epochs=1, report=quiet)
    alone, after = (keras.saving.load_model(tmp_path / name / "small.keras") for name in ("alone", "after"))
    for one, other in zip(alone.get_weights(), after.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_untrained_keeps_its_random_weights(data: TrainingData, tmp_path: Path) -> None:
    run(["untrained"], data, tmp_path, seed=7, epochs=None, report=quiet)
    keras.utils.set_random_seed(7)
    expected = FAMILY["untrained"].build().get_weights()
    actual = keras.saving.load_model(tmp_path / "untrained.keras").get_weights()
    for one, other in zip(expected, actual, strict=True):
        np.testing.assert_array_equal(one, other)
    card = read_card(tmp_path / "untrained.json")
    assert card.trained_on == "Nothing."
    assert card.test_accuracy is not None
    assert card.test_accuracy < 0.5


def test_the_outline_network_has_no_accuracy(
    data: TrainingData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outline_loop, "STARTS", 3)
    monkeypatch.setattr(outline_loop, "PATCHES", 32)
    run(["five-layer-convolutional"], data, tmp_path, seed=1, epochs=1, report=quiet)
    card = read_card(tmp_path / "five-layer-convolutional.json")
    assert (card.classes, card.fit, card.input_shape) == ([], Fit.ORIGINAL, (None, None, 1))
    assert (card.test_accuracy, card.pen_accuracy, card.test_accuracy_by_pooling) == (None, None, {})
    assert card.parameters == 50


@pytest.mark.parametrize(("mode", "name"), SIBLINGS.items())
def test_siblings_name_each_other_and_pool_as_named(mode: PoolingMode, name: str) -> None:
    assert FAMILY[name].siblings == SIBLINGS
    assert trained_pooling(FAMILY[name].build()) is mode


def test_every_name_has_its_recipe() -> None:
    assert (*NAMES, "small") == tuple(FAMILY)


class Interrupted(BaseException):
    pass


@pytest.mark.parametrize("step", ["write_card", "_without_optimizer"])
def test_an_interrupted_save_leaves_nothing_half_written(
    step: str, card: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise Interrupted

    monkeypatch.setattr(run_module, step, interrupt)
    with pytest.raises(Interrupted):
        save(small_network(), card, tmp_path, "small")
    assert list(tmp_path.iterdir()) == []
    assert not is_finished(tmp_path, "small")


def test_an_interrupted_save_keeps_the_earlier_model(
    card: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(small_network(), card, tmp_path, "small")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def interrupt(*_: object) -> None:
        raise Interrupted

    monkeypatch.setattr(run_module, "write_card", interrupt)
    with pytest.raises(Interrupted):
        save(small_network(), card, tmp_path, "small")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_model_without_its_card_is_not_finished(card: Card, tmp_path: Path) -> None:
    save(small_network(), card, tmp_path, "small")
    assert is_finished(tmp_path, "small")
    (tmp_path / "small.json").unlink()
    assert not is_finished(tmp_path, "small")
