"""The command `evaluate`: a model's answers to the digits that come with Layerglass, without TensorFlow."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from .cnn.cost import RunLimits, TooCostly
from .cnn.errors import RunFailed, WrongImageSize
from .explore.digit_runs import DigitRun, NoSuchDigits
from .explore.evaluation import NotForDigits, Progress
from .explore.evaluation_report import EvaluationReport
from .library.files import EmptyLibrary
from .library.library import UnknownModel
from .model_argument import NoSuchFile, open_model
from .model_files.errors import ModelError
from .settings import Settings

_SHOWN = 100  # digits between two steps of the progress bar
_REFUSALS = (EmptyLibrary, UnknownModel, ModelError, NotForDigits, NoSuchDigits, WrongImageSize, TooCostly)


def report_on(model: str, settings: Settings, **choices: object) -> EvaluationReport:
    """Run a model over digits, with a progress bar on a terminal, and return what came of it.

    model: a file, or the name of a built-in one. choices: the fields of a DigitRun but for its network.
    Raises: typer.Exit, after a sentence on stderr: with 2 for what cannot be run, with 1 for a run that failed.
    """
    limits = RunLimits(settings.run_megabytes, settings.run_seconds)
    try:
        with open_model(model, settings, limits) as (network, _):
            run = DigitRun(network, **choices)  # type: ignore[arg-type]
            run.require_possible(limits)
            with _progress_bar(len(run.indices)) as progress:
                finished = run.compute(progress)
            return EvaluationReport.from_run(run, finished)
    except (NoSuchFile, *_REFUSALS) as error:
        typer.echo(f"evaluate: {error}", err=True)
        raise typer.Exit(2) from error
    except RunFailed as error:
        typer.echo(f"evaluate: {error}", err=True)
        raise typer.Exit(1) from error


@contextmanager
def _progress_bar(length: int) -> Iterator[Progress]:
    with typer.progressbar(length=length, label=f"{length:,} digits", file=sys.stderr) as bar:

        def show(done: int) -> None:
            if done % _SHOWN == 0 or done == length:
                bar.update(min(_SHOWN, done - bar.pos))

        yield show


def describe(report: EvaluationReport) -> str:
    """Write a report as text."""
    pooling = f", {report.pooling} pooling" if report.pooling else ""
    swapped = ", ink and paper swapped" if report.invert else ""
    wrong = report.count - sum(each.right for each in report.classes)
    error, bins = report.calibration.error, len(report.calibration.bins)
    return "\n".join(
        [
            f"{report.model}{pooling}{swapped}: {report.count:,} {report.set} digits in {report.seconds:.1f} s",
            "",
            f"accuracy          {_percent(report.accuracy)}   {wrong:,} wrong",
            f"calibration error {_percent(error)}   expected, over {bins} bins",
            "",
            *_describe_confusion(report),
        ]
    )


def _describe_confusion(report: EvaluationReport) -> list[str]:
    """Write the confusion matrix, of the classes that occur, with the share of each class that is right."""
    answered = [sum(column) for column in zip(*report.confusion, strict=True)]
    columns = [place for place, each in enumerate(report.classes) if each.count or answered[place]]
    labels = [report.classes[place].label for place in columns]
    first = max(len("is a"), *map(len, labels))
    width = max(5, *map(len, labels)) + 1

    def line(start: str, cells: list[str], end: str) -> str:
        return f"{start:<{first}} {''.join(f'{cell:>{width}}' for cell in cells)}  {end}".rstrip()

    rows = [
        line(each.label, [str(row[place] or "·") for place in columns], _percent(each.accuracy))
        for each, row in zip(report.classes, report.confusion, strict=True)
        if each.accuracy is not None
    ]
    return [line("", ["read as"], ""), line("is a", labels, f"{'right':>10}"), *rows]


def _percent(share: float) -> str:
    return f"{100 * share:8.2f} %"
