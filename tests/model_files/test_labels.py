"""The names of classes, as people keep them beside a model."""

import json
from typing import Any

import keras
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cnn.card import Card, Fit, Ink
from app.model_files.labels import FILE_NAMES, LabelsFile, find_labels, name_classes
from tests.small_models import build_picture, build_small, guess

PETS = ["cat", "dog", "owl"]


@pytest.fixture(scope="module")
def counted() -> Card:
    """The card of a model of three classes that came without names."""
    return guess(build_small((24, 24, 3), 3, "softmax"))


def named(card: Card, name: str, written: Any, model: str = "pets.h5") -> Card:
    data = written if isinstance(written, bytes) else written.encode()
    return name_classes(card, LabelsFile(name, data, model))


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("labels.txt", "cat\ndog\nowl\n"),
        ("labels.txt", "0 cat\n1 dog\n2 owl"),
        ("labels.txt", "0: cat\r\n1: dog\r\n2: owl\r\n"),
        ("classes.txt", "1. cat\n2. dog\n3. owl"),
        ("class_names.txt", "\n cat \n\ndog\nowl\n\n"),
        ("labels.txt", "cat\ndog\nowl".encode("utf-16")),
        ("labels.txt", "\ufeffcat\ndog\nowl".encode()),
        ("class_names.json", json.dumps(PETS)),
        ("labels.json", json.dumps({"0": "cat", "2": "owl", "1": "dog"})),
        ("labels.json", json.dumps({"owl": 2, "cat": 0, "dog": 1})),
        ("labels.json", json.dumps({"owl": "2", "cat": "0", "dog": "1"})),
        ("labels.json", json.dumps({"0": ["n1", "cat"], "1": ["n2", "dog"], "2": ["n3", "owl"]})),
        ("labels.json", json.dumps({"id2label": {"0": "cat", "1": "dog", "2": "owl"}})),
        ("metadata.json", json.dumps({"tmVersion": "2.4.7", "imageSize": 224, "labels": PETS})),
    ],
)
def test_every_usual_form(name: str, written: Any, counted: Card) -> None:
    card = named(counted, name, written)
    assert card.classes == PETS
    assert card.mends == []
    assert f"“{name}”" in card.description
    assert (card.fit, card.value_range) == (counted.fit, counted.value_range)


@pytest.mark.parametrize(
    ("written", "classes"),
    [
        ("2 of hearts\n3 of hearts\n10 of hearts", ["2 of hearts", "3 of hearts", "10 of hearts"]),
        ("1\n2\n0", ["1", "2", "0"]),
        ("cat\ncat\ncat (2)", ["cat", "cat (3)", "cat (2)"]),
        ("café\nÜber\x07\tx\n" + "y" * 300, ["café", "Über· x", "y" * 200]),
        ("café\nnaïve\nß".encode("cp1252"), ["café", "naïve", "ß"]),
    ],
)
def test_names_are_kept_as_far_as_a_card_takes_them(written: Any, classes: list[str], counted: Card) -> None:
    assert named(counted, "labels.txt", written).classes == classes


def test_too_few_names_leave_numbers(counted: Card) -> None:
    card = named(counted, "labels.txt", "0 cat\n1 dog")
    assert card.classes == ["cat", "dog", "2"]
    assert card.mends == ["“labels.txt” names 2 of the 3 classes; the others have numbers."]


@pytest.mark.parametrize(
    ("name", "written", "says"),
    [
        ("labels.txt", "a\nb\nc\nd", "“labels.txt” names 4 classes, and the model answers with 3, so"),
        ("labels.txt", "", "names no classes"),
        ("labels.txt", b"\0\1\2", "is no text"),
        ("labels.json", "[", "is not valid JSON"),
        ("labels.json", "[" * 100_000, "is not valid JSON"),
        ("labels.json", "[]", "names no classes"),
        ("labels.json", "3", "names no classes"),
        ("labels.json", '{"cat": 0, "dog": 2}', "names no classes"),
        ("labels.json", '{"cat": 0, "dog": 0}', "names no classes"),
        ("labels.json", '[{"name": "cat"}]', "names no classes"),
    ],
)
def test_what_names_nothing_is_said_and_the_model_opens(name: str, written: Any, says: str, counted: Card) -> None:
    card = named(counted, name, written)
    assert card.classes == counted.classes
    assert [says in mend for mend in card.mends] == [True]


def test_a_file_of_metadata_may_hold_anything_else(counted: Card) -> None:
    assert named(counted, "metadata.json", '{"keras_version": "3"}') == counted


@given(data=st.binary(max_size=40) | st.text(max_size=40).map(str.encode), name=st.sampled_from(FILE_NAMES))
def test_any_bytes_give_a_card(data: bytes, name: str, counted: Card) -> None:
    card = named(counted, name, data)
    assert Card.model_validate(card.model_dump()) == card
    assert len(card.classes) == 3


def test_a_model_that_answers_with_a_picture_has_no_classes() -> None:
    card = guess(build_picture())
    assert named(card, "labels.txt", "cat\ndog") == card


def test_two_names_for_a_lone_neuron() -> None:
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(1, "sigmoid")])
    assert named(guess(model), "labels.txt", "cats\ndogs").classes == ["cats", "dogs"]


def test_teachable_machine_s_models_take_the_middle_of_a_picture(counted: Card) -> None:
    card = named(counted, "labels.txt", "0 cat\n1 dog\n2 owl", "keras_model.h5")
    assert (card.classes, card.value_range, card.fit, card.ink) == (PETS, (-1, 1), Fit.FILL, Ink.DARK)
    told = counted.model_copy(update={"value_range": (0, 255)})
    assert named(told, "labels.txt", "0 cat\n1 dog\n2 owl", "keras_model.h5").value_range == (0, 255)


@pytest.mark.parametrize(
    ("files", "alone", "found"),
    [
        (["labels.txt"], True, "labels.txt"),
        (["labels.txt"], False, None),
        (["class_names.json", "Labels.TXT", "notes.txt"], True, "Labels.TXT"),
        (["pets.labels.txt", "labels.txt"], False, "pets.labels.txt"),
        (["pets_class_names.json"], False, "pets_class_names.json"),
        (["cats.labels.txt", "pets.json"], True, None),
        ([], True, None),
    ],
)
def test_which_file_goes_with_a_model(files: list[str], alone: bool, found: str | None) -> None:
    assert find_labels(files, "pets.h5", alone) == found


def test_a_card_is_no_file_of_labels() -> None:
    assert find_labels(["labels.json"], "labels.h5", alone=True) is None
