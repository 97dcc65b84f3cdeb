"""The inputs that a model takes: their shapes, found wherever a Keras wrote them, and which of them is an image."""

import math
from dataclasses import dataclass
from typing import Any

from ...cnn.kinds.checks import SIDE
from ...cnn.types import ImageShape, Shape
from ..errors import ModelError, printable, shown
from ..limits import CHANNELS, INPUTS
from .functional_graph import parse_graph
from .nodes import MODELS, Config, layers_of, name_of, settings_of

_LEAST_FLAT_SIDE = 8  # pixels: the smallest images that are flattened anywhere; fewer numbers are no picture's


@dataclass(frozen=True)
class TakenInput:
    """One input of a model, as its file has it."""

    name: str
    shape: Shape  # without the batch

    @property
    def image(self) -> ImageShape | None:
        """Height, width and channels, where it is an image, or the numbers of one; else None.

        784 numbers are taken for 28 by 28 of one channel, row by row, as MNIST is flattened everywhere. Several images,
        the frames of a film, are taken for one, each below the one before.
        """
        if len(self.shape) == 4 and None not in self.shape:
            return TakenInput(self.name, (math.prod(size or 0 for size in self.shape[:2]), *self.shape[2:])).image
        if len(self.shape) == 3:
            height, width, channels = self.shape
            is_small = channels is not None and channels <= CHANNELS and max(height or 1, width or 1) <= SIDE
            return (height, width, channels or 0) if is_small else None
        if len(self.shape) == 2 and None not in self.shape and max(size or 0 for size in self.shape) <= SIDE:
            return (*self.shape, 1)
        if len(self.shape) == 1 and (side := round((self.shape[0] or 0) ** 0.5)) ** 2 == self.shape[0]:
            return (side, side, 1) if side >= _LEAST_FLAT_SIDE else None
        return None

    @property
    def rank(self) -> int:
        """How far it is from an image of height, width and channels: 0 is one."""
        return abs(3 - len(self.shape)) if self.image is not None else 3

    @property
    def numbers(self) -> int:
        """How many numbers it takes in a row; 0 where it takes anything else."""
        return (self.shape[0] or 0) if len(self.shape) == 1 else 0

    def image_beside(self, drawn: "TakenInput") -> ImageShape | None:
        """Return the image that it is in a model where this other one is drawn into.

        Beside an image, a vector is no flattened one, unless it is as long as the one that is drawn into.
        """
        return self.image if self.rank == drawn.rank and self.numbers == drawn.numbers else None


def inputs_of(model: Config) -> list[tuple[Any, str]]:
    """Return the shape of each input that the answer depends on, with the batch, and its name. Raises: ModelError."""
    entries = layers_of(model)
    inputs = [entry for entry in entries if entry["class_name"] == "InputLayer"]
    if len(inputs) > 1:
        inputs = _needed(model, inputs)
    for entry in inputs:
        settings = settings_of(entry)
        if settings.get("sparse") or settings.get("ragged"):
            raise ModelError("The model takes a sparse or ragged input; Layerglass gives it an image.")
        if settings.get("dtype") == "string":
            raise ModelError(
                f"The model's input {shown(name_of(entry))} is text, and Layerglass gives a model pictures and numbers."
            )
    if inputs:
        return [(_declared(settings_of(entry)), name_of(entry)) for entry in inputs]
    first = entries[0]
    if first["class_name"] in MODELS:
        return inputs_of(first)
    config = model["config"]
    declared = _declared(settings_of(first))
    for other in (config.get("build_input_shape") if isinstance(config, dict) else None, _built(first), _built(model)):
        declared = declared if declared is not None else other
    return [(declared, "input")]


def _needed(model: Config, inputs: list[Config]) -> list[Config]:
    """Return the inputs that the answer depends on, in the order in which the model takes them. Raises: ModelError."""
    if model["class_name"] == "Sequential":
        raise ModelError(f"The model lists {len(inputs)} inputs one after the other; a Sequential model has one.")
    entries = {name_of(entry): entry for entry in inputs}
    needed = [entries[name] for name, *_ in parse_graph(model).inputs_needed() if name in entries]
    if not needed:
        raise ModelError("The model's answer depends on none of its inputs.")
    if len(needed) > INPUTS:
        raise ModelError(f"The model's answer depends on {len(needed)} inputs; at most {INPUTS} are given to it.")
    return needed


def choose_drawn(inputs: list[TakenInput]) -> TakenInput:
    """Return the input that is drawn into: the first that is most like an image. Where none is, the first vector.

    Raises: ModelError, for an input that nobody can give.
    """
    images = [each for each in inputs if each.image is not None]
    drawn = min(images, key=lambda each: (each.rank, -each.numbers), default=None)
    drawn = drawn or next((each for each in inputs if 0 < each.numbers <= SIDE), None)
    if drawn is None:
        raise ModelError(_explain(inputs))
    for each in inputs:
        if each is not drawn and not _can_be_held(each, drawn):
            raise ModelError(
                f"The model's input {shown(each.name)} may have any size ({times(each.shape)}), so Layerglass cannot "
                "say what it holds beside the drawing. Build the model with a fixed size, and save it again."
            )
    return drawn


def _explain(inputs: list[TakenInput]) -> str:
    if len(inputs) == 1:
        return (
            f"The model takes {times(inputs[0].shape)} numbers: no image of height, width and channels to draw, and no "
            "vector to set. Layerglass shows models of pictures."
        )
    listed = ", ".join(f"{shown(each.name)} ({times(each.shape)})" for each in inputs)
    return f"None of the model's inputs is an image to draw into, or a vector to set: {listed}."


def _can_be_held(each: TakenInput, drawn: TakenInput) -> bool:
    """Return whether its sizes are known, or those of a drawing of any size as well."""
    if None not in each.shape:
        return True
    has_any_size = each.image is not None and drawn.image is not None and drawn.image[:2] == (None, None)
    return has_any_size and each.shape[:2] == (None, None)


def _declared(settings: Config) -> Any:
    return settings.get("batch_shape", settings.get("batch_input_shape"))


def _built(entry: Config) -> Any:
    build = entry.get("build_config")
    return build.get("input_shape") if isinstance(build, dict) else None


def input_shape(shape: Any) -> Shape:
    """Check the shape that a file gives, and return it without the batch. Raises: ModelError."""
    if isinstance(shape, dict):
        shape = shape.get("items", shape.get("config"))
    if not isinstance(shape, list) or len(shape) < 2:
        raise ModelError(
            "The model does not say what size of image it takes. Call model.build((None, 28, 28, 1)) with its "
            "size, and save it again."
        )
    sizes = shape[1:]
    for size in sizes:
        if size is not None and (not isinstance(size, int) or isinstance(size, bool) or not 0 < size <= SIDE**2):
            raise ModelError(f"The model's input has the shape {shown(sizes)}, which is no image's.")
    return tuple(sizes)


def channels_last(shape: Shape) -> Shape:
    """Turn channels, height, width into height, width, channels; another shape stays as it is."""
    return (*shape[1:], shape[0]) if len(shape) == 3 else shape


def times(shape: tuple[Any, ...]) -> str:
    """Return a shape in words: 28×28×1."""
    return "×".join("any" if size is None else printable(str(size)[:20]) for size in shape)
