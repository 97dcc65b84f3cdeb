import json
from pathlib import Path

import pytest

from app.cnn.card import Card, write_card
from app.library.cards import CardStore, merge_cards
from app.library.files import ModelFile, find_files
from app.library.state import StateFolder
from app.model_files.errors import ModelError
from tests.small_models import build_logistic, card

WHOLE = card(build_logistic(), title="Mine", classes=["no", "yes"])
WRITTEN = WHOLE.model_dump(mode="json")


@pytest.fixture
def cards(tmp_path: Path) -> CardStore:
    return CardStore(StateFolder(tmp_path / "state"))


def file(folder: Path) -> ModelFile:
    folder.mkdir(exist_ok=True)
    if not (folder / "m.keras").exists():
        (folder / "m.keras").write_bytes(b"x")
    (found,) = find_files(Path("/nowhere"), [folder])
    return found


def test_without_a_word(cards: CardStore, tmp_path: Path) -> None:
    assert cards.read(file(tmp_path)) is None


def test_the_card_beside_the_file(cards: CardStore, tmp_path: Path) -> None:
    before = cards.stamp(file(tmp_path))
    write_card(WHOLE, tmp_path / "m.json")
    assert cards.stamp(file(tmp_path)) != before
    assert cards.read(file(tmp_path)) == WHOLE.model_dump(mode="json")


def test_a_card_in_part(cards: CardStore, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text('{"classes": ["no", "yes"]}')
    assert cards.read(file(tmp_path)) == {"classes": ["no", "yes"]}


def test_a_written_card_goes_before_the_one_beside_the_file(cards: CardStore, tmp_path: Path) -> None:
    write_card(WHOLE, tmp_path / "m.json")
    before = cards.stamp(file(tmp_path))
    cards.write(file(tmp_path), {"title": "Changed"})
    assert cards.stamp(file(tmp_path)) != before
    written = cards.read(file(tmp_path))
    assert written is not None and written["title"] == "Changed"
    cards.delete(file(tmp_path))
    cards.delete(file(tmp_path))
    assert cards.read(file(tmp_path)) == WHOLE.model_dump(mode="json")


def test_a_written_card_is_seen_by_another_process(cards: CardStore, tmp_path: Path) -> None:
    cards.write(file(tmp_path), WRITTEN)
    assert CardStore(StateFolder(tmp_path / "state")).read(file(tmp_path)) == WHOLE.model_dump(mode="json")


def test_a_written_card_is_of_the_file_as_it_stood(cards: CardStore, tmp_path: Path) -> None:
    cards.write(file(tmp_path), WRITTEN)
    (tmp_path / "m.keras").write_bytes(b"another model")
    assert cards.read(file(tmp_path)) is None


def test_models_of_the_longest_file_name(cards: CardStore, tmp_path: Path) -> None:
    folder = tmp_path / "long"
    folder.mkdir()
    (folder / ("m" * 249 + ".keras")).write_bytes(b"x")
    (found,) = find_files(Path("/nowhere"), [folder])
    cards.write(found, WRITTEN)
    assert cards.read(found) == WHOLE.model_dump(mode="json")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"{", r"is not valid JSON \(line 1, column 2\)\. Correct it, or take it away"),
        (b"", "is not valid JSON"),
        (b'{"title": "\xff"}', "is not valid JSON"),
        (b"[" * 100_000, "is not valid JSON"),
        (b'{"value_range": [0, NaN]}', "is not valid JSON"),
        (b"[]", "no object with a card's fields"),
        (b'"card"', "no object with a card's fields"),
        (b'{"title": "' + b"x" * 2**20 + b'"}', "has more than 1,048,576 bytes"),
    ],
    ids=["cut", "empty", "no UTF-8", "deep", "NaN", "a list", "a string", "large"],
)
def test_a_card_that_cannot_be_read(cards: CardStore, data: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_bytes(data)
    with pytest.raises(ModelError, match=says) as caught:
        cards.read(file(tmp_path))
    assert "“m.json”" in str(caught.value)


def test_a_folder_in_the_place_of_a_card(cards: CardStore, tmp_path: Path) -> None:
    (tmp_path / "m.json").mkdir()
    with pytest.raises(ModelError, match="cannot be read: Is a directory"):
        cards.read(file(tmp_path))


def test_a_card_that_is_too_large_to_be_read_is_not_written(cards: CardStore, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="at most 1,048,576 are kept"):
        cards.write(file(tmp_path), {"title": "x" * 2**20})
    assert cards.read(file(tmp_path)) is None


def test_a_state_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("A file.")
    with pytest.raises(OSError):
        CardStore(StateFolder(tmp_path / "state")).write(file(tmp_path / "models"), WRITTEN)


def test_writing_leaves_nothing_else(cards: CardStore, tmp_path: Path) -> None:
    cards.write(file(tmp_path / "models"), WRITTEN)
    cards.write(file(tmp_path / "models"), WRITTEN)
    assert len(list((tmp_path / "state").iterdir())) == 1


def test_a_whole_card_is_taken_at_its_word_until_the_model_is_opened() -> None:
    assert merge_cards(json.loads(WHOLE.model_dump_json()), None) == WHOLE


@pytest.mark.parametrize("written", [None, {"title": "only"}, {}])
def test_without_a_whole_card_the_model_tells(written: dict[str, object] | None) -> None:
    assert merge_cards(written, None) is None


def test_a_card_in_part_is_completed() -> None:
    inferred = WHOLE.model_copy(update={"title": "m", "classes": ["0", "1"]})
    completed = merge_cards({"classes": ["no", "yes"]}, inferred)
    assert isinstance(completed, Card)
    assert (completed.classes, completed.title) == (["no", "yes"], "m")
    assert merge_cards(None, inferred) == inferred


def test_a_card_that_contradicts_the_model_is_refused() -> None:
    with pytest.raises(ModelError):
        merge_cards({"parameters": -3}, WHOLE)
