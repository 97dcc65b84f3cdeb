"""Files are opened in the background, each once."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.library import scanner as scanner_module
from app.library.files import ModelFile, find_files
from app.library.scanner import Scanner
from app.library.state import StateFolder
from app.model_files.errors import ModelError
from app.model_files.serialization import deserialize
from app.workers.sandbox import SerializedModel
from tests.in_process_sandbox import InProcessSandbox


@pytest.fixture
def scanner(opened: list[str], tmp_path: Path) -> Iterator[Scanner]:
    scanner = Scanner(StateFolder(tmp_path / "state"))
    yield scanner
    scanner.close()


def files(folder: Path, model: Path, *names: str) -> tuple[ModelFile, ...]:
    """Copies of a model under these names."""
    folder.mkdir(exist_ok=True)
    for name in names:
        shutil.copy(model, folder / f"{name}.keras")
    return find_files(Path("/nowhere"), [folder])


def broken_file(folder: Path) -> ModelFile:
    folder.mkdir(exist_ok=True)
    (folder / "broken.keras").write_bytes(b"hello")
    return next(file for file in find_files(Path("/nowhere"), [folder]) if file.name == "broken")


class Held(InProcessSandbox):
    """Opens nothing before it is let go."""

    started = threading.Event()
    go_on = threading.Event()

    def open(self, path: Path, lambdas: str = "") -> SerializedModel:
        self.started.set()
        assert self.go_on.wait(60)
        return super().open(path, lambdas)

    def stop(self) -> None:
        self.go_on.set()


@pytest.fixture
def held(opened: list[str], monkeypatch: pytest.MonkeyPatch) -> type[Held]:
    monkeypatch.setattr(Held, "started", threading.Event())
    monkeypatch.setattr(Held, "go_on", threading.Event())
    monkeypatch.setattr(scanner_module, "Sandbox", Held)
    return Held


def model_data(scanner: Scanner, file: ModelFile) -> bytes:
    with scanner.open_model(file) as data:
        return data.read()


def test_nothing_is_known_before_someone_looks(scanner: Scanner, opened: list[str], mine: Path, tmp_path: Path) -> None:
    (file,) = files(tmp_path / "m", mine, "a")
    assert scanner.get(file) is None
    assert opened == []


def test_a_file_is_opened_once(scanner: Scanner, opened: list[str], mine: Path, tmp_path: Path) -> None:
    (file,) = files(tmp_path / "m", mine, "a")
    result = scanner.scan(file)
    assert result.card.title == "a"
    assert scanner.scan(file) == scanner.get(file) == result
    assert deserialize(model_data(scanner, file)).model.count_params() == result.card.parameters
    assert opened == ["a.keras"]


def test_the_reason_of_a_broken_one_is_kept(
    scanner: Scanner, opened: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = broken_file(tmp_path / "m")
    for ask in (scanner.scan, scanner.get, scanner.open_model):
        with pytest.raises(ModelError, match="is not a Keras model"):
            ask(file)
    assert opened == ["broken.keras"]
    (said,) = caplog.messages  # where `layerglass serve` runs
    assert said.startswith("“broken.keras” does not open. This is not a Keras model")


def test_several_are_opened_in_their_order(scanner: Scanner, opened: list[str], mine: Path, tmp_path: Path) -> None:
    found = files(tmp_path / "m", mine, "a", "b", "c")
    scanner.enqueue(found)
    scanner.enqueue(found)
    scanner.scan(found[-1])
    scanner.scan(found[0])
    scanner.scan(found[1])
    assert sorted(opened) == ["a.keras", "b.keras", "c.keras"]


def test_what_someone_waits_for_goes_first(held: type[Held], opened: list[str], mine: Path, tmp_path: Path) -> None:
    found = files(tmp_path / "m", mine, "a", "b", "c", "d")
    scanner = Scanner(StateFolder(tmp_path / "state"))
    scanner.enqueue(found)
    assert held.started.wait(60)
    waiting = threading.Thread(target=scanner.scan, args=(found[3],))
    waiting.start()
    while next(reversed(scanner._queue)) != found[3].key:
        pass
    held.go_on.set()
    waiting.join()
    scanner.close()
    assert opened[:2] == ["a.keras", "d.keras"]


def test_two_who_wait_for_one_file_open_it_once(
    held: type[Held], opened: list[str], mine: Path, tmp_path: Path
) -> None:
    (file,) = files(tmp_path / "m", mine, "a")
    scanner = Scanner(StateFolder(tmp_path / "state"))
    threads = [threading.Thread(target=scanner.scan, args=(file,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    held.go_on.set()
    for thread in threads:
        thread.join()
    scanner.close()
    assert opened == ["a.keras"]


def test_what_is_no_longer_asked_for_is_not_opened(
    held: type[Held], opened: list[str], mine: Path, tmp_path: Path
) -> None:
    found = files(tmp_path / "m", mine, "a", "b", "c")
    scanner = Scanner(StateFolder(tmp_path / "state"))
    scanner.enqueue(found)
    assert held.started.wait(60)
    scanner.enqueue(found[2:])
    held.go_on.set()
    scanner.scan(found[2])
    scanner.close()
    assert opened == ["a.keras", "c.keras"]


def test_another_process_need_not_look_again(scanner: Scanner, opened: list[str], mine: Path, tmp_path: Path) -> None:
    (file,) = files(tmp_path / "m", mine, "a")
    broken = broken_file(tmp_path / "n")
    scanner.scan(file)
    with pytest.raises(ModelError):
        scanner.scan(broken)
    other = Scanner(StateFolder(tmp_path / "state"))
    assert other.get(file) == scanner.get(file)
    assert model_data(other, file) == model_data(scanner, file)
    with pytest.raises(ModelError, match="is not a Keras model"):
        other.scan(broken)
    other.close()
    assert opened == ["a.keras", "broken.keras"]


def test_a_file_that_changed_is_opened_again(scanner: Scanner, opened: list[str], mine: Path, tmp_path: Path) -> None:
    broken = broken_file(tmp_path / "m")
    with pytest.raises(ModelError):
        scanner.scan(broken)
    (mended,) = files(tmp_path / "m", mine, "broken")
    assert scanner.scan(mended).card.parameters
    assert opened == ["broken.keras"] * 2


def test_a_file_that_went(scanner: Scanner, mine: Path, tmp_path: Path) -> None:
    (file,) = files(tmp_path / "m", mine, "a")
    file.path.unlink()
    with pytest.raises(ModelError, match=r"There is no file “a\.keras”"):
        scanner.scan(file)


def test_a_file_that_was_away_while_it_was_opened_is_opened_when_it_is_back(
    scanner: Scanner, held: type[Held], opened: list[str], mine: Path, tmp_path: Path
) -> None:
    scanner = Scanner(StateFolder(tmp_path / "state"))
    (file,) = files(folder := tmp_path / "m", mine, "a")
    scanner.enqueue([file])
    assert held.started.wait(60)
    away = folder.rename(tmp_path / "away")
    held.go_on.set()
    with pytest.raises(ModelError, match=r"There is no file “a\.keras”"):
        scanner.scan(file)
    for thread in threading.enumerate():  # it has looked, and found nothing
        if thread.name == "scanner":
            thread.join(60)
    away.rename(folder)
    assert scanner.scan(file).card.title == "a"
    assert opened == ["a.keras"] * 2
    scanner.close()


def test_what_was_tidied_away_is_opened_again(scanner: Scanner, opened: list[str], mine: Path, tmp_path: Path) -> None:
    (file,) = files(tmp_path / "m", mine, "a")
    before = model_data(scanner, file)
    shutil.rmtree(tmp_path / "state")
    assert deserialize(before).model.count_params() == deserialize(model_data(scanner, file)).model.count_params()
    assert opened == ["a.keras"] * 2


def test_what_was_kept_by_another_version_is_not_taken(
    scanner: Scanner, opened: list[str], mine: Path, tmp_path: Path
) -> None:
    (file,) = files(tmp_path / "m", mine, "a")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / f"{file.key}.json").write_text('{"card": {}, "layers": []}')
    assert scanner.scan(file).card.title == "a"
    assert opened == ["a.keras"]


def test_what_is_forgotten_leaves_nothing(scanner: Scanner, mine: Path, tmp_path: Path) -> None:
    (file,) = files(tmp_path / "m", mine, "a")
    scanner.scan(file)
    scanner.delete(file)
    assert scanner.get(file) is None
    assert list((tmp_path / "state").glob("[!.]*")) == []


def test_what_is_kept_is_bounded(
    scanner: Scanner, opened: list[str], mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = files(tmp_path / "m", mine, "a", "b", "c")
    size = len(model_data(scanner, found[0]))
    monkeypatch.setattr(scanner_module, "_MAX_BYTES", int(2.5 * size))
    model_data(scanner, found[1])
    model_data(scanner, found[2])
    assert len(list((tmp_path / "state").glob("*.model"))) == 2
    assert model_data(scanner, found[2]) and opened == ["a.keras", "b.keras", "c.keras"]
    assert model_data(scanner, found[0]) and opened[3:] == ["a.keras"]


def test_a_folder_that_cannot_be_written(opened: list[str], mine: Path, tmp_path: Path) -> None:
    (file,) = files(tmp_path / "m", mine, "a")
    (tmp_path / "state").write_text("A file.")
    scanner = Scanner(StateFolder(tmp_path / "state"))
    with pytest.raises(ModelError, match=r"cannot write to .*state: .* Name another folder with LAYERGLASS_STATE"):
        scanner.scan(file)
    with pytest.raises(ModelError, match="is not a Keras model"):
        scanner.scan(broken_file(tmp_path / "n"))
    scanner.close()


def test_after_the_end_nothing_is_opened(scanner: Scanner, opened: list[str], mine: Path, tmp_path: Path) -> None:
    (file,) = files(tmp_path / "m", mine, "a")
    scanner.close()
    scanner.enqueue([file])
    with pytest.raises(ModelError, match="shutting down"):
        scanner.scan(file)
    assert opened == []


def test_the_end_while_a_file_is_opened_leaves_no_thread_and_no_process(mine: Path, tmp_path: Path) -> None:
    (file,) = files(tmp_path / "m", mine, "a")
    scanner = Scanner(StateFolder(tmp_path / "state"))
    scanner.enqueue([file])
    sandbox = scanner._sandbox
    while sandbox._process is None:
        pass
    process = sandbox._process
    refused: list[str] = []

    def wait_for_it() -> None:
        with pytest.raises(ModelError) as raised:
            scanner.scan(file)
        refused.append(str(raised.value))

    waiting = threading.Thread(target=wait_for_it)
    waiting.start()
    scanner.close()
    waiting.join()
    assert process.poll() is not None
    assert [thread.name for thread in threading.enumerate() if thread.name == "scanner"] == []
    assert refused == ["The server is shutting down."]


def test_the_child_process_ends_when_nothing_waits(
    scanner: Scanner, mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()
    monkeypatch.setattr(InProcessSandbox, "close", lambda self: ended.set())
    scanner.enqueue(files(tmp_path / "m", mine, "a", "b"))
    assert ended.wait(60)
    assert all(scanner.get(file) for file in files(tmp_path / "m", mine))


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "scanner"]


def test_the_thread_ends_when_nothing_waits_and_comes_back(
    scanner: Scanner, opened: list[str], mine: Path, tmp_path: Path
) -> None:
    first, second = files(tmp_path / "m", mine, "a", "b")
    for file in (first, second):
        scanner.scan(file)
        for thread in workers():
            thread.join(60)
        assert workers() == []
    assert opened == ["a.keras", "b.keras"]


def test_a_file_that_is_taken_away_while_it_waits_is_not_opened(
    held: type[Held], opened: list[str], mine: Path, tmp_path: Path
) -> None:
    """As one that is listed by one request and forgotten by another: no child process is started for it."""
    scanner = Scanner(StateFolder(tmp_path / "state"))
    first, second = files(tmp_path / "m", mine, "a", "b")
    scanner.enqueue([first, second])
    assert held.started.wait(60)
    second.path.unlink()
    held.go_on.set()
    for thread in workers():
        thread.join(60)
    scanner.close()
    assert opened == ["a.keras"]
