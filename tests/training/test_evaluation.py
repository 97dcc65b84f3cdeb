import json
from pathlib import Path

import keras
import pytest
from keras import layers

from app.cnn.card import Card, write_card
from app.training.data import TrainingData
from app.training.evaluation import compare_with_card, load, make_card, task_of
from app.training.family import Recipe
from app.training.mnist import BadInput
from app.training.task import Task


def small_network() -> keras.Sequential:
    return keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.AveragePooling2D(4),
            layers.Flatten(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


RECIPE = Recipe("small", "Small", "A small one.", Task.PARITY, small_network, epochs=1)


@pytest.fixture
def network() -> keras.Sequential:
    keras.utils.set_random_seed(3)
    return small_network()


@pytest.fixture
def card(network: keras.Sequential, data: TrainingData) -> Card:
    return make_card(RECIPE, network, data, 1, seed=1)


def test_a_true_card_agrees(network: keras.Sequential, card: Card, data: TrainingData) -> None:
    lines = compare_with_card(network, card, data.mnist_test, data.pen_test)
    assert [line.name for line in lines] == [
        "parameters",
        "test_accuracy",
        "test_accuracy_by_pooling.max",
        "test_accuracy_by_pooling.average",
        "test_accuracy_by_pooling.min",
        "pen_accuracy",
    ]
    assert all(line.agrees for line in lines)


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"parameters": 1}, ["parameters"]),
        ({"test_accuracy": 0.999}, ["test_accuracy"]),
        ({"test_accuracy": None}, ["test_accuracy"]),
        ({"pen_accuracy": 0.0}, ["pen_accuracy"]),
        ({"test_accuracy_by_pooling": {}}, [f"test_accuracy_by_pooling.{mode}" for mode in ("max", "average", "min")]),
    ],
)
def test_a_false_figure_is_named(
    network: keras.Sequential, card: Card, data: TrainingData, change: dict[str, object], differs: list[str]
) -> None:
    lines = compare_with_card(network, card.model_copy(update=change), data.mnist_test, data.pen_test)
    assert [line.name for line in lines if not line.agrees] == differs


def test_one_picture_is_rounding_and_two_are_not(network: keras.Sequential, card: Card, data: TrainingData) -> None:
    assert card.test_accuracy is not None
    for pictures, agrees in ((1, True), (2, False)):
        moved = card.model_copy(update={"test_accuracy": card.test_accuracy + pictures / len(data.mnist_test)})
        assert compare_with_card(network, moved, data.mnist_test, None)[1].agrees is agrees


def test_without_strokes_the_pen_accuracy_is_left_out(
    network: keras.Sequential, card: Card, data: TrainingData
) -> None:
    assert "pen_accuracy" not in [line.name for line in compare_with_card(network, card, data.mnist_test, None)]


def test_a_card_s_classes_tell_its_task(card: Card) -> None:
    assert task_of(card) is Task.PARITY
    assert task_of(card.model_copy(update={"classes": Task.DIGIT.classes})) is Task.DIGIT
    with pytest.raises(BadInput, match="cat"):
        task_of(card.model_copy(update={"classes": ["cat", "dog"]}))


def test_load_reads_both(network: keras.Sequential, card: Card, tmp_path: Path) -> None:
    network.save(tmp_path / "m.keras")
    write_card(card, tmp_path / "m.json")
    loaded, read = load(tmp_path / "m.keras")
    assert read == card
    assert loaded.count_params() == network.count_params()


def test_load_refuses_what_is_missing_or_broken(card: Card, tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    with pytest.raises(BadInput, match="cannot both be read"):
        load(path)
    write_card(card, tmp_path / "m.json")
    path.write_bytes(b"no model")
    with pytest.raises(BadInput, match="cannot both be read"):
        load(path)
    (tmp_path / "m.json").write_text(json.dumps({"title": 1}))
    with pytest.raises(BadInput, match="is not a card"):
        load(path)
