"""The command `maps`: what a model makes of pictures, as files."""

import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from .cnn.cost import TooCostly
from .cnn.errors import RunFailed
from .library.files import EmptyLibrary
from .model_files.errors import ModelError
from .scripting.file_names import file_names
from .scripting.local import open as open_model
from .scripting.model import Runs
from .scripting.pictures import name_picture

_REFUSALS = (EmptyLibrary, ModelError, TooCostly, LookupError, OSError, ValueError)


def save_maps(
    model: str, pictures: Sequence[Path], folder: Path, pooling: str | None, layers: Sequence[str], zoom: int
) -> list[str]:
    """Run a model on pictures, with a progress bar on a terminal, and write a folder for each.

    Returns: a line for each picture. Raises: typer.Exit, after a sentence on stderr: with 2 for what cannot be run,
    with 1 for a run that failed. What was written before stays.
    """
    try:
        with open_model(model) as opened:
            return _save_all(opened.run_all(pictures, pooling), pictures, folder, layers or None, zoom)
    except RunFailed as error:
        typer.echo(f"maps: {error}", err=True)
        raise typer.Exit(1) from error
    except _REFUSALS as error:
        typer.echo(f"maps: {error}", err=True)
        raise typer.Exit(2) from error


def _save_all(runs: Runs, pictures: Sequence[Path], folder: Path, layers: Sequence[str] | None, zoom: int) -> list[str]:
    stems = file_names(name_picture(picture, number) for number, picture in enumerate(pictures))
    lines = []
    label = "1 picture" if len(pictures) == 1 else f"{len(pictures):,} pictures"
    with typer.progressbar(length=len(pictures), label=label, file=sys.stderr) as bar:
        for picture, stem, run in zip(pictures, stems, runs, strict=True):
            run.save(folder / stem, layers, zoom)
            lines.append(f"{picture}: {run.prediction or 'a picture'}, in {folder / stem}")
            bar.update(1)
    return lines
