"""A model as a list of checked steps, to be built."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..cnn.kinds import Layer, LayerSettings
from ..cnn.kinds.checks import PARAMETERS, Configurable
from ..cnn.types import Array, ImageShape, Shape
from .errors import RESAVE, ModelError, shown
from .limits import ANY_SIDE, CELLS, LAYER_INPUTS, MODEL_INPUTS

LayerPath = tuple[str, ...]  # a layer's name, after the names of the models around it; the model itself is ()


@dataclass(frozen=True)
class Step:
    """One layer, called once."""

    name: str
    kind: type[Layer]
    settings: LayerSettings
    inputs: tuple[str, ...]
    origin: LayerPath  # where its weights are; () for a layer without any in the file
    fixed: tuple[Array, ...] = field(default=(), compare=False)  # the weights of a layer that was made here

    def __post_init__(self) -> None:
        if len(self.inputs) > LAYER_INPUTS:
            raise ModelError(f"{self} reads {len(self.inputs):,} inputs; a layer may read {LAYER_INPUTS:,}.")

    def __str__(self) -> str:
        return f"The layer {shown(self.name)} ({self.kind.__name__})"


@dataclass(frozen=True)
class FileLayer:
    """One layer of a model as the file lists it."""

    name: str
    kind: str  # its class in the file
    trainable: bool = True
    place: str = ""  # of its weights in a .keras file, where it is a part of another layer: see composites.py


@dataclass(frozen=True)
class Plan:
    """A model to build."""

    shape: ImageShape
    input_name: str
    steps: tuple[Step, ...]  # each behind those that it reads
    output: str
    layers: dict[LayerPath, tuple[FileLayer, ...]]  # of each model, in the file's order
    notes: tuple[str, ...]
    # The model's own input is this many numbers in a row, of which the image is made; None where it is an image's.
    flat: int | None = None
    takes_numbers: bool = False  # the image is one row of numbers that nobody draws

    def __post_init__(self) -> None:
        total = 0
        for step in self.steps:
            total += len(step.inputs)
            if total > MODEL_INPUTS:
                raise ModelError(
                    f"The layers up to {shown(step.name)} read {total:,} inputs together; {MODEL_INPUTS:,} may be read."
                )

    def with_numbers(self) -> "Plan":
        """Return the same plan, in which the numbers that the model takes in a row are no image: nobody draws them."""
        assert self.flat is not None
        return replace(self, shape=(1, self.flat, 1), takes_numbers=True)

    def with_note(self, sentence: str) -> "Plan":
        """Return the same plan with one more thing to be told of it."""
        return replace(self, notes=(*self.notes, sentence))


def describe_image(taken: Shape, image: Shape) -> str:
    """Return the sentence about an image that the model takes in another shape."""
    sizes, here = ("×".join("any" if size is None else str(size) for size in shape) for shape in (taken, image))
    return f"The model takes its image as {sizes} numbers; here it takes {here}, the same ones."


def sort_as_keras(steps: Mapping[str, Step], output: str) -> tuple[Step, ...]:
    """Return what the output depends on, in Keras' order: first the layers that are farthest from the output.

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


def check_parameters(step: Step, total: int) -> None:
    """Bound the parameters of all layers up to this step. Raises: ModelError."""
    if total > PARAMETERS:
        raise ModelError(
            f"The model has more than {PARAMETERS:,} parameters by its layer {shown(step.name)}, more than "
            "Layerglass opens. Bring a smaller one."
        )


def check_cells(step: Step, shape: Shape) -> None:
    """Bound the output of a step, whose shape is given. Raises: ModelError."""
    cells = math.prod(size or ANY_SIDE for size in shape)
    if cells > CELLS:
        raise ModelError(
            f"The layer {shown(step.name)} makes {cells:,} numbers of one image; at most {CELLS:,} are shown."
        )


# What a file may say of a layer that changes nothing once it is trained. Whatever is in it is left unread.
_IGNORED = frozenset(
    (
        *("name", "trainable", "dtype", "seed", "autocast", "activity_regularizer", "l1", "l2", "cache_key"),
        *("batch_input_shape", "batch_shape", "input_shape", "input_dim", "input_dtype", "input_length"),
        *("sparse", "ragged", "noise_shape"),
        *("synchronized", "fused", "renorm", "renorm_clipping", "renorm_momentum", "virtual_batch_size", "adjustment"),
        *("dropout", "recurrent_dropout", "stateful", "unroll", "use_cudnn", "implementation", "unit_forget_bias"),
        *("zero_output_for_mask", "softmax_robust_masking", "query_shape", "key_shape", "value_shape"),
    )
)
_IGNORED_ENDINGS = ("_initializer", "_regularizer", "_constraint")


def check_settings(kind: type[Configurable], name: str, config: LayerSettings) -> dict[str, Any]:
    """Return what the layer's class is given. Raises: ModelError, for a value or a setting that is not known.

    Left out: what matters in training only, and what is off.
    """
    checks = kind.checks()
    settings = {}
    for key, value in config.items():
        if key in checks:
            try:
                settings[key] = checks[key](value)
            except ValueError as error:
                raise ModelError(
                    f"The layer {shown(name)} ({kind.__name__}) has {key}={shown(value)}; expected {error}."
                    + (_CONVERT if key == "data_format" and value == "channels_first" else "")
                ) from None
        elif not (key in _IGNORED or key.endswith(_IGNORED_ENDINGS) or value is None or value is False):
            raise ModelError(
                f"The layer {shown(name)} ({kind.__name__}) has the unknown setting {shown(key)}. {RESAVE}"
            )
    return settings


_CONVERT = " Convert the model to channels last, as TensorFlow on a processor needs it."
