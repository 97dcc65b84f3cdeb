"""Inputs of a model beside the image: each is held at the values that it is given."""

from collections.abc import Sequence

from ..cells import Cell
from ..errors import HeldInput
from ..types import Array, Shape, Weights
from .checks import PARAMETERS, optional, setting, several, whole
from .layer import CellIndex, GraphBuilder, Layer, LayerSettings, Sizes, Tensor, known


class InputLayer(Layer):
    """An input that is not drawn into. It reads nothing; whoever runs the network says what it holds."""

    shape: tuple[int | None, ...] = setting(several(optional(whole(1, PARAMETERS)), most=8))

    is_held = True

    @classmethod
    def turn_channels_last(cls, settings: LayerSettings) -> LayerSettings | None:
        return settings

    @classmethod
    def of(cls, name: str, shape: Shape) -> "InputLayer":
        """Return the input of this name and shape."""
        return cls(name=name, sources=(), shape=shape, output_shape=shape)

    def sizes(self, image: Sequence[int | None]) -> Shape:
        """Return its shape beside an image of this shape: a size that may be anything is the image's."""
        if len(self.shape) != len(image):
            return self.shape
        return tuple(own or other for own, other in zip(self.shape, image, strict=True))

    def known_sizes(self, image: Sequence[int]) -> Sizes:
        """Return its shape beside an image of this shape, all of whose sizes are known. Raises: ValueError."""
        return tuple(known(size) for size in self.sizes(image))

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        """Return its shape. inputs: the image's, where that is known."""
        return self.sizes(inputs[0]) if inputs else self.shape

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        return graph.copy(graph.add_input(self.known_sizes(graph.image.shape[1:])))

    def count_operations(self, inputs: Sequence[Sizes], output: Sizes) -> int:
        return 0

    def _explain(self, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float) -> Cell:
        raise HeldInput(self.name)

    def describe(self) -> str:
        return "an input that is not drawn into: it holds the values that it was given"
