"""A network's answers to digits, against NumPy and the figures on the cards."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from app.cnn.card import Answer, Fit, Ink
from app.cnn.network import Network
from app.cnn.types import PoolingMode
from app.datasets.digits import Digits, load_test_digits
from app.explore.evaluation import Evaluation, NotForDigits, evaluate, to_image, to_probabilities
from app.library.library import Library
from tests.small_models import build_digits, card, parts

BUILT_IN = Path(__file__).parents[2] / "models"
SOME = load_test_digits().take(slice(40))


def network(model: keras.Model, **facts: Any) -> Network:
    return Network("small", parts(model), card(model, **{"classes": list("0123456789"), **facts}))


def evaluation(probabilities: list[list[float]], expected: list[int]) -> Evaluation:
    return Evaluation(("a", "b"), np.array(expected), np.array(probabilities))


@pytest.mark.parametrize(("mode", "pooling"), [(None, layers.MaxPooling2D), ("average", layers.AveragePooling2D)])
def test_it_answers_as_keras_does(mode: str | None, pooling: type[layers.Layer]) -> None:
    model, same = build_digits(), build_digits(pooling)
    same.set_weights(model.get_weights())
    found = evaluate(network(model), SOME, None if mode is None else PoolingMode(mode))
    expected = same(SOME.images[..., np.newaxis].astype(np.float32) / 255).numpy()
    assert np.allclose(found.probabilities, expected, atol=1e-5)
    assert found.accuracy == np.mean(expected.argmax(axis=1) == SOME.labels)


def test_ink_and_paper_are_swapped() -> None:
    swapped = Digits(255 - SOME.images, SOME.labels)
    model = network(build_digits())
    assert np.allclose(evaluate(model, SOME, invert=True).probabilities, evaluate(model, swapped).probabilities)


def test_built_in_models_reach_the_accuracy_on_their_cards() -> None:
    library = Library(BUILT_IN)
    try:
        small = library.network("figure-6-3")
        found = evaluate(small, load_test_digits())
        assert abs(found.accuracy - (small.card.test_accuracy or 0)) < 1.5e-4
        assert found.classes == ("even", "odd") and found.confusion.sum() == 10_000
        assert np.trace(found.confusion) == found.is_right.sum()
    finally:
        library.close()


def test_progress_is_told_and_what_it_raises_ends_the_evaluation() -> None:
    told: list[int] = []
    evaluate(network(build_digits()), SOME, progress=told.append)
    assert told == list(range(1, 41))

    def stop(done: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        evaluate(network(build_digits()), SOME, progress=stop)


def test_confusion_has_a_row_for_what_is_right_and_a_column_for_what_is_said() -> None:
    found = evaluation([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]], [0, 1, 1])
    assert found.confusion.tolist() == [[1, 0], [1, 1]]
    assert found.accuracy == pytest.approx(2 / 3)


def test_the_calibration_error_is_the_mean_distance_of_accuracy_from_confidence() -> None:
    # Two of a confidence of 0.75, one right; one of 1.0, right: 2/3 * |0.5 - 0.75| + 1/3 * 0.
    found = evaluation([[0.75, 0.25], [0.75, 0.25], [1, 0]], [0, 1, 0])
    assert found.calibration_error() == pytest.approx(2 / 3 * 0.25)


def test_logits_become_probabilities_row_by_row() -> None:
    made = to_probabilities(np.array([[0, np.log(3)], [-1000, -1000]], np.float32), Answer.LOGITS)
    assert np.allclose(made, [[0.25, 0.75], [0.5, 0.5]])
    assert np.allclose(to_probabilities(np.array([[0.2]], np.float32), Answer.PROBABILITIES), [[0.8, 0.2]])
    assert np.allclose(to_probabilities(np.array([[1e30], [-1e30]], np.float32), Answer.LOGITS), [[0, 1], [1, 0]])


def test_a_digit_is_made_as_the_card_says() -> None:
    model = keras.Sequential([keras.Input((28, 28, 3)), layers.Flatten(), layers.Dense(10)])
    digit = SOME.images[0]
    dark = to_image(digit, card(model, ink=Ink.DARK, fit=Fit.FIT, value_range=(-1, 1), transposed=True))
    assert dark.shape == (28, 28, 3) and dark.min() == -1 and dark.max() == 1
    assert np.allclose(dark[..., 0].T, 1 - 2 * (digit / 255), atol=1e-6)
    large = keras.Sequential([keras.Input((56, 40, 1)), layers.Flatten(), layers.Dense(10)])
    image = to_image(digit, card(large, fit=Fit.DIGIT, ink=Ink.BRIGHT, value_range=(0, 1)))
    assert image.shape == (56, 40, 1) and 0.9 < image.max() <= 1
    assert not image[:8].any() and not image[48:].any() and image[8:48].any()  # in the middle, not distorted


@pytest.mark.parametrize(
    ("classes", "reason"),
    [
        (["cat", "dog", *"cdefghij"], "its classes are not the digits"),
        (list("012345678"), "its classes are not the digits"),
    ],
)
def test_a_model_of_other_classes_is_refused_with_a_reason(classes: list[str], reason: str) -> None:
    with pytest.raises(NotForDigits, match=reason):
        evaluate(network(build_digits(), classes=classes), SOME)


def test_a_model_without_class_names_is_taken_at_its_numbers_and_letters_may_stand_beside() -> None:
    assert evaluate(network(build_digits(), classes=[]), SOME).classes == tuple("0123456789")
    letters = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(12, activation="softmax")])
    found = evaluate(network(letters, classes=[*"ab", *"0123456789"]), SOME)
    assert np.array_equal(found.expected, SOME.labels + 2)


def test_a_model_that_answers_with_a_picture_or_values_is_refused() -> None:
    picture = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(1, 3)])
    for model, facts in ((picture, {"classes": []}), (build_digits(), {"answer": Answer.VALUES})):
        with pytest.raises(NotForDigits, match="not one of several classes"):
            evaluate(network(model, **facts), SOME)
