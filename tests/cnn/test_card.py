import json
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.cnn.card import Card, Fit, read_card, write_card
from tests.small_models import build_logistic, build_picture, card

MODELS = Path(__file__).parents[2] / "models"


@pytest.fixture
def digit_card() -> Card:
    return card(build_logistic(), pooling="max", siblings={"max": "digits"}, test_accuracy_by_pooling={"min": 0.5})


def test_a_card_is_read_as_it_was_written(digit_card: Card, tmp_path: Path) -> None:
    write_card(digit_card, tmp_path / "digits.json")
    assert read_card(tmp_path / "digits.json") == digit_card


def test_writing_leaves_the_card_alone_in_its_folder(digit_card: Card, tmp_path: Path) -> None:
    write_card(digit_card, tmp_path / "digits.json")
    write_card(digit_card, tmp_path / "digits.json")
    assert [path.name for path in tmp_path.iterdir()] == ["digits.json"]


def test_a_card_is_text_that_a_person_can_read(digit_card: Card, tmp_path: Path) -> None:
    write_card(digit_card, tmp_path / "digits.json")
    text = (tmp_path / "digits.json").read_text(encoding="utf-8")
    assert text.startswith('{\n  "title": ') and text.endswith("}\n")


def test_an_input_of_any_size_is_null(tmp_path: Path) -> None:
    write_card(card(build_picture()), tmp_path / "picture.json")
    assert json.loads((tmp_path / "picture.json").read_text())["input_shape"] == [None, None, 1]


def test_a_drawing_is_fitted_as_a_digit_unless_the_card_says_otherwise(digit_card: Card) -> None:
    assert digit_card.fit is Fit.DIGIT


@pytest.mark.parametrize(
    "fault",
    [{"pooling": "median"}, {"test_accuracy": 97.5}, {"parameters": -1}, {"accuracy": 0.9}, {"input_shape": [28, 28]}],
)
def test_a_card_with_a_fault_is_refused(digit_card: Card, fault: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / "faulty.json"
    path.write_text(json.dumps(json.loads(digit_card.model_dump_json()) | fault))
    with pytest.raises(ValidationError, match=next(iter(fault))):
        read_card(path)


def test_a_card_without_a_class_list_is_refused(digit_card: Card, tmp_path: Path) -> None:
    path = tmp_path / "faulty.json"
    path.write_text(digit_card.model_dump_json(exclude={"classes"}))
    with pytest.raises(ValidationError, match="classes"):
        read_card(path)


def test_a_card_that_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        read_card(tmp_path / "missing.json")


def test_a_card_does_not_change(digit_card: Card) -> None:
    with pytest.raises(ValidationError):
        digit_card.title = "Another"


def test_a_card_of_before_means_what_it_meant(digit_card: Card) -> None:
    assert (digit_card.ink, digit_card.answer, digit_card.channel_order) == ("bright", "probabilities", "rgb")
    assert digit_card.mean is None and digit_card.std is None and digit_card.mends == []


@pytest.mark.parametrize(
    "path", sorted(path.with_suffix(".json") for path in MODELS.glob("*.keras")), ids=lambda path: path.stem
)
def test_the_cards_of_the_models_here_are_valid(path: Path) -> None:
    own = read_card(path)
    assert own.finds_ink and own.answer == "probabilities"


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ({"value_range": (1, 1)}, "black and white both become 1: give two different numbers"),
        ({"value_range": (0, float("inf"))}, "finite"),
        ({"value_range": (0, 1e9)}, "less than or equal to 1000000"),
        ({"mean": [0.5, 0.5]}, "“mean” has 2 numbers, and the input has 1 channel"),
        ({"std": []}, "“std” has 0 numbers"),
        ({"std": [0]}, "greater than 0"),
        ({"std": [float("nan")]}, "finite"),
        ({"classes": ["a", "b", "a"]}, "two classes are called “a”"),
        ({"classes": ["a", " "]}, "class 1 has no name"),
        ({"classes": ["a", ""]}, "at least 1 character"),
        ({"classes": ["a" * 300]}, "at most 200 characters"),
        ({"input_shape": (0, 28, 1)}, "greater than or equal to 1"),
        ({"input_shape": (28, 5000, 1)}, "less than or equal to 4096"),
        ({"input_shape": (28, 28, 65)}, "less than or equal to 64"),
        ({"fit": "original"}, "the input's size is fixed: choose digit, fit, fill or stretch"),
        ({"fit": "crop"}, "'digit', 'fit', 'fill', 'stretch', 'original' or 'numbers'"),
        ({"ink": "blue"}, "'bright' or 'dark'"),
        ({"channel_order": "gbr"}, "'rgb' or 'bgr'"),
        ({"answer": "yes"}, "'probabilities', 'logits' or 'values'"),
        ({"title": ""}, "at least 1 character"),
        ({"description": "a" * 3000}, "at most 2000 characters"),
    ],
)
def test_a_card_that_contradicts_itself_is_refused_in_words(fault: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(sentence)):
        card(build_logistic(), **fault)


def test_every_field_is_described() -> None:
    assert [name for name, field in Card.model_fields.items() if not field.description] == []


@pytest.mark.parametrize(
    ("facts", "finds"),
    [
        ({"fit": "digit", "input_shape": (28, 28, 3)}, True),
        ({"fit": "original", "input_shape": (None, None, 1)}, True),
        ({"fit": "original", "input_shape": (None, None, 3)}, False),
        ({"fit": "original", "input_shape": (None, None, 1), "ink": "dark"}, False),
        ({"fit": "fit"}, False),
    ],
)
def test_when_ink_is_told_from_paper(facts: dict[str, object], finds: bool) -> None:
    assert card(build_logistic(), **facts).finds_ink is finds
