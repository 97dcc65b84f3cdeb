"""A model that a command names: a file, or the name of one that is there."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from .cnn.cost import RunLimits
from .cnn.network import Network
from .explore.trials import Trials
from .library.files import ENDINGS
from .library.library import Library
from .settings import Settings
from .workers.engine import Workers


class NoSuchFile(FileNotFoundError):
    """There is no model's file of this name."""


@contextmanager
def open_model(
    model: str | None,
    settings: Settings,
    limits: RunLimits,
    folders: Sequence[Path] = (),
    card: Mapping[str, Any] | None = None,
) -> Iterator[tuple[Network, Library]]:
    """Open a model as the server does: a file of somebody's in a sandbox, and tried on labelled drawings first.

    model: a file, or a name; None is the one that the page opens with. folders: of a person's own models. card: fields
    of its card that are said here.
    Returns: the network, and the library that it is in.
    Raises: NoSuchFile, EmptyLibrary, UnknownModel, ModelError, ReadOnlyModel.
    """
    path = Path(model or "")
    is_file = path.suffix.lower() in ENDINGS or path.is_file()
    if is_file and not path.is_file():
        raise NoSuchFile(f"There is no file {path}.")
    files = [path.absolute()] if is_file else []
    with closing(Library(settings.built_in_models, folders, files, workers=Workers(limits))) as library:
        name = _find_name(library, files[0]) if files else model or library.default_name
        if card:
            library.write_card(name, dict(card))
        Trials(library).find(name)
        yield library.network(name), library


def _find_name(library: Library, path: Path) -> str:
    """Return the name of the model in this file."""
    return next(entry.name for entry in library if entry.file.path.samefile(path))
