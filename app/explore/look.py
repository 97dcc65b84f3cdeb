"""How the microscope draws: the colours of pictures and numbers that stand side by side mean the same values."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import numpy as np

from ..cnn.network import ForwardPass
from ..cnn.receptive_field import IMAGE
from ..cnn.types import Array
from ..imaging.colormap import Extremes, Values, cut_blocks, find_extremes, join_extremes
from .exploration import RenderOptions, as_maps
from .large_layers import open_maps, reading


@dataclass(frozen=True)
class Look(RenderOptions):
    """Options for drawing layers of several forward passes of one image on common scales."""

    forwards: Sequence[ForwardPass] = ()
    _found: dict[tuple[str, bool], Extremes] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, options: RenderOptions, forwards: Sequence[ForwardPass]) -> "Look":
        """Return these options for these forward passes."""
        known = {each.name: getattr(options, each.name) for each in fields(RenderOptions)}
        return cls(**known, forwards=forwards)

    def find_extremes(self, name: str, of_mean: bool = False) -> Extremes:
        """Return the extremes of each map of a layer, or of the image, over all forward passes.

        of_mean: those of the mean of its maps instead. Not to be called while a layer is being read.
        """
        if (name, of_mean) not in self._found:
            # All of them saw the same image.
            forwards = self.forwards[:1] if name == IMAGE else self.forwards
            self._found[name, of_mean] = join_extremes([_read_extremes(name, each, of_mean) for each in forwards])
        return self._found[name, of_mean]


def average_maps(activation: Values) -> Array:
    """Return the mean of the maps of an activation, (height, width, channels), as one map: (height, width, 1)."""
    height, width, channels = activation.shape
    mean = np.zeros((height, width, 1), dtype=np.float32)
    for block in cut_blocks(activation.shape):
        mean[block[:2]] += activation[block].sum(axis=2, keepdims=True) / np.float32(channels)
    return mean


def _read_extremes(name: str, forward: ForwardPass, of_mean: bool) -> Extremes:
    activation = as_maps(forward.image if name == IMAGE else forward.activations[name])
    with reading(activation.size, forward):
        values = open_maps(activation, forward)
        return find_extremes(average_maps(values) if of_mean else values)
