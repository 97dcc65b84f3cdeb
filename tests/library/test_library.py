"""The models by name. Files are opened in this process here, unless a test says otherwise."""

import errno
import gc
import io
import os
import shutil
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keras
import pytest

from app.cnn.card import write_card
from app.cnn.types import PoolingMode
from app.library import library as library_module
from app.library import models as models_module
from app.library.cards import CardStore
from app.library.files import EmptyLibrary, Origin
from app.library.kept import Kept
from app.library.library import Library, ReadOnlyModel, UnknownModel
from app.library.models import ModelState
from app.library.scanner import Scanner
from app.library.uploads import StorageError
from app.model_files.errors import ModelError
from app.model_files.loading import LoadedModel, load_model
from app.model_files.serialization import deserialize_weights
from app.workers.engine import DESCRIPTION_BYTES
from tests.model_files.files import save_zip
from tests.small_models import build_logistic, card, save

Make = Callable[..., Library]


@pytest.fixture
def make(opened: list[str], built_in: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes libraries that look at the disk each time, and closes them."""
    monkeypatch.setattr(library_module, "_REFRESH_SECONDS", -1)
    made: list[Library] = []

    def make(*folders: Path, **options: Any) -> Library:
        made.append(Library(options.pop("built_in", built_in), folders, **options))
        return made[-1]

    yield make
    for library in made:
        library.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A person's own, still empty."""
    (tmp_path / "own").mkdir()
    return tmp_path / "own"


def names(library: Library) -> list[str]:
    return [entry.name for entry in library]


def add(library: Library, model: Path, filename: str = "mine.keras") -> str:
    """The name of an uploaded model."""
    with model.open("rb") as content:
        return library.add(filename, content).name


def test_every_built_in_model_with_a_card_is_there(library: Library, models: Path) -> None:
    assert {entry.name for entry in library} == {path.stem for path in models.glob("*.keras")}
    assert {entry.state for entry in library} == {ModelState.READY}


def test_the_default_comes_first_and_the_others_by_name(library: Library) -> None:
    assert names(library) == ["digits", "a-plain", "branches", "digits-min", "logistic", "picture"]
    assert library.default.name == "digits"


def test_a_built_in_model_without_card_is_left_out(make: Make, tmp_path: Path) -> None:
    model = build_logistic()
    save(model, card(model, classes=["no", "yes"]), tmp_path / "with.keras")
    model.save(tmp_path / "without.keras")
    (tmp_path / "neither.txt").write_text("A note.")
    library = make(built_in=tmp_path)
    assert names(library) == ["with"]
    assert library.default.name == "with"


def test_an_unknown_model_s_sentence_names_the_models(library: Library) -> None:
    with pytest.raises(UnknownModel) as caught:
        library.network("nine")
    assert str(caught.value) == (
        "There is no model “nine”. There is: digits, a-plain, branches, digits-min, logistic, picture."
    )


def test_names_that_nobody_has_leave_nothing_behind(make: Make) -> None:
    library = make()
    for number in range(10):
        with pytest.raises(UnknownModel):
            library.network(f"nobody-{number}")
    assert library._opening == {}


def test_an_empty_folder_says_what_was_expected(make: Make, tmp_path: Path) -> None:
    with pytest.raises(EmptyLibrary, match=r"expected NAME\.keras with its card NAME\.json") as caught:
        make(built_in=tmp_path)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "pooling", "sibling"),
    [
        ("digits", PoolingMode.MIN, "digits-min"),
        ("digits-min", PoolingMode.MAX, "digits"),
        ("digits", PoolingMode.MAX, "digits"),
        ("digits", PoolingMode.AVERAGE, "digits"),
        ("digits", None, "digits"),
        ("a-plain", PoolingMode.MIN, "a-plain"),
    ],
)
def test_the_sibling_was_trained_with_the_pooling(
    library: Library, name: str, pooling: PoolingMode | None, sibling: str
) -> None:
    assert library.sibling_name(library.network(name), pooling) == sibling


def test_a_sibling_that_is_not_there_is_the_network_itself(make: Make, tmp_path: Path) -> None:
    model = build_logistic()
    save(model, card(model, classes=["no", "yes"], siblings={"min": "missing"}), tmp_path / "lonely.keras")
    library = make(built_in=tmp_path)
    lonely = library.network("lonely")
    assert library.sibling_name(lonely, PoolingMode.MIN) == lonely.name


def test_a_built_in_file_that_is_damaged_is_broken_and_the_others_are_not(
    make: Make, built_in: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "built-in"
    shutil.copytree(built_in, broken)
    for name in ("a", "b", "c"):
        shutil.copy(broken / "digits.json", broken / f"{name}.json")
    (broken / "a.keras").write_bytes(b"hello")
    shutil.copy(broken / "digits.keras", broken / "b.keras")
    (broken / "c.json").write_text("{}")
    shutil.copy(broken / "digits.keras", broken / "c.keras")
    (broken / "digits.keras").write_bytes(b"hello")
    library = make(built_in=broken)
    library.open_default()
    assert library.default.name == "b"
    assert library.layers(library.entry("a")) is None
    assert {entry.name: entry.state for entry in library} == {
        "digits": ModelState.BROKEN,
        "a": ModelState.BROKEN,
        "b": ModelState.READY,
        "c": ModelState.BROKEN,
    }
    with pytest.raises(ModelError, match=r"“a” cannot be opened\. This is not a Keras model"):
        library.network("a")
    assert library.entry("c").error == "Its card c.json is not a whole card."


def test_without_any_model_that_opens_the_server_starts_and_says_why(make: Make, folder: Path, tmp_path: Path) -> None:
    (folder / "mine.keras").write_bytes(b"hello")
    library = make(folder, built_in=tmp_path)
    library.open_default()
    with pytest.raises(ModelError, match="“mine” cannot be opened"):
        assert library.default


def test_one_of_a_person_s_own_is_opened_when_it_is_asked_for(
    make: Make, folder: Path, mine: Path, opened: list[str]
) -> None:
    shutil.copy(mine, folder / "mine.keras")
    library = make(folder)
    network = library.network("mine")
    assert network.card.classes == ["0", "1", "2"]
    assert library.cached_network("mine") is network is library.network("mine")
    entry = library.entry("mine")
    assert (entry.state, entry.file.origin, entry.card) == (ModelState.READY, Origin.OWN, network.card)
    assert library.layers(entry) == tuple(network.layers)
    assert opened == ["mine.keras"]


def test_a_file_that_appears_changes_and_goes(make: Make, folder: Path, mine: Path) -> None:
    library = make(folder)
    assert names(library) == ["digits"]
    shutil.copy(mine, folder / "mine.keras")
    first = library.network("mine")
    (folder / "mine.keras").write_bytes(b"hello")
    with pytest.raises(ModelError, match="“mine” cannot be opened"):
        library.network("mine")
    assert library.entry("mine").state is ModelState.BROKEN
    shutil.copy(mine, folder / "mine.keras")
    assert library.network("mine") is not first
    (folder / "mine.keras").unlink()
    with pytest.raises(UnknownModel):
        library.network("mine")
    assert len(library._networks) == 0


def test_a_folder_that_vanishes_and_comes_back(make: Make, folder: Path, mine: Path, opened: list[str]) -> None:
    shutil.copy(mine, folder / "mine.keras")
    library = make(folder)
    library.network("mine")
    away = folder.rename(folder.with_name("away"))
    assert names(library) == ["digits"]
    away.rename(folder)
    assert library.network("mine").card.title == "mine"
    assert opened == ["mine.keras"]


def test_a_file_that_changes_while_it_is_opened(
    make: Make, folder: Path, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(mine, folder / "mine.keras")
    library = make(folder)

    def change_meanwhile(*read: Any) -> Any:
        monkeypatch.setattr(library_module, "deserialize_weights", deserialize_weights)
        (folder / "mine.keras").write_bytes(b"hello")
        return deserialize_weights(*read)

    monkeypatch.setattr(library_module, "deserialize_weights", change_meanwhile)
    assert library.network("mine").card.title == "mine"
    with pytest.raises(ModelError, match="is not a Keras model"):
        library.network("mine")


def test_a_card_beside_the_file(make: Make, folder: Path, mine: Path) -> None:
    shutil.copy(mine, folder / "mine.keras")
    (folder / "mine.json").write_text('{"classes": ["a", "b", "c"]}')
    library = make(folder)
    network = library.network("mine")
    assert network.card.classes == ["a", "b", "c"]
    (folder / "mine.json").write_text('{"classes": ["d", "e", "f"]}')
    assert library.network("mine").card.classes == ["d", "e", "f"]
    (folder / "mine.json").write_text('{"classes": 3}')
    assert library.entry("mine").state is ModelState.BROKEN
    with pytest.raises(ModelError, match="“mine” cannot be opened"):
        library.network("mine")
    (folder / "mine.json").write_text("{")
    assert "“mine.json” is not valid JSON" in (library.entry("mine").error or "")
    (folder / "mine.json").unlink()
    assert library.network("mine").card.classes == ["0", "1", "2"]


def test_two_who_ask_for_the_same_model_open_it_once(
    make: Make, folder: Path, mine: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(mine, folder / "mine.keras")
    library = make(folder)
    built: list[int] = []

    def count(*read: Any) -> Any:
        built.append(1)
        return deserialize_weights(*read)

    monkeypatch.setattr(library_module, "deserialize_weights", count)
    with ThreadPoolExecutor(4) as pool:
        networks = list(pool.map(library.network, ["mine"] * 4))
    assert {id(network) for network in networks} == {id(networks[0])}
    assert (built, opened) == ([1], ["mine.keras"])


@pytest.fixture(scope="module")
def forty(mine: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("forty")
    model = keras.models.load_model(mine)
    whole = card(model, classes=["a", "b", "c"])
    for number in range(40):
        shutil.copy(mine, folder / f"m{number:02}.keras")
        write_card(whole, folder / f"m{number:02}.json")
    return folder


def test_of_forty_models_none_is_opened_to_list_them(
    make: Make, forty: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Scanner, "_ensure_thread", lambda self: None)
    library = make(forty)
    assert len(names(library)) == 41
    assert {entry.state for entry in library} == {ModelState.READY}
    library.open_default()
    assert opened == []
    assert len(library._networks) == 1


def test_of_forty_models_no_more_are_ready_than_the_limit(
    make: Make, forty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = make(forty, kept=Kept(3 * DESCRIPTION_BYTES))
    first = library.network("m00")
    gone = weakref.ref(library.network("m01"))
    library.network("m02")
    assert library.network("m00") is first
    library.network("m03")
    assert [library.cached_network(name) is None for name in ("m00", "m01", "m02", "m03")] == [
        False,
        True,
        False,
        False,
    ]
    assert len(library._networks) == 3
    gc.collect()
    assert gone() is None


def test_the_list_opens_a_built_in_model_once(make: Make, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def count(path: Path) -> LoadedModel:
        opened.append(path.stem)
        return load_model(path)

    monkeypatch.setattr(models_module, "load_model", count)
    library = make(built_in=models, kept=Kept(1))
    for _ in range(2):
        assert all(library.layers(entry) for entry in library)
    assert sorted(opened) == sorted(names(library))


def test_an_uploaded_model(make: Make, mine: Path, opened: list[str]) -> None:
    library = make()
    name = add(library, mine, "../Zoë’s <b>.keras")
    assert name == "Zoë’s b"
    assert library.network(name).card.title == "Zoë’s b"
    assert library.entry(name).file.origin is Origin.UPLOADED
    assert opened == ["Zoë’s b.keras"]
    library.remove(name)
    assert names(library) == ["digits"]
    assert {path.name for path in library._uploads.folder.parent.rglob("[!.]*")} == {"uploads"}
    assert (len(library._networks), library._opening) == (0, {})


def test_a_second_one_of_the_same_name(make: Make, mine: Path, folder: Path) -> None:
    shutil.copy(mine, folder / "own.keras")
    library = make(folder)
    assert add(library, mine) == "mine"
    assert add(library, mine, "mine.h5") == "mine-2"
    assert add(library, mine, "digits.keras") == "digits-2"
    assert add(library, mine, "digits.keras") == "digits-3"
    assert add(library, mine, "own.keras") == "own-2"
    library.remove("mine")
    assert names(library) == ["digits", "own", "digits-2", "digits-3", "mine-2", "own-2"]
    assert library.entry("digits-3").card.title == "digits"  # type: ignore[union-attr]


def test_the_same_name_twice_at_once(make: Make, mine: Path) -> None:
    library = make()
    with ThreadPoolExecutor(4) as pool:
        added = list(pool.map(lambda _: add(library, mine), range(4)))
    assert sorted(added) == ["mine", "mine-2", "mine-3", "mine-4"]
    assert all(library.network(name).card.parameters for name in added)


@pytest.mark.parametrize("filename", ["prediction.keras", "card.keras", "..", "a/b\\c.keras", "x" * 300, "模型" * 100])
def test_names_that_are_odd(make: Make, mine: Path, filename: str) -> None:
    library = make()
    name = add(library, mine, filename)
    assert library.network(name).name == name
    assert names(library) == ["digits", name]


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"])
def test_an_upload_that_does_not_open_leaves_nothing(make: Make, content: bytes) -> None:
    library = make()
    with pytest.raises(ModelError):
        library.add("mine.keras", io.BytesIO(content))
    assert names(library) == ["digits"]
    assert {path.name for path in library._uploads.folder.parent.rglob("[!.]*")} == {"uploads"}


def test_a_card_that_was_written_for_a_model_that_was_removed_is_gone(make: Make, mine: Path) -> None:
    library = make()
    add(library, mine)
    library.write_card("mine", {"classes": ["a", "b", "c"]})
    library.remove("mine")
    add(library, mine)
    assert library.card("mine").classes == ["0", "1", "2"]


def test_a_written_card_changes_the_network_that_is_ready(make: Make, mine: Path, folder: Path) -> None:
    shutil.copy(mine, folder / "mine.keras")
    library = make(folder)
    library.network("mine")
    entry = library.write_card("mine", {"classes": ["a", "b", "c"], "value_range": [1, 0]})
    assert entry.card is not None and entry.card.classes == ["a", "b", "c"]
    assert library.network("mine").card.value_range == (1, 0)
    assert [path.name for path in folder.iterdir()] == ["mine.keras"]


def test_what_is_not_a_person_s_to_change(make: Make, mine: Path, folder: Path) -> None:
    shutil.copy(mine, folder / "mine.keras")
    library = make(folder)
    with pytest.raises(ReadOnlyModel, match="came with Layerglass"):
        library.write_card("digits", {})
    for name in ("digits", "mine"):
        with pytest.raises(ReadOnlyModel, match="was not uploaded"):
            library.remove(name)
    with pytest.raises(UnknownModel):
        library.remove("nobody")
    with pytest.raises(UnknownModel):
        library.write_card("nobody", {})


def test_two_processes_share_uploads_cards_and_findings(
    make: Make, mine: Path, tmp_path: Path, opened: list[str]
) -> None:
    one, other = make(state=tmp_path / "state"), make(state=tmp_path / "state")
    assert add(one, mine) == "mine"
    assert add(other, mine) == "mine-2"
    assert names(one) == names(other) == ["digits", "mine", "mine-2"]
    assert other.network("mine").card.title == "mine"
    assert opened == ["mine.keras"] * 2
    other.write_card("mine", {"title": "Changed"})
    assert one.network("mine").card.title == "Changed"
    one.remove("mine")
    with pytest.raises(UnknownModel):
        other.network("mine")
    assert len(other._networks) == 0


def test_the_same_name_from_two_processes_at_once(make: Make, mine: Path, tmp_path: Path) -> None:
    libraries = [make(state=tmp_path / "state") for _ in range(2)]
    with ThreadPoolExecutor(4) as pool:
        added = list(pool.map(lambda number: add(libraries[number % 2], mine), range(4)))
    assert sorted(added) == ["mine", "mine-2", "mine-3", "mine-4"]
    assert names(libraries[0]) == names(libraries[1]) == ["digits", *sorted(added)]


def test_a_state_folder_that_cannot_be_written(make: Make, mine: Path, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("A file, where a folder should be.")
    shutil.copy(mine, folder / "mine.keras")
    library = make(folder, state=tmp_path / "state")
    library.open_default()
    assert library.default.name == "digits"
    with pytest.raises(StorageError, match="The file cannot be kept on this machine"):
        add(library, mine)
    with pytest.raises(ModelError, match="Name another folder with LAYERGLASS_STATE"):
        library.network("mine")


def test_a_written_card_that_cannot_be_taken_away_holds_nothing_up(
    make: Make, mine: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing can be written, even to take away what is not there is an error."""
    own = Path(shutil.copy(mine, folder / "own.keras"))
    library = make(folder, state=tmp_path / "state")
    library.write_card("own", {"title": "Mine"})

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(CardStore, "delete", refuse)
    own.write_bytes(own.read_bytes() + b"\0")
    assert library.network("own").card.title == "own"


def test_a_state_folder_that_goes_meanwhile(make: Make, mine: Path, folder: Path, tmp_path: Path) -> None:
    shutil.copy(mine, folder / "own.keras")
    library = make(folder, state=tmp_path / "state")
    add(library, mine)
    library.network("own")
    shutil.rmtree(tmp_path / "state")
    assert names(library) == ["digits", "own"]
    assert library.network("own").card.title == "own"
    assert add(library, mine) == "mine"


def test_the_end_leaves_neither_threads_nor_files(make: Make, mine: Path, folder: Path) -> None:
    before = set(threading.enumerate())
    shutil.copy(mine, folder / "own.keras")
    library = make(folder)
    add(library, mine)
    library.network("own")
    state = library._uploads.folder.parent
    assert state.is_dir()
    library.close()
    library.close()
    assert not state.exists()
    assert set(threading.enumerate()) <= before


def test_a_state_folder_of_its_own_is_kept(make: Make, mine: Path, tmp_path: Path, opened: list[str]) -> None:
    first = make(state=tmp_path / "state")
    add(first, mine)
    first.close()
    second = make(state=tmp_path / "state")
    assert second.network("mine").card.title == "mine"
    assert opened == ["mine.keras"]


def test_a_saved_model_folder_says_what_it_is(make: Make, folder: Path) -> None:
    (folder / "saved.keras").mkdir()
    (folder / "saved.keras" / "saved_model.pb").touch()
    library = make(folder)
    with pytest.raises(ModelError, match="This is a SavedModel"):
        library.network("saved")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such file names")
def test_a_file_name_that_is_no_text(make: Make, mine: Path, folder: Path) -> None:
    shutil.copy(mine, folder / "caf\udce9\n.keras")
    library = make(folder)
    assert library.network("caf··").card.title == "caf··"


def test_labels_beside_a_model_name_its_classes(make: Make, folder: Path, opened: list[str]) -> None:
    build_logistic().save(folder / "mine.keras")
    (folder / "labels.txt").write_text("0 cat\n1 dog")
    library = make(folder)
    assert library.network("mine").card.classes == ["cat", "dog"]
    (folder / "labels.txt").write_text("owl\nfish")
    assert library.network("mine").card.classes == library.card("mine").classes == ["owl", "fish"]
    assert opened == ["mine.keras"]  # once
    (folder / "mine.json").write_text('{"classes": ["no", "yes"]}')
    assert library.network("mine").card.classes == ["no", "yes"]
    (folder / "mine.json").write_text('{"title": "Pets"}')
    card = library.network("mine").card
    assert (card.title, card.classes) == ("Pets", ["owl", "fish"])


def test_labels_that_name_nothing_are_said_and_the_model_opens(make: Make, folder: Path) -> None:
    build_logistic().save(folder / "mine.keras")
    (folder / "labels.json").write_text("[")
    card = make(folder).card("mine")
    assert card.classes == ["0", "1"]
    assert card.mends == ["“labels.json” is not valid JSON, so the classes are not named by it."]


def test_a_zip_in_a_folder(make: Make, folder: Path) -> None:
    build_logistic().save(folder / "mine.keras")
    save_zip(folder / "pets.zip", {"mine.keras": (folder / "mine.keras").read_bytes(), "labels.txt": b"cat\ndog"})
    save_zip(folder / "pictures.zip", {"cat.png": b"x"})
    library = make(folder)
    assert library.network("pets").card.classes == ["cat", "dog"]
    with pytest.raises(ModelError, match="a zip of pictures"):
        library.network("pictures")


def test_models_of_other_kinds_in_a_folder_are_told_what_they_are(make: Make, folder: Path) -> None:
    build_logistic().save(folder / "mine.keras")
    (folder / "mine.tflite").write_bytes(b"\x1c\0\0\0TFL3" + bytes(24))
    (folder / "exported" / "variables").mkdir(parents=True)
    (folder / "exported" / "saved_model.pb").write_bytes(b"\x08\x01\x12\x08\x0a\x06\x12\x04\x0a\x02\x0a\x00")
    library = make(folder)
    assert library.network("mine").name == "mine"
    for name, kind in {"mine.tflite": "TensorFlow Lite file", "exported": "SavedModel"}.items():
        with pytest.raises(ModelError, match=f"This is a {kind}"):
            library.network(name)
