"""What a network's answer says."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from app.cnn.card import Answer
from app.cnn.network import Network
from app.cnn.types import Array
from app.explore.forward_passes import preprocess
from app.explore.prediction import NO_LABEL, NO_SHAPE, Prediction, predict
from tests.pictures import dot_png, four_png
from tests.small_models import card, parts


def answer(outputs: list[float], activation: str | None = None, **facts: Any) -> Prediction:
    """The prediction of a network whose last layer's scores are these, whatever it sees."""
    model = keras.Sequential(
        [keras.Input((2, 2, 1)), layers.Flatten(), layers.Dense(len(outputs), activation=activation)]
    )
    model.layers[-1].set_weights([np.zeros((4, len(outputs))), np.array(outputs)])
    names = [f"class {number}" for number in range(len(outputs))]
    network = Network("fixed", parts(model), card(model, **{"classes": names, **facts}))
    return predict(network, network.run(np.zeros((2, 2, 1), dtype=np.float32)))


def test_softmax_is_exclusive_and_sigmoid_is_not() -> None:
    exclusive = answer([1, 2, 3], "softmax")
    independent = answer([1, 2, 3], "sigmoid")
    assert exclusive.is_exclusive and not independent.is_exclusive
    assert sum(each.probability for each in exclusive.probabilities) == pytest.approx(1)
    assert [each.probability for each in independent.probabilities] == pytest.approx(
        [1 / (1 + np.exp(-score)) for score in (1, 2, 3)]
    )
    assert independent.label == "class 2" and not independent.is_binary


def test_logits_are_shown_as_their_softmax_and_kept_as_they_are() -> None:
    prediction = answer([0, np.log(3)], answer="logits")
    assert prediction.answer is Answer.LOGITS and prediction.is_exclusive
    assert [each.probability for each in prediction.probabilities] == pytest.approx([0.25, 0.75])
    assert [each.value for each in prediction.values] == pytest.approx([0, np.log(3)])
    assert prediction.label == "class 1"
    assert prediction.probability == pytest.approx(0.75)


def test_a_lone_logit_is_shown_as_its_logistic_function() -> None:
    prediction = answer([np.log(3)], answer="logits", classes=["no", "yes"])
    assert prediction.is_binary
    assert [each.probability for each in prediction.probabilities] == pytest.approx([0.25, 0.75])
    assert [each.label for each in prediction.values] == ["yes"]
    assert [each.value for each in prediction.values] == pytest.approx([np.log(3)])


def see(image: Array, **facts: Any) -> Prediction:
    """The prediction of a network that sees this image."""
    model = keras.Sequential([keras.Input(image.shape), layers.Flatten(), layers.Dense(2, activation="softmax")])
    network = Network("seeing", parts(model), card(model, **facts))
    return predict(network, network.run(image))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("facts", [{}, {"ink": "dark"}, {"value_range": (1, -1)}], ids=str)
def test_a_dot_is_no_digit_in_whatever_range_a_model_sees_it(facts: dict[str, Any], channels: int) -> None:
    seen = card(keras.Sequential([keras.Input((28, 28, channels)), layers.Flatten(), layers.Dense(2)]), **facts)
    assert see(preprocess(dot_png(), seen), **facts).no_digit == NO_SHAPE
    assert see(preprocess(four_png(), seen), **facts).no_digit is None


def test_what_need_not_be_a_digit_may_be_a_dot() -> None:
    facts = {"fit": "stretch"}
    seen = card(keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(2)]), **facts)
    assert see(preprocess(dot_png(), seen), **facts).no_digit is None


def test_values_are_shown_as_they_are() -> None:
    lone = answer([37.25], answer="values", classes=["age"])
    assert (lone.label, lone.probability, lone.probabilities) == ("37.25", None, ())
    several = answer([-1, 5], answer="values")
    assert (several.label, several.probability) == (NO_LABEL, None)
    assert [each.value for each in several.values] == [-1, 5]


def test_the_five_most_likely_of_a_thousand() -> None:
    prediction = answer(list(np.arange(1000) / 100), "softmax")
    assert [each.label for each in prediction.top(5)] == [f"class {number}" for number in (999, 998, 997, 996, 995)]
    assert len(prediction.probabilities) == 1000


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", list(Answer))
def test_an_answer_that_is_not_a_number(broken: float, kind: Answer) -> None:
    prediction = answer([0, broken, 1], answer=kind)
    assert not prediction.is_number
    assert (prediction.label, prediction.probability) == (NO_LABEL, None)
    assert prediction.note is not None and "not a number" in prediction.note


def test_a_lone_answer_that_is_not_a_number() -> None:
    prediction = answer([np.nan], "sigmoid", classes=["no", "yes"])
    assert (prediction.label, prediction.probability, len(prediction.probabilities)) == (NO_LABEL, None, 2)


@pytest.mark.parametrize("classes", [["a"], ["a", "b", "c", "d"]])
def test_a_card_that_names_other_classes_than_there_are(classes: list[str]) -> None:
    prediction = answer([1, 3, 2], "softmax", classes=classes)
    assert [each.label for each in prediction.probabilities] == ["0", "1", "2"]
    assert prediction.label == "1"
    assert prediction.note is not None and f"names {len(classes)} classes" in prediction.note
