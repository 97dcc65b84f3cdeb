"""The names of the family, in its order, and which of them are trained already. Loads no TensorFlow."""

from pathlib import Path

from app.training.errors import BadInput

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


def choose(names: list[str]) -> list[str]:
    """These names in the family's order, all of the family where none is given.

    Raises: BadInput for a name that is not in the family.
    """
    for name in names:
        if name not in NAMES:
            raise BadInput(f"There is no model {name!r} to train. The family: {', '.join(NAMES)}.")
    return [name for name in NAMES if not names or name in names]


def is_finished(folder: Path, name: str) -> bool:
    """Whether a model and its card are there. The card is written last."""
    return (folder / f"{name}.keras").exists() and (folder / f"{name}.json").exists()
