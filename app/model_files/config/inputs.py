"""The input that a model takes: its shape, found wherever a Keras wrote it, and turned into an image's."""

from typing import Any

from ...cnn.kinds.checks import SIDE
from ...cnn.types import ImageShape, Shape
from ..errors import ModelError, printable, shown
from ..limits import CHANNELS
from .functional_graph import parse_graph
from .nodes import MODELS, Config, layers_of, name_of, settings_of


def input_of(model: Config) -> tuple[Any, str]:
    """Return the shape that a model says it takes, with the batch, and its input's name. Raises: ModelError."""
    entries = layers_of(model)
    inputs = [entry for entry in entries if entry["class_name"] == "InputLayer"]
    if len(inputs) > 1:
        inputs = [_only_one(model, inputs)]
    if inputs:
        settings = settings_of(inputs[0])
        if settings.get("sparse") or settings.get("ragged"):
            raise ModelError("The model takes a sparse or ragged input; Layerglass gives it an image.")
        return _declared(settings), name_of(inputs[0])
    first = entries[0]
    if first["class_name"] in MODELS:
        return input_of(first)
    config = model["config"]
    declared = _declared(settings_of(first))
    for other in (config.get("build_input_shape") if isinstance(config, dict) else None, _built(first), _built(model)):
        declared = declared if declared is not None else other
    return declared, "input"


def _only_one(model: Config, inputs: list[Config]) -> Config:
    """Return the input that the answer depends on. Raises: ModelError, where it depends on several, or on none."""
    if model["class_name"] == "Sequential":
        raise ModelError(f"The model takes {len(inputs)} inputs; Layerglass gives it one image.")
    needed = {name for name, *_ in parse_graph(model).inputs_needed()}
    found = [entry for entry in inputs if name_of(entry) in needed]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(f"{shown(name_of(entry))} ({_in_words(entry)})" for entry in inputs[:_LISTED])
    image = next((index for index, entry in enumerate(inputs) if _is_image(entry)), None)
    raise ModelError(
        f"The model's answer depends on {len(found)} inputs, and Layerglass gives it one image. It takes: {listed}. "
        + (_NO_IMAGE if image is None else _ONE_IMAGE.format(name=shown(name_of(inputs[image])), index=image))
    )


_LISTED = 8  # inputs in a sentence
_NO_IMAGE = "None of them is an image, so there is nothing to draw into."
_ONE_IMAGE = (
    "One can draw into {name}. Build a model that takes it alone, such as keras.Model(model.inputs[{index}], output) "
    "with an output that depends on nothing else, and save that."
)


def _is_image(entry: Config) -> bool:
    shape = _declared(settings_of(entry))
    shape = shape.get("items", shape.get("config")) if isinstance(shape, dict) else shape
    return isinstance(shape, list) and len(shape) == 4


def _in_words(entry: Config) -> str:
    shape = _declared(settings_of(entry))
    shape = shape.get("items", shape.get("config")) if isinstance(shape, dict) else shape
    sizes = times(tuple(shape[1:])) if isinstance(shape, list) and len(shape) < _LISTED else "no shape"
    return f"an image, {sizes}" if _is_image(entry) else sizes


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


def as_image(shape: Shape) -> tuple[ImageShape, Shape | None]:
    """Return height, width and channels; and the model's own shape, where that is a flat or a flattened image's.

    784 numbers are taken for 28 by 28 of one channel, row by row, as MNIST is flattened everywhere.
    """
    if len(shape) == 3:
        height, width, channels = shape
        if channels is None or channels > CHANNELS or max(height or 1, width or 1) > SIDE:
            raise ModelError(f"The model's input has the shape {times(shape)}; expected height, width and channels.")
        return (height, width, channels), None
    if len(shape) == 2 and None not in shape and max(size or 0 for size in shape) <= SIDE:
        height, width = shape
        return (height, width, 1), shape
    if len(shape) == 1 and shape[0] is not None and (side := round(shape[0] ** 0.5)) ** 2 == shape[0] and side > 1:
        return (side, side, 1), shape
    raise ModelError(f"The model takes {times(shape)} numbers, which is no image of height, width and channels.")


def channels_last(shape: Shape) -> Shape:
    """Turn channels, height, width into height, width, channels. Raises: ModelError."""
    if len(shape) != 3:
        raise ModelError(f"The model takes {times(shape)} numbers, which is no image with its channels first.")
    return (*shape[1:], shape[0])


def times(shape: tuple[Any, ...]) -> str:
    """Return a shape in words: 28×28×1."""
    return "×".join("any" if size is None else printable(str(size)[:20]) for size in shape)
