"""How much there is to compute in a network."""

from math import prod
from typing import NamedTuple

from app.cnn.definition import ModelDefinition
from app.cnn.kinds import Layer
from app.cnn.types import Shape, Weights

_ANY = 2**20  # stands for a side of any size, so that whatever has one is large


class Cost(NamedTuple):
    """What takes time, each by itself: a pass, its pictures, its answer in words, another pooling mode's graph."""

    layers: int
    numbers: int  # in the image and all layers' outputs
    multiplications: int  # of one pass
    weights: int
    maps: int  # feature maps of all layers
    classes: int


# More than any of the networks of one size has that come with Layerglass: 12, 95,044, 5,964,864, 453,002, 192 and 10.
_SMALL = Cost(layers=16, numbers=2**17, multiplications=2**23, weights=2**19, maps=1024, classes=256)


def is_small(definition: ModelDefinition) -> bool:
    """Running it and drawing all its layers takes a few milliseconds, whatever the image."""
    return all(has <= most for has, most in zip(cost_of(definition), _SMALL, strict=True))


def cost_of(definition: ModelDefinition) -> Cost:
    """What there is to compute in a model. A size that depends on the image's counts as a large one."""
    shapes = {layer.name: _known(layer.output_shape) for layer in definition.layers}
    last = definition.layers[-1]
    return Cost(
        layers=len(definition.layers),
        numbers=sum(map(prod, [_known(definition.input_shape), *shapes.values()])),
        multiplications=sum(
            _multiply(each, definition.weights[each.name], shapes[each.name]) for each in definition.layers
        ),
        weights=sum(array.size for weights in definition.weights.values() for array in weights.values()),
        maps=sum(shapes[layer.name][-1] for layer in definition.layers if layer.is_spatial),
        classes=0 if last.is_spatial else prod(shapes[last.name]),
    )


def _known(shape: Shape) -> list[int]:
    return [_ANY if size is None else size for size in shape]


def _multiply(layer: Layer, weights: Weights, shape: list[int]) -> int:
    """How often a layer multiplies: its kernels at each place. What is compared or added in pooling counts as much."""
    if layer.window is not None and layer.is_pooling:
        return prod(layer.window.size) * prod(shape)
    return sum(array.size for array in weights.values() if array.ndim > 1) * prod(shape[:-1])
