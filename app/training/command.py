"""The commands `train` and `evaluate`: what was asked for in, sentences and an exit code out."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from app.training.data import gather
from app.training.errors import BadInput
from app.training.mnist import load_mnist
from app.training.names import choose, is_finished
from app.training.pen import read_pen_digits, split_by_writer
from app.training.rendering import draw_as_written

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
    with _one_sentence_an_error("train"):
        wanted = _unfinished(choose([*(models or []), *(more_models or [])]), out, again)
        if not wanted:
            return
        pen_digits = None if strokes is None else read_pen_digits(strokes)
        data = gather(load_mnist(mnist), pen_digits, seed)
        # TensorFlow takes seconds to start: what is wrong with the input is said without it.
        from app.training.run import run

        run(wanted, data, out, seed, epochs, typer.echo)


def _unfinished(names: list[str], out: Path, again: bool) -> list[str]:
    wanted = [name for name in names if again or not is_finished(out, name)]
    for name in names:
        if name not in wanted:
            typer.echo(f"{name}: already in {out}, left as it is. --again trains it once more.")
    return wanted


def evaluate(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model's file, or its name in the folder models.")],
    mnist: MnistFile = None,
    strokes: StrokesFile = None,
) -> None:
    """Measure a model again, and say where its card differs. Exit code 1 where it does."""
    with _one_sentence_an_error("evaluate"):
        test = load_mnist(mnist).test
        pen_test = None if strokes is None else draw_as_written(split_by_writer(read_pen_digits(strokes)).test)
        from app.training.evaluation import compare, load

        network, card = load(model if model.suffix == ".keras" else Path("models", f"{model}.keras"))
        lines = compare(network, card, test, pen_test)
    for line in lines:
        verdict = "as on the card" if line.agrees else f"DIFFERS: the card says {_figure(line.on_card)}"
        typer.echo(f"{line.name}: {_figure(line.measured)}, {verdict}")
    if not all(line.agrees for line in lines):
        raise typer.Exit(1)


def _figure(value: float | None) -> str:
    match value:
        case None:
            return "none"
        case int():
            return f"{value:,}"
        case _:
            return f"{value:.4f}"


@contextmanager
def _one_sentence_an_error(command: str) -> Iterator[None]:
    """A person's mistake ends with exit code 2, the machine's (a full disk) with 1; both with a sentence on stderr."""
    try:
        yield
    except BadInput as error:
        typer.echo(f"{command}: {error}", err=True)
        raise typer.Exit(2) from error
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        typer.echo(f"{command}: {error.strerror or error}{where}. Nothing half-written was left.", err=True)
        raise typer.Exit(1) from error
