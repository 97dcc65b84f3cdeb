"""Models whose images have their channels first, turned: TensorFlow on a processor computes with channels last only."""

from typing import Any

from app.model_files.config.allow_list import Config
from app.model_files.config.vocabulary import LAYERS
from app.model_files.errors import ModelError, shown

NOTE = "The model keeps an image's channels before its height and width; here they come last."

# What computes the same whatever the order of height, width and channels.
_ANY_ORDER = frozenset(
    {"Activation", "ActivityRegularization", "Add", "AlphaDropout", "Average", "Dropout", "ELU", "GaussianDropout"}
    | {"GaussianNoise", "LeakyReLU", "Maximum", "Minimum", "Multiply", "ReLU", "Rescaling", "Subtract"}
)
_BY_AXIS = frozenset({"BatchNormalization", "Concatenate", "GroupNormalization"})
# Of channels, height, width, counted with the batch, from the front or the back.
_TURNED = {1: 3, 2: 1, 3: 2, -3: 3, -2: 1, -1: 2}


def are_channels_first(config: Config) -> bool:
    """Some layer of the model says so, in the words of any Keras."""
    waiting: list[Any] = [config]
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, dict):
            if thing.get("data_format") == "channels_first" or thing.get("dim_ordering") == "th":
                return True
            waiting.extend(thing.values())
        elif isinstance(thing, list):
            waiting.extend(thing)
    return False


def turned(kind: str, name: str, settings: Config) -> Config:
    """A layer's settings for images with their channels last. Raises: ModelError, where it cannot be turned."""
    if kind in _ANY_ORDER:
        return settings
    if kind in _BY_AXIS and (axis := settings.get("axis", -1)) in _TURNED:
        return settings | {"axis": _TURNED[axis]}
    if kind == "Flatten" or ("data_format" in LAYERS[kind] and settings.get("data_format") == "channels_first"):
        return settings | {"data_format": "channels_last"}
    raise ModelError(
        f"The model keeps channels first, and its layer {shown(name)} ({kind}) cannot be turned to channels last. "
        "Convert the model, and save it again."
    )


def flattens_channels_first(settings: Config) -> bool:
    """A Flatten writes the numbers in the order in which they lie, unless it was told that channels come first."""
    return settings.get("data_format") != "channels_first"
