"""The layers of a network whose maps or units are looked at, one by one."""

import math

from ..cnn.kinds import Layer
from ..cnn.kinds.layer import Unchanged
from ..cnn.kinds.reshaping import Moving
from ..cnn.network import Network
from ..cnn.types import as_maps_shape

MOST_MAPS = 2**12  # of a layer, or units
MOST_CELLS = 2**20  # of its output


class NoMaps(LookupError):
    """A layer has no maps or units to look at, or more than are looked at. The message says why."""


def list_layers(network: Network) -> list[Layer]:
    """Return the layers whose maps, or units, are looked at."""
    return [layer for layer in network.layers if why_not(layer) is None]


def choose_layer(network: Network, name: str | None = None) -> Layer:
    """Return the layer of this name; without one the first convolution, else the first layer with maps or units.

    Raises: UnknownLayer, NoMaps.
    """
    if name:
        layer = network.layer(name)
        if reason := why_not(layer):
            raise NoMaps(reason)
        return layer
    layers = list_layers(network)
    if not layers:
        raise NoMaps(f"No layer of “{network.name}” has maps or units that can be looked at.")
    return next((layer for layer in layers if layer.is_convolution), layers[0])


def count_maps(layer: Layer) -> int:
    """Return how many maps, or units of a vector, a layer has; 0 where that is not known."""
    shape = layer.output_shape
    if len(shape) < 2:
        return shape[-1] or 0
    if None in shape[2:]:
        return 0
    return as_maps_shape(tuple(size or 1 for size in shape))[2]


def why_not(layer: Layer) -> str | None:
    """Return why a layer's maps or units are not looked at; None if they are."""
    if layer.is_held:
        return f"“{layer.name}” is an input that holds the same values for every picture: it looks for nothing."
    if isinstance(layer, Unchanged | Moving):
        return f"“{layer.name}” ({layer.kind}) passes on the values that it reads: look at the layer before it."
    maps, word = count_maps(layer), "maps" if layer.is_spatial else "units"
    if not maps:
        return f"How many {word} “{layer.name}” has depends on the picture: it has none of its own."
    if maps > MOST_MAPS:
        return f"“{layer.name}” has {maps:,} {word}, more than the {MOST_MAPS:,} that are looked at."
    if math.prod(size or 1 for size in layer.output_shape) > MOST_CELLS:
        return f"“{layer.name}” gives more than {MOST_CELLS:,} numbers for a picture: too many to look at."
    return None
