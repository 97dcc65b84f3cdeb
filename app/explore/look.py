"""How the microscope draws: the colours of pictures and numbers that stand side by side mean the same values."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

from ..cnn.network import ForwardPass
from ..cnn.receptive_field import IMAGE
from ..cnn.types import Array
from ..imaging.colormap import Extremes, find_extremes, join_extremes
from .exploration import RenderOptions, as_maps
from .large_layers import reading


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


def average_maps(activation: Array) -> Array:
    """Return the mean of an activation's maps, (height, width, 1)."""
    return activation.mean(axis=2, keepdims=True) if activation.shape[2] > 1 else activation


def _read_extremes(name: str, forward: ForwardPass, of_mean: bool) -> Extremes:
    activation = as_maps(forward.image if name == IMAGE else forward.activations[name])
    with reading(activation.size, forward):
        return find_extremes(average_maps(activation) if of_mean else activation)
