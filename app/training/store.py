"""Models on disk: a file and its card, complete or not at all."""

import tempfile
from pathlib import Path

import keras

from app.cnn.card import Card, write_card


def prepare(folder: Path) -> None:
    """Make the folder and try it out, so that half an hour's training does not end with a folder none may write to.

    Raises: OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def save(network: keras.Model, card: Card, folder: Path, name: str) -> None:
    """Write NAME.keras, without the optimizer's state, and NAME.json.

    Both are complete before either takes its place. The folder must be there.
    Raises: OSError, where the disk is full or the folder cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=folder) as unfinished:
        model, described = Path(unfinished, f"{name}.keras"), Path(unfinished, f"{name}.json")
        _without_optimizer(network).save(model)
        write_card(card, described)
        # Interrupted between these, a model without a card is left, which counts as not finished.
        (folder / described.name).unlink(missing_ok=True)
        model.replace(folder / model.name)
        described.replace(folder / described.name)


def _without_optimizer(network: keras.Model) -> keras.Model:
    copy = network.__class__.from_config(network.get_config())
    copy.set_weights(network.get_weights())
    return copy
