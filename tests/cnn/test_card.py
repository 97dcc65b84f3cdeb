import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.cnn.card import Card, Fit, read_card, write_card
from tests.small_models import build_logistic, build_picture, card


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
        digit_card.title = "Another"  # type: ignore[misc]
