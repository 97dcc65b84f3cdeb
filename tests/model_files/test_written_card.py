"""A card that a person wrote, held against its model."""

from typing import Any

import pytest

from app.cnn.card import Card
from app.model_files.errors import ModelError
from app.model_files.infer_card import complete_card
from tests.small_models import build_digits, build_logistic, build_picture, build_small, guess


@pytest.fixture(scope="module")
def guessed() -> Card:
    return guess(build_digits(), "mine")


def refusal(told: Any, guessed: Card) -> str:
    with pytest.raises(ModelError) as refused:
        complete_card(told, guessed)
    sentence = str(refused.value)
    assert sentence.endswith(".") and "\n" not in sentence
    return sentence


def test_a_whole_card_is_taken_as_it_is(guessed: Card) -> None:
    own = guessed.model_copy(update={"title": "Another", "classes": list("abcdefghij")})
    assert complete_card(own.model_dump(mode="json"), guessed) == own


def test_what_is_missing_is_the_guess_s(guessed: Card) -> None:
    assert complete_card({}, guessed) == guessed
    card = complete_card({"title": "Mine", "ink": "dark", "test_accuracy": 0.5}, guessed)
    assert card == Card.model_validate(guessed.model_dump() | {"title": "Mine", "ink": "dark", "test_accuracy": 0.5})


@pytest.mark.parametrize(
    ("told", "kind"), [([], "a list"), ("{}", "a text"), (3, "a number"), (True, "true or false"), (None, "null")]
)
def test_a_card_that_is_no_object(told: Any, kind: str, guessed: Card) -> None:
    assert refusal(told, guessed).startswith(f"The card is {kind}, and should be a JSON object")


def test_fields_that_no_card_has_are_named(guessed: Card) -> None:
    assert "“colour”, “sise”; correct or remove them" in refusal({"colour": 1, "sise": 2, "title": "t"}, guessed)


@pytest.mark.parametrize(
    ("told", "part"),
    [
        ({"title": 7}, "field “title” should be a valid string, and it is “7”"),
        ({"parameters": "12"}, "field “parameters” should be a valid integer"),
        (
            {"fit": "crop"},
            "“fit” should be 'digit', 'fit', 'fill', 'stretch', 'original' or 'numbers', and it is “crop”:",
        ),
        ({"classes": ["a", 3]}, "field “classes.1” should be a valid string"),
        ({"mean": [1, 2]}, "contradicts itself: “mean” has 2 numbers, and the input has 1 channel"),
        ({"value_range": [0, 0]}, "black and white both become 0"),
        ({"value_range": [0, float("nan")]}, "finite number"),
        ({"fit": "original"}, "the input's size is fixed"),
        ({"title": "\ud800"}, "cannot be read"),
        ({"test_accuracy_by_pooling": {"median": 1}}, "test_accuracy_by_pooling"),
    ],
)
def test_values_of_the_wrong_kind(told: dict[str, Any], part: str, guessed: Card) -> None:
    assert part in refusal(told, guessed)


@pytest.mark.parametrize(
    ("told", "part"),
    [
        ({"input_shape": [32, 32, 1]}, "says input_shape [32, 32, 1], and the model has [28, 28, 1]"),
        ({"parameters": 5}, "says parameters 5, and the model has"),
        ({"pooling": "min"}, 'says pooling "min", and the model has "max"'),
        ({"pooling": None}, "says pooling null"),
        ({"classes": ["a", "b"]}, "names 2 classes, and the model answers with 10"),
        ({"classes": []}, "names 0 classes, and the model answers with 10"),
    ],
)
def test_a_card_that_contradicts_the_model(told: dict[str, Any], part: str, guessed: Card) -> None:
    sentence = refusal(told, guessed)
    assert part in sentence and "leave the field out" in sentence


def test_a_picture_has_no_classes() -> None:
    assert "answers with a picture" in refusal({"classes": ["a"]}, guess(build_picture()))


def test_a_lone_neuron_has_two_classes_or_one_value() -> None:
    logistic, linear = guess(build_logistic()), guess(build_small((28, 28, 1), 1))
    assert complete_card({"classes": ["no", "yes"]}, logistic).classes == ["no", "yes"]
    assert complete_card({"classes": ["age"]}, linear).classes == ["age"]
    assert complete_card({"answer": "logits"}, linear).classes == ["0", "1"]
    assert complete_card({"answer": "logits", "classes": ["no", "yes"]}, linear).classes == ["no", "yes"]
    assert complete_card({"answer": "values", "classes": ["age"]}, logistic).classes == ["age"]
    assert "names 1 classes" not in refusal({"classes": ["a", "b", "c"]}, logistic)
