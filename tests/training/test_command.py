import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from app.training import run as run_module
from app.training.command import NAMES, check_card, choose, is_finished, train
from app.training.mnist import BadInput
from tests.training.conftest import write_mnist, write_strokes


def call(command: Callable[..., None], *arguments: object) -> Result:
    cli = typer.Typer()
    cli.command()(command)
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that made one model and its card."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        files = ("--mnist", write_mnist(folder, patch), "--strokes", write_strokes(folder))
        result = call(train, "--models", "untrained", *files, "--out", folder / "out")
    assert result.exit_code == 0, result.output
    return folder / "out"


@pytest.fixture
def untrained(made: Path, tmp_path: Path) -> Path:
    """That folder for a test that changes it."""
    return Path(shutil.copytree(made, tmp_path / "out"))


def test_train_makes_a_model_and_its_card(untrained: Path) -> None:
    assert sorted(path.name for path in untrained.iterdir()) == ["untrained.json", "untrained.keras"]


def test_several_names_follow_one_option(tmp_path: Path) -> None:
    result = call(train, "--models", "digits", "no-such", "--out", tmp_path)
    assert result.exit_code == 2
    assert "no-such" in result.stderr


def test_train_leaves_finished_models_alone(untrained: Path, mnist_file: Path) -> None:
    before = (untrained / "untrained.keras").stat().st_mtime_ns
    result = call(train, "--models", "untrained", "--mnist", mnist_file, "--out", untrained)
    assert result.exit_code == 0
    assert "left as it is" in result.stdout
    assert (untrained / "untrained.keras").stat().st_mtime_ns == before


def test_train_goes_on_where_a_card_is_missing(untrained: Path, mnist_file: Path) -> None:
    (untrained / "untrained.json").unlink()
    result = call(train, "--models", "untrained", "--mnist", mnist_file, "--out", untrained)
    assert result.exit_code == 0
    assert (untrained / "untrained.json").exists()


def test_evaluate_confirms_a_true_card(untrained: Path, mnist_file: Path, strokes_file: Path) -> None:
    model = untrained / "untrained.keras"
    result = call(check_card, model, "--mnist", mnist_file, "--strokes", strokes_file)
    assert result.exit_code == 0, result.output
    assert result.stdout.count("as on the card") == 6
    assert "pen_accuracy" in result.stdout


def test_evaluate_says_where_a_card_differs(untrained: Path, mnist_file: Path) -> None:
    card = untrained / "untrained.json"
    card.write_text(card.read_text().replace('"parameters": ', '"parameters": 1'))
    result = call(check_card, untrained / "untrained.keras", "--mnist", mnist_file)
    assert result.exit_code == 1
    assert "parameters: " in result.stdout
    assert result.stdout.count("DIFFERS") == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--models", "nonsense"), "There is no model 'nonsense' to train. The family: digits"),
        (("--mnist", "nowhere.npz"), "There is no file nowhere.npz"),
        (("--strokes", "nowhere.jsonl"), "There is no file nowhere.jsonl"),
    ],
)
def test_train_refuses_with_one_sentence(arguments: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    result = call(train, "--out", tmp_path, *arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert "Traceback" not in result.output
    assert list(tmp_path.iterdir()) == []


def test_evaluate_refuses_a_missing_model(mnist_file: Path, tmp_path: Path) -> None:
    result = call(check_card, tmp_path / "m.keras", "--mnist", mnist_file)
    assert result.exit_code == 2
    assert "m.json" in result.stderr


def test_a_full_disk_ends_with_one_sentence(mnist_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "untrained.json")

    monkeypatch.setattr(run_module, "write_card", fail)
    out = tmp_path / "out"
    result = call(train, "--models", "untrained", "--mnist", mnist_file, "--out", out)
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr
    assert "Traceback" not in result.output
    assert list(out.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_said_before_training(mnist_file: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = call(train, "--models", "untrained", "--mnist", mnist_file, "--out", tmp_path / "file" / "out")
    assert result.exit_code == 1
    assert "untrained:" not in result.stdout
    assert "Not a directory" in result.stderr


def test_an_unknown_name_is_refused_with_the_family() -> None:
    with pytest.raises(BadInput, match=r"no model 'digit' to train\. The family: digits, digits-average"):
        choose(["digits", "digit"])


def test_names_are_trained_in_the_family_s_order() -> None:
    assert choose(["untrained", "digits"]) == ["digits", "untrained"]


def test_no_name_means_all() -> None:
    assert choose([]) == list(NAMES)


@pytest.mark.parametrize(("there", "finished"), [([], False), (["keras"], False), (["keras", "json"], True)])
def test_a_model_is_finished_with_its_card(tmp_path: Path, there: list[str], finished: bool) -> None:
    for suffix in there:
        (tmp_path / f"digits.{suffix}").touch()
    assert is_finished(tmp_path, "digits") is finished
