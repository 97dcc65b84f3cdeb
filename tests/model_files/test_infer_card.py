"""A card for a model without one."""

import keras
import pytest
from keras import layers

from app.cnn.card import Answer, Fit, Ink
from app.cnn.network import Network
from app.model_files.errors import ModelError
from tests.pictures import four_png
from tests.small_models import build_branches, build_digits, build_logistic, build_picture, build_small, guess, parts


def test_a_reader_of_digits() -> None:
    card = guess(build_digits(), "mine")
    assert card.title == "mine"
    assert "without a card" in card.description
    assert card.classes == list("0123456789")
    assert card.input_shape == (28, 28, 1)
    assert card.value_range == (0, 1)
    assert card.fit is Fit.DIGIT
    assert card.pooling == "max"
    assert card.test_accuracy is None


def test_other_answers() -> None:
    assert guess(build_logistic()).classes == ["0", "1"]
    assert guess(build_branches()).pooling is None
    picture = guess(build_picture())
    assert (picture.classes, picture.fit, picture.input_shape) == ([], Fit.ORIGINAL, (None, None, 1))


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (layers.Rescaling(1 / 255), (0, 255)),
        (layers.Rescaling(1 / 127.5, offset=-1), (0, 255)),
        (layers.Rescaling(2.0, offset=-1), (0, 1)),
        (layers.Normalization(mean=120.0, variance=900.0), (0, 255)),
        (layers.Normalization(mean=0.1307, variance=0.3081**2), (0, 1)),  # MNIST's
        (layers.Normalization(mean=2 * 0.1307 - 1, variance=(2 * 0.3081) ** 2), (-1, 1)),
        (layers.Normalization(mean=33.3, variance=78.6**2), (0, 255)),
        (layers.Normalization(mean=0.9, variance=0.2), (0, 255)),  # too much for what lies between 0 and 1
        (layers.Normalization(mean=30_000, variance=1e8), (0, 65_535)),
        (layers.Normalization(mean=1e6, variance=1.0), (0, 255)),
        (layers.Normalization(), (0, 1)),  # never adapted
        (layers.Normalization(mean=120.0, variance=900.0, invert=True), (0, 1)),
        (layers.ReLU(), (0, 1)),
    ],
)
@pytest.mark.parametrize("sized", [False, True])
def test_the_range_of_values_as_the_first_layers_tell_it(
    first: layers.Layer, expected: tuple[float, float], sized: bool
) -> None:
    before = [layers.Resizing(8, 8)] if sized else []
    model = keras.Sequential([keras.Input((8, 8, 1)), *before, first, layers.Flatten(), layers.Dense(3)])
    assert guess(model).value_range == expected


@pytest.mark.parametrize("side", [158, 159])
def test_more_numbers_than_an_answer_has(side: int) -> None:
    model = keras.Sequential([keras.Input((side, side, 1)), layers.Flatten(name="flat"), layers.ReLU(name="last")])
    if side == 158:
        assert len(guess(model).classes) == 158**2
    else:
        with pytest.raises(ModelError, match="last layer, “last”, gives 25,281 numbers; at most 25,000 are named"):
            guess(model)


def test_the_app_runs_it_by_this_card() -> None:
    from app.explore.forward_passes import preprocess
    from app.explore.prediction import predict

    model = build_digits()
    card = guess(model)
    network = Network("m", parts(model), card)
    assert len(predict(network, network.run(preprocess(four_png(), card))).probabilities) == 10


@pytest.mark.parametrize(
    ("shape", "fit", "ink"),
    [
        ((28, 28, 1), Fit.DIGIT, Ink.BRIGHT),
        ((40, 40, 1), Fit.DIGIT, Ink.BRIGHT),
        ((41, 41, 1), Fit.FIT, Ink.DARK),
        ((28, 30, 1), Fit.FIT, Ink.DARK),
        ((32, 32, 3), Fit.FIT, Ink.DARK),
        ((28, 28, 2), Fit.FIT, Ink.DARK),
        ((None, None, 1), Fit.ORIGINAL, Ink.BRIGHT),
        ((None, None, 3), Fit.FIT, Ink.DARK),
        ((None, 64, 1), Fit.FIT, Ink.DARK),
    ],
)
def test_how_a_drawing_becomes_the_input(shape: tuple[int | None, int | None, int], fit: Fit, ink: Ink) -> None:
    card = guess(build_small(shape, 3))
    assert (card.fit, card.ink) == (fit, ink)


@pytest.mark.parametrize(
    ("units", "activation", "answer", "classes"),
    [
        (3, "softmax", Answer.PROBABILITIES, 3),
        (3, "sigmoid", Answer.PROBABILITIES, 3),
        (1, "sigmoid", Answer.PROBABILITIES, 2),
        (3, None, Answer.LOGITS, 3),
        (1, None, Answer.VALUES, 1),
        (2, "tanh", Answer.VALUES, 2),
    ],
)
def test_what_the_answer_is(units: int, activation: str | None, answer: Answer, classes: int) -> None:
    card = guess(build_small((28, 28, 1), units, activation))
    assert (card.answer, len(card.classes)) == (answer, classes)
