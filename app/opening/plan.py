"""What is to be built: a model as a list of steps, each checked."""

from dataclasses import dataclass
from typing import Any

Path = tuple[str, ...]  # a layer's name, after the names of the models around it; the model itself is ()


@dataclass(frozen=True)
class Step:
    """One layer, called once."""

    name: str
    kind: str
    settings: dict[str, Any]
    inputs: tuple[str, ...]
    origin: Path  # where its weights are; () for a layer without any in the file


@dataclass(frozen=True)
class Plan:
    """A model to build."""

    shape: tuple[int | None, ...]  # of the input, without the batch
    input_name: str
    steps: tuple[Step, ...]
    output: str
    layers: dict[Path, tuple[tuple[str, str], ...]]  # of each model: its layers' names and classes, as in the file
    notes: tuple[str, ...]
