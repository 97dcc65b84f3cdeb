"""What is to be built: a model as a list of steps, each checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.cnn.parts import ImageShape

Settings = Mapping[str, Any]  # of a layer, under Keras' names, each of them checked
Path = tuple[str, ...]  # a layer's name, after the names of the models around it; the model itself is ()


@dataclass(frozen=True)
class Step:
    """One layer, called once."""

    name: str
    kind: str
    settings: Settings
    inputs: tuple[str, ...]
    origin: Path  # where its weights are; () for a layer without any in the file
    # The weights of a layer that was made here, and learnt nothing.
    fixed: tuple[NDArray[np.float32], ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Plan:
    """A model to build."""

    shape: ImageShape
    input_name: str
    steps: tuple[Step, ...]  # each behind those that it reads
    output: str
    layers: dict[Path, tuple[tuple[str, str], ...]]  # of each model: its layers' names and classes, as in the file
    notes: tuple[str, ...]


def in_keras_order(steps: Mapping[str, Step], output: str) -> tuple[Step, ...]:
    """What the output depends on, as Keras lists the layers of a model: first those that are farthest from the output.

    The longest way counts. Of equally far ones, those are first that a walk from the output back meets first.
    steps: by name, each behind those that it reads.
    """
    met: dict[str, int] = {}
    waiting = [output]
    while waiting:
        name = waiting.pop()
        if name in steps and name not in met:
            met[name] = len(met)
            waiting.extend(reversed(steps[name].inputs))
    far = dict.fromkeys(met, 0)
    for name in reversed(list(steps)):
        for source in steps[name].inputs if name in met else ():
            if source in far:
                far[source] = max(far[source], far[name] + 1)
    return tuple(steps[name] for name in sorted(met, key=lambda name: (-far[name], met[name])))
