"""Feature maps and units by their numbers."""

from ..errors import InvalidEdit
from ..kinds import Layer
from ..types import as_maps_shape


def count_maps(layer: Layer) -> int:
    """Return how many feature maps a layer has, or units. Raises: InvalidEdit, where the drawing decides that."""
    shape = layer.output_shape
    counted = shape if len(shape) == 1 else shape[2:]
    if None in counted:
        raise InvalidEdit(f"How many maps “{layer.name}” has follows from the drawing, so that none of them is edited.")
    known = tuple(size or 0 for size in shape)
    return known[0] if len(known) == 1 else as_maps_shape(known)[2]


def require_map(layer: Layer, number: int) -> None:
    """Check that a layer has a map of this number, or a unit. Raises: InvalidEdit."""
    count = count_maps(layer)
    if not 0 <= number < count:
        has = f"only 1 {map_word(layer)}, 0" if count == 1 else f"{map_word(layer)}s 0 to {count - 1:,}"
        raise InvalidEdit(f"“{layer.name}” has no {map_word(layer)} {number:,}. It has {has}.")


def map_word(layer: Layer) -> str:
    """Return what one of a layer's maps is called: a unit in a vector."""
    return "unit" if len(layer.output_shape) == 1 else "map"
