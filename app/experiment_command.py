"""The command `experiment`: a claim about networks, measured on the digits that come with Layerglass."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer

from .cnn.cost import RunLimits, TooCostly
from .cnn.errors import RunFailed, WrongImageSize
from .experiments.catalogue import EXPERIMENTS, UnknownExperiment, find_experiment
from .experiments.experiment import NoSuchCount, NotForExperiment, Result
from .experiments.output import to_csv, to_document, to_text
from .experiments.runs import ExperimentRun
from .explore.evaluation import NotForDigits
from .library.files import EmptyLibrary
from .library.library import UnknownModel
from .model_argument import NoSuchFile, open_model
from .model_files.errors import ModelError
from .settings import Settings

_STEPS = 200  # of the progress bar
_REFUSALS = (
    *(EmptyLibrary, ModelError, NoSuchCount, NoSuchFile, NotForDigits, NotForExperiment, TooCostly),
    *(UnknownExperiment, UnknownModel, WrongImageSize),
)


def describe_all() -> str:
    """List all experiments."""
    return "\n".join(f"{each.name:<12}{each.question}" for each in EXPERIMENTS.values())


def run_experiment(name: str, model: str | None, folders: Sequence[Path], digits: int, settings: Settings) -> Result:
    """Run an experiment, with a progress bar on a terminal, and return what it found.

    model: a file, or a name; None is the one that the page opens with.
    Raises: typer.Exit, after a sentence on stderr: with 2 for what cannot be asked, with 1 for a run that failed.
    """
    limits = RunLimits(settings.run_megabytes, settings.run_seconds)
    try:
        experiment = find_experiment(name)
        with open_model(model, settings, limits, folders) as (network, library):
            run = ExperimentRun(experiment, network, library, digits)
            run.require_possible(limits)
            with _progress_bar(run.total) as report:
                return run.compute(report)
    except _REFUSALS as error:
        typer.echo(f"experiment: {error}", err=True)
        raise typer.Exit(2) from error
    except RunFailed as error:
        typer.echo(f"experiment: {error}", err=True)
        raise typer.Exit(1) from error


def write(result: Result, as_json: bool = False, as_csv: bool = False) -> str:
    """Write a result as JSON, as CSV, or else as text."""
    if as_json:
        return json.dumps(to_document(result), ensure_ascii=False, indent=2)
    return to_csv(result).rstrip("\n") if as_csv else to_text(result)


@contextmanager
def _progress_bar(length: int) -> Iterator[Callable[[int], None]]:
    step = max(1, length // _STEPS)
    with typer.progressbar(length=length, label=f"{length:,} runs of networks", file=sys.stderr) as bar:

        def show(done: int) -> None:
            if done % step == 0 or done == length:
                bar.update(done - bar.pos)

        yield show
