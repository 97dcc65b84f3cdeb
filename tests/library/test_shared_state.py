"""Two libraries with one state, as in two processes. Neither reads the disk by itself: what one changes, it tells."""

import json
import math
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.cnn.card import Card, Fit, Ink
from app.library import library as library_module
from app.library.files import ModelFile
from app.library.library import Library, UnknownModel
from app.library.models import ModelState
from app.library.readings import Reading, Readings, TriedReading
from app.model_files.serialization import ScanResult


@dataclass(frozen=True)
class Two:
    one: Library
    other: Library
    own: Path  # a folder of models that both of them serve


@pytest.fixture
def two(opened: list[str], built_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Two]:
    monkeypatch.setattr(library_module, "_REFRESH_SECONDS", math.inf)
    (tmp_path / "own").mkdir()
    one, other = (Library(built_in, [tmp_path / "own"], state=tmp_path / "state") for _ in range(2))
    rest(one, other)
    yield Two(one, other, tmp_path / "own")
    one.close()
    other.close()


def add(library: Library, model: Path, filename: str = "mine.keras") -> str:
    with model.open("rb") as content:
        return library.add(filename, content).name


def rest(*libraries: Library) -> None:
    """Let each hear what the others have told so far."""
    for library in libraries * 2:
        library.entries()


def names(library: Library) -> list[str]:
    return [entry.name for entry in library]


def readings(*classes: str) -> Readings:
    reading = Reading(value_range=(0, 1), fit=Fit.DIGIT, ink=Ink.DARK, classes=list(classes))
    return Readings(
        tried=1, drawings=10, what="digits", as_told=None, best=[TriedReading(right=9, reading=reading)], is_used=True
    )


def test_a_model_that_one_opened_answers_through_the_other(two: Two, mine: Path) -> None:
    name = add(two.one, mine)
    assert names(two.other) == ["digits", name]
    assert two.other.network(name).card.title == "mine"


def test_a_model_that_one_deleted_is_gone_from_the_other(two: Two, mine: Path) -> None:
    name = add(two.one, mine)
    assert two.other.network(name) and two.other.cached_network(name)
    two.one.remove(name)
    for asked in (two.other.entry, two.other.network, two.other.cached_network, two.other.card, two.other.remove):
        with pytest.raises(UnknownModel):
            asked(name)
    assert names(two.other) == ["digits"]


def test_what_one_deleted_takes_no_memory_of_the_other(two: Two, mine: Path) -> None:
    name = add(two.one, mine)
    two.other.network(name)
    key = two.other.entry(name).file.key
    assert key in two.other._scanner._results and name in two.other._opening
    two.one.remove(name)
    rest(two.one, two.other)
    for library in (two.one, two.other):
        assert key not in library._scanner._results and name not in library._opening


def test_a_card_holds_everywhere_at_once(two: Two, mine: Path) -> None:
    name = add(two.one, mine)
    two.other.network(name)
    for number in range(30):
        writer, reader = (two.one, two.other) if number % 2 else (two.other, two.one)
        writer.write_card(name, {"title": f"Title {number}"})
        for library in (reader, writer):
            assert library.card(name).title == f"Title {number}"
            assert library.network(name).card.title == f"Title {number}"


def test_what_one_tried_the_other_knows(two: Two, mine: Path) -> None:
    name = add(two.one, mine)
    assert two.other.entry(name).readings is None
    two.one.keep_readings(name, readings("a", "b", "c"))
    entry = two.other.entry(name)
    assert entry.readings is not None and entry.readings.is_used
    assert two.other.card(name).classes == ["a", "b", "c"]


def test_what_was_tried_replaces_no_card_that_somebody_wrote_meanwhile(two: Two, mine: Path) -> None:
    name = add(two.one, mine)
    two.other.write_card(name, {"classes": ["x", "y", "z"]})
    two.one.keep_readings(name, readings("a", "b", "c"))
    two.other.keep_readings(name, readings("d", "e", "f"))
    for library in (two.one, two.other):
        kept = library.entry(name).readings
        assert library.card(name).classes == ["x", "y", "z"]
        assert kept is not None and not kept.is_used and kept.best[0].reading.classes == ["a", "b", "c"]


def test_different_fields_that_two_write_at_once_are_both_kept(two: Two, mine: Path) -> None:
    name = add(two.one, mine)
    fields = ["title", "description"]
    for number in range(10):
        with ThreadPoolExecutor(2) as threads:
            told = [
                threads.submit(library.write_card, name, {field: f"{field} {number}"})
                for library, field in zip((two.one, two.other), fields, strict=True)
            ]
            for each in told:
                each.result()
        for library in (two.one, two.other):
            card = library.card(name)
            assert (card.title, card.description) == (f"title {number}", f"description {number}")


def test_a_card_for_a_model_that_was_deleted_meanwhile_is_not_kept(
    two: Two, mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = add(two.one, mine)
    inferred = two.one._inferred

    def infer_too_late(file: ModelFile, result: ScanResult) -> Card:
        two.other.remove(name)
        return inferred(file, result)

    monkeypatch.setattr(two.one, "_inferred", infer_too_late)
    with pytest.raises(UnknownModel, match="There is no model “mine”"):
        two.one.write_card(name, {"title": "Too late"})
    assert list((tmp_path / "state").glob("*.card.json")) == []


def test_the_same_name_with_another_ending(two: Two, mine: Path) -> None:
    with ThreadPoolExecutor(2) as threads:
        told = [threads.submit(add, two.one, mine, "mine.keras"), threads.submit(add, two.other, mine, "mine.h5")]
        added = [each.result() for each in told]
    assert sorted(added) == ["mine", "mine-2"]
    for name, ending in zip(added, (".keras", ".h5"), strict=True):
        assert [library.entry(name).file.path.suffix for library in (two.one, two.other)] == [ending] * 2


def test_what_changed_on_disk_is_seen_by_all_once_one_has_seen_it(two: Two, mine: Path) -> None:
    shutil.copy(mine, two.own / "own.keras")
    assert names(two.one) == names(two.other) == ["digits"]
    two.one.entries(now=True)  # as each does twice a second
    assert names(two.other) == ["digits", "own"]
    two.one._scanner.scan(two.one.entry("own").file)
    assert [library.entry("own").state for library in (two.one, two.other)] == [ModelState.READY] * 2
    rest(two.one, two.other)
    (two.own / "own.json").write_text(json.dumps({"title": "Beside the file"}))
    assert two.one.card("own").title == two.other.card("own").title == "own"
    two.other.entries(now=True)
    assert two.one.card("own").title == two.other.card("own").title == "Beside the file"


def test_they_come_to_rest(two: Two, mine: Path) -> None:
    """One tells the other, which tells nobody of what it has only been told."""
    name = add(two.one, mine)
    rest(two.one, two.other)
    before = two.one._state.changes
    for _ in range(3):
        assert names(two.one) == names(two.other) == ["digits", name]
    assert two.one._state.changes == before
