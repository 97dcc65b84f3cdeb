"""The command `experiment`. What cannot be measured ends with one sentence and an exit code."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ..cnn.errors import RunFailed, WrongImageSize
from ..cnn.network import Network
from ..explore.evaluation import NotForDigits
from ..explore.trials import Trials
from ..library.files import EmptyLibrary
from ..library.library import Library, UnknownModel
from ..model_files.errors import ModelError
from ..settings import Settings
from .catalogue import EXPERIMENTS, UnknownExperiment, find_experiment
from .experiment import USUAL, NoSuchCount, NotForExperiment, Subject, choose_digits
from .output import to_csv, to_document, to_text

_REFUSED = (NoSuchCount, NotForDigits, NotForExperiment, UnknownExperiment, UnknownModel, EmptyLibrary, WrongImageSize)


def experiment(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Left out, the experiments are listed.")] = None,
    model: Annotated[
        str | None, typer.Option(metavar="MODEL", help="A model's name, or its file. [default: digits]")
    ] = None,
    models: Annotated[
        list[Path] | None, typer.Option(metavar="FOLDER", help="A folder of your own models; repeatable.")
    ] = None,
    digits: Annotated[int, typer.Option(help="How many of MNIST's 10,000 test digits, evenly spread.")] = USUAL,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the table as CSV, numbers in full.")] = False,
) -> None:
    """Measure a claim on real digits, and say what was found. The same command gives the same numbers."""
    if as_json and as_csv:
        raise typer.BadParameter("Choose --json or --csv.")
    if name is None:
        for each in EXPERIMENTS.values():
            typer.echo(f"{each.name:<12}{each.question}")
        return
    with _exit_on_error():
        chosen, some = find_experiment(name), choose_digits(digits)
        with _open_library(model, models or []) as library:
            result = chosen.run(Subject(_open(library, model), library, some), _tell)
    if as_json:
        typer.echo(json.dumps(to_document(result), ensure_ascii=False, indent=2))
    else:
        typer.echo(to_csv(result) if as_csv else to_text(result), nl=not as_csv)


@contextmanager
def _open_library(model: str | None, folders: list[Path]) -> Iterator[Library]:
    """Return the models that a server with the same settings would have, and the file that is named."""
    settings = Settings()
    files = [Path(model)] if model and Path(model).is_file() else []
    library = Library(settings.built_in_models, [*settings.models, *folders], [*settings.model, *files])
    try:
        yield library
    finally:
        library.close()


def _open(library: Library, model: str | None) -> Network:
    """Return the network of this name, or out of this file, seen as the page would see it. Raises: UnknownModel."""
    name = model or library.default_name
    if model and Path(model).is_file():
        path = Path(model).resolve()
        name = next((entry.name for entry in library if entry.file.path.resolve() == path), name)
    network = library.network(name)
    trials = Trials(library)
    if trials.is_due(library.entry(name)):  # what a drawing must become for it is found out first
        trials.find(name)
        network = library.network(name)
    return network


def _tell(done: int, of: int) -> None:
    """Show how far it is, where somebody watches."""
    if sys.stderr.isatty() and (done % max(1, of // 200) == 0 or done == of):
        end = "\r" + " " * 40 + "\r" if done == of else ""
        typer.echo(f"\r{done:,} of {of:,} digits{end}", nl=False, err=True)


@contextmanager
def _exit_on_error() -> Iterator[None]:
    """Print one sentence on stderr and exit: with 2 for what cannot be asked, with 1 for what failed."""
    try:
        yield
    except _REFUSED as error:
        typer.echo(f"experiment: {error}", err=True)
        raise typer.Exit(2) from error
    except (ModelError, RunFailed) as error:
        typer.echo(f"experiment: {error}", err=True)
        raise typer.Exit(1) from error
