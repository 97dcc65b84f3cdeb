"""Two machines that share a store: each has a folder of its own, and sees what the other changes."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.library import stored_state
from app.library.library import Library, UnknownModel
from app.library.store import ObjectStore, StoreUnavailable
from app.library.stored_state import StoredState
from app.library.uploads import StorageError
from tests.library.test_shared_state import add, names, readings


@dataclass(frozen=True)
class Machines:
    one: Library
    other: Library
    store: Path

    def catch_up(self) -> None:
        """Let both look at the store, as each does every second."""
        for library in (self.one, self.other):
            library._state.catch_up()


@pytest.fixture
def machines(opened: list[str], built_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machines]:
    monkeypatch.setattr(stored_state, "POLL_SECONDS", 1000)
    address = f"file://{tmp_path}/store"
    one, other = (Library(built_in, state=tmp_path / name, store=address) for name in ("one", "other"))
    yield Machines(one, other, tmp_path / "store")
    one.close()
    other.close()


def break_store(monkeypatch: pytest.MonkeyPatch, *methods: str, error: StorageError | None = None) -> None:
    def fail(*_: object) -> None:
        raise error or StoreUnavailable("The store is away.")

    for method in methods:
        monkeypatch.setattr(ObjectStore, method, fail)


def objects(machines: Machines, folder: str) -> list[str]:
    return sorted(path.name for path in (machines.store / folder).iterdir())


def test_a_model_that_one_machine_took_answers_on_the_other(machines: Machines, mine: Path) -> None:
    name = add(machines.one, mine)
    assert names(machines.other) == ["digits"]
    machines.other.catch_up(name)
    assert machines.other.network(name).card.title == "mine"
    assert machines.other.entry(name).file.path.read_bytes() == mine.read_bytes()


def test_what_is_deleted_is_deleted(machines: Machines, mine: Path, tmp_path: Path) -> None:
    name = add(machines.one, mine)
    machines.other.write_card(name, {"title": "Theirs"})
    machines.other.keep_readings(name, readings("a", "b", "c"))
    machines.other.remove(name)
    machines.catch_up()
    for library in (machines.one, machines.other):
        assert names(library) == ["digits"]
        with pytest.raises(UnknownModel):
            library.catch_up(name)
    for machine in ("one", "other"):
        left = [path.name for path in (tmp_path / machine).rglob("*") if path.is_file()]
        assert [each for each in left if "card" in each or "readings" in each or each.endswith(".keras")] == []


def test_a_card_that_one_saved_is_the_other_s(machines: Machines, mine: Path) -> None:
    name = add(machines.one, mine)
    for number in range(6):
        writer, reader = (machines.one, machines.other) if number % 2 else (machines.other, machines.one)
        writer.write_card(name, {"title": f"Title {number}"})
        reader._state.catch_up()
        assert [library.card(name).title for library in (writer, reader)] == [f"Title {number}"] * 2


def test_readings_are_shared_with_the_card_that_they_gave(machines: Machines, mine: Path) -> None:
    name = add(machines.one, mine)
    machines.one.keep_readings(name, readings("a", "b", "c"))
    machines.other.catch_up(name)
    entry = machines.other.entry(name)
    assert entry.readings is not None and entry.readings.is_used
    assert machines.other.card(name).classes == ["a", "b", "c"]


def test_different_fields_that_two_machines_write_at_once_are_both_kept(machines: Machines, mine: Path) -> None:
    name = add(machines.one, mine)
    machines.catch_up()
    for number in range(5):
        both = ((machines.one, "title"), (machines.other, "description"))
        with ThreadPoolExecutor(2) as threads:
            told = [threads.submit(library.write_card, name, {field: f"{field} {number}"}) for library, field in both]
            for each in told:
                each.result()
        machines.catch_up()
        for library in (machines.one, machines.other):
            card = library.card(name)
            assert (card.title, card.description) == (f"title {number}", f"description {number}")


def test_two_uploads_of_one_name_at_once_get_two_names(machines: Machines, mine: Path) -> None:
    with ThreadPoolExecutor(4) as threads:
        libraries = (machines.one, machines.other, machines.one, machines.other)
        told = [threads.submit(add, library, mine) for library in libraries]
        added = sorted(each.result() for each in told)
    assert added == ["mine", "mine-2", "mine-3", "mine-4"]
    machines.catch_up()
    assert names(machines.one) == names(machines.other) == ["digits", *added]


def test_a_machine_that_comes_later_has_all_of_it(
    machines: Machines, mine: Path, built_in: Path, tmp_path: Path
) -> None:
    name = add(machines.one, mine)
    machines.one.write_card(name, {"title": "Kept"})
    late = Library(built_in, state=tmp_path / "late", store=f"file://{machines.store}")
    assert late.network(name).card.title == "Kept"
    late.close()


@pytest.mark.parametrize("broken", ["send", "create"])
def test_while_the_store_is_away_nothing_is_changed_and_all_else_answers(
    machines: Machines, mine: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    name = add(machines.one, mine)
    with monkeypatch.context() as context:
        break_store(context, broken)
        with pytest.raises(StoreUnavailable, match=r"The store is away."):
            add(machines.one, mine)
        if broken == "create":
            for change in (lambda: machines.one.write_card(name, {"title": "No"}), lambda: machines.one.remove(name)):
                with pytest.raises(StoreUnavailable, match=r"The store is away."):
                    change()
        assert names(machines.one) == ["digits", name]
        assert machines.one.network(name).card.title == "mine"
    assert add(machines.one, mine) == "mine-2"
    machines.catch_up()
    assert names(machines.other) == ["digits", "mine", "mine-2"]


def test_nobody_waits_for_a_store_that_has_not_answered(
    machines: Machines, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = add(machines.one, mine)
    asked: list[str] = []

    def answer(_: ObjectStore, folder: str) -> list[str]:
        asked.append(folder)
        return ["000000000001"]

    with monkeypatch.context() as context:
        break_store(context, "names")
        with pytest.raises(StoreUnavailable):
            machines.one.catch_up("unknown")
        context.setattr(ObjectStore, "names", answer)
        with pytest.raises(StoreUnavailable, match=r"The store is away."):
            machines.one.catch_up("unknown")
        with pytest.raises(StoreUnavailable, match=r"The store is away."):
            machines.one.write_card(name, {"title": "No"})
        assert asked == []
        state = machines.one._state
        assert isinstance(state, StoredState)
        state._pull()  # as its thread does every second
        assert asked == ["changes"]
    machines.one.write_card(name, {"title": "Yes"})
    assert machines.one.card(name).title == "Yes"


def test_a_change_whose_answer_was_lost_counts_once(
    machines: Machines, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = ObjectStore.create

    def lose(store: ObjectStore, name: str, data: bytes) -> None:
        create(store, name, data)
        raise StoreUnavailable("The answer was lost.")

    monkeypatch.setattr(ObjectStore, "create", lose)
    assert add(machines.one, mine) == "mine"
    machines.catch_up()
    assert names(machines.one) == names(machines.other) == ["digits", "mine"]


def test_where_nobody_knows_whether_it_was_kept_that_is_said(
    machines: Machines, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = add(machines.one, mine)
    create = ObjectStore.create

    def lose(store: ObjectStore, path: str, data: bytes) -> None:
        create(store, path, data)
        break_store(monkeypatch, "read")
        raise StoreUnavailable("The answer was lost.")

    monkeypatch.setattr(ObjectStore, "create", lose)
    with pytest.raises(StoreUnavailable, match=r"The answer was lost. It is not known whether the change was kept"):
        machines.one.write_card(name, {"title": "Perhaps"})
    monkeypatch.undo()
    machines.catch_up()
    assert [library.card(name).title for library in (machines.one, machines.other)] == ["Perhaps"] * 2


def test_a_full_store_says_so(machines: Machines, mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    break_store(monkeypatch, "send", error=StorageError("The store is full."))
    with pytest.raises(StorageError, match=r"The store is full.") as raised:
        add(machines.one, mine)
    assert not isinstance(raised.value, StoreUnavailable)
    assert names(machines.one) == ["digits"]


def test_a_file_that_arrives_changed_is_not_taken(
    machines: Machines, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = add(machines.one, mine)
    (held,) = objects(machines, "models")
    (machines.store / "models" / held).write_bytes(b"Something else.")
    with pytest.raises(StoreUnavailable, match="gave another file than it was given"):
        machines.other.catch_up(name)
    assert names(machines.other) == ["digits"]


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"models": {"../../x.keras": {"object": "1", "size": 1, "sha256": ""}}}', '{"number": "many"}'],
)
def test_what_this_version_cannot_read_is_left_alone(machines: Machines, mine: Path, text: str) -> None:
    name = add(machines.one, mine)
    (machines.store / "changes" / "000000000099").write_text(text)
    with pytest.raises(StorageError, match="holds what this version of Layerglass cannot read"):
        machines.one._state.catch_up()
    with pytest.raises(StorageError, match="cannot read"):
        machines.one.write_card(name, {"title": "No"})
    assert machines.one.network(name).card.title == "mine"


def test_what_nobody_needs_is_deleted(machines: Machines, mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But neither an upload of another machine that is under way nor what is shared."""
    monkeypatch.setattr(stored_state, "_KEPT_CHANGES", 2)
    add(machines.one, mine)
    name = add(machines.other, mine)
    machines.one.catch_up(name)
    machines.one.remove(name)
    (machines.store / "models" / "1000000000-0123456789abcdef").write_bytes(b"An upload that was broken off.")
    (machines.store / "models" / "9000000000-0123456789abcdef").write_bytes(b"An upload that is under way.")
    (removed,) = (
        set(objects(machines, "models"))
        - {json.loads(each.read_text())["models"]["mine.keras"]["object"] for each in machines.store.glob("changes/*3")}
        - {"1000000000-0123456789abcdef", "9000000000-0123456789abcdef"}
    )
    state = machines.one._state
    assert isinstance(state, StoredState)
    state._tidy()
    left = objects(machines, "models")
    assert "1000000000-0123456789abcdef" not in left
    assert "9000000000-0123456789abcdef" in left and removed in left  # not an hour old
    assert len(left) == 3
    assert objects(machines, "changes") == ["000000000002", "000000000003"]
    add(machines.one, mine)
    machines.catch_up()
    assert names(machines.other) == ["digits", "mine", "mine-2"]


def test_it_is_followed_without_being_asked(
    opened: list[str], built_in: Path, mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_state, "POLL_SECONDS", 0.01)
    address, before = f"file://{tmp_path}/store", threading.active_count()
    one, other = (Library(built_in, state=tmp_path / name, store=address) for name in ("one", "other"))
    name = add(one, mine)
    while name not in names(other):
        time.sleep(0.01)
    other.remove(name)
    while name in names(one):
        time.sleep(0.01)
    one.close()
    other.close()
    while threading.active_count() > before:
        time.sleep(0.01)
