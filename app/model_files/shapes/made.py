"""What a rule tells of a layer, and what it asks of its inputs."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from app.cnn.layers import Shape
from app.model_files.plan import Settings


class NeedsKeras(Exception):
    """Only Keras itself can tell, or run, what this is."""


# A layer's weights by Keras' names, in the order in which Keras saves them: those that training changes first.
Variables = Mapping[str, tuple[int, ...]]


class Made(NamedTuple):
    """What a layer makes, without the batch, and the shapes of what it learnt."""

    shape: Shape
    variables: Variables = MappingProxyType({})


Rule = Callable[[Settings, list[Shape]], Made]


def image_of(inputs: list[Shape]) -> tuple[int | None, int | None, int]:
    """The one input's height, width and channels."""
    ((height, width, channels),) = inputs
    return height, width, known(channels)


def known(size: int | None) -> int:
    if size is None:
        raise ValueError(size)
    return size


def check(is_so: bool) -> None:
    if not is_so:
        raise ValueError


def last_size(settings: Settings, shape: Shape) -> int:
    """The size of the last axis, which must be the one meant."""
    check(settings["axis"] in (-1, len(shape), (-1,), (len(shape),)))
    return known(shape[-1])


def unchanged(settings: Settings, inputs: list[Shape]) -> Made:
    (shape,) = inputs
    return Made(shape)


def needing(setting: str) -> Rule:
    """The shape stays, and Keras has no default for the setting."""
    return lambda settings, inputs: unchanged({setting: settings[setting]}, inputs)
