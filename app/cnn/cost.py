"""How much there is to compute in a network."""

from math import prod

from app.cnn.layers import Layer
from app.cnn.parts import Parts, Weights

# About what a millisecond or two are enough for, and a little more than the largest network has that comes with
# Layerglass: 12 layers, 94,260 numbers, 6 million multiplications.
_LAYERS = 16
_NUMBERS = 2**17  # in all layers' outputs
_MULTIPLICATIONS = 2**23


def is_small(parts: Parts) -> bool:
    """Running it, and drawing all its layers, takes a few milliseconds, whatever the image."""
    if len(parts.layers) > _LAYERS:
        return False
    numbers = multiplications = 0
    for layer in parts.layers:
        shape = [size for size in layer.output_shape if size is not None]
        if len(shape) < len(layer.output_shape):  # as large as the image is
            return False
        numbers += prod(shape)
        multiplications += _multiplications(layer, parts.weights[layer.name], shape)
    return numbers <= _NUMBERS and multiplications <= _MULTIPLICATIONS


def _multiplications(layer: Layer, weights: Weights, shape: list[int]) -> int:
    """Of kernels once at each place; comparisons or additions of pooling windows count as much. Not too few."""
    if layer.window is not None and layer.is_pooling:
        return prod(layer.window.size) * prod(shape)
    return sum(array.size for array in weights.values() if array.ndim > 1) * prod(shape[:-1])
