"""The commands `train` and `evaluate --check-card`. A run that fails ends with one sentence and an exit code."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from .data import MNIST_REPEATS, VARIANTS, gather
from .mnist import BadInput, load_mnist
from .pen import read_pen_digits, split_by_writer
from .rendering import draw_as_written

# The family's names, in its order. family.py has the recipes, but importing it takes TensorFlow.
NAMES = (
    "digits",
    "digits-average",
    "digits-min",
    "section-6-3",
    "figure-6-3",
    "five-layer-dense",
    "five-layer-convolutional",
    "untrained",
)

MnistFile = Annotated[
    Path | None, typer.Option("--mnist", metavar="FILE", help="MNIST as an npz file, instead of downloading it.")
]
StrokesFile = Annotated[
    Path | None,
    typer.Option("--strokes", metavar="FILE", help="Pen strokes by real writers: JSON lines, gzipped or not."),
]


def train(
    more_models: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Further models.")] = None,
    models: Annotated[
        list[str] | None, typer.Option("--models", metavar="NAME", help="Train these alone: --models digits untrained")
    ] = None,
    mnist: MnistFile = None,
    strokes: StrokesFile = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="At most so many epochs for each model.")] = None,
    out: Annotated[Path, typer.Option(help="The folder for the models and their cards.")] = Path("models"),
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same models.")] = 1,
    again: Annotated[bool, typer.Option("--again", help="Train models that are finished already, too.")] = False,
) -> None:
    """Train the family of models, and write a card for each. What is finished already is left as it is."""
    with _exit_on_error("train"):
        names = _unfinished(choose([*(models or []), *(more_models or [])]), out, again)
        if not names:
            return
        pen_digits = None if strokes is None else read_pen_digits(strokes)
        data = gather(load_mnist(mnist), pen_digits, seed)
        # Imported here, because TensorFlow takes seconds to load: bad input is refused without it.
        from .run import run

        run(names, data, out, seed, epochs, typer.echo)


def choose(names: list[str]) -> list[str]:
    """Return these names in the family's order, or the whole family if there are none.

    Raises: BadInput for a name that is not in the family.
    """
    for name in names:
        if name not in NAMES:
            raise BadInput(f"There is no model {name!r} to train. The family: {', '.join(NAMES)}.")
    return [name for name in NAMES if not names or name in names]


def is_finished(folder: Path, name: str) -> bool:
    """Return whether a model and its card exist. The card is written last."""
    return (folder / f"{name}.keras").exists() and (folder / f"{name}.json").exists()


def _unfinished(names: list[str], out: Path, again: bool) -> list[str]:
    unfinished = [name for name in names if again or not is_finished(out, name)]
    for name in names:
        if name not in unfinished:
            typer.echo(f"{name}: already in {out}, left as it is. --again trains it once more.")
    return unfinished


def check_card(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model's file, or its name in the folder models.")],
    mnist: MnistFile = None,
    strokes: StrokesFile = None,
) -> None:
    """Measure a model again, and say where its card differs. Exit code 1 where it does."""
    with _exit_on_error("evaluate"):
        test = load_mnist(mnist).test
        pen_test = None if strokes is None else draw_as_written(split_by_writer(read_pen_digits(strokes)).test)
        from .evaluation import compare_with_card, load

        network, card = load(model if model.suffix == ".keras" else Path("models", f"{model}.keras"))
        checks = compare_with_card(network, card, test, pen_test)
    for check in checks:
        verdict = "as on the card" if check.agrees else f"DIFFERS: the card says {_figure(check.on_card)}"
        typer.echo(f"{check.name}: {_figure(check.measured)}, {verdict}")
    if not all(check.agrees for check in checks):
        raise typer.Exit(1)


def calibrate(
    models: Annotated[list[Path], typer.Argument(metavar="MODEL...", help="Models' files, or names in models/.")],
    mnist: MnistFile = None,
    strokes: StrokesFile = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same detector.")] = 1,
) -> None:
    """Fit how sure trained models are, and what they do not know; write it on their cards and beside them.

    The temperature goes on the card, NAME.json, the detector of what is no digit into NAME.novelty.json. It is what
    `train` does once a model is trained.
    """
    with _exit_on_error("calibrate"):
        paths = [model if model.suffix == ".keras" else Path("models", f"{model}.keras") for model in models]
        pen_digits = None if strokes is None else read_pen_digits(strokes)
        # As large a share of pen digits as in training, and no more of both than are read.
        data = gather(load_mnist(mnist), pen_digits, seed, repeats=1, variants=VARIANTS // MNIST_REPEATS)
        from .run import calibrate as run_calibrate

        run_calibrate(paths, data, seed, typer.echo)


def _figure(value: float | None) -> str:
    match value:
        case None:
            return "none"
        case int():
            return f"{value:,}"
        case _:
            return f"{value:.4f}"


@contextmanager
def _exit_on_error(command: str) -> Iterator[None]:
    """Print one sentence on stderr and exit: with 2 for bad input, with 1 for the machine's failures (a full disk)."""
    try:
        yield
    except BadInput as error:
        typer.echo(f"{command}: {error}", err=True)
        raise typer.Exit(2) from error
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        typer.echo(f"{command}: {error.strerror or error}{where}. Nothing half-written was left.", err=True)
        raise typer.Exit(1) from error
