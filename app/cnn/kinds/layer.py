"""A layer of a network, and all that the app may ask of it. Each kind of layer is a subclass."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, dataclass_transform

import numpy as np
from numpy.typing import NDArray

from ..cells import Cell, ElementwiseCell
from ..errors import (
    CannotMute,
    CannotSave,
    HeldValue,
    InvalidEdit,
    NeedsKeras,
    NoArithmetic,
    NoGradient,
    UnsupportedLayer,
)
from ..gradients import Gradients, PassedBack
from ..types import Array, Maps, PoolingMode, Shape, Variables, Weights
from ..windows import Region, Size, Window
from .checks import Configurable, setting
from .held_cells import HeldCell
from .keras_form import KerasForm

if TYPE_CHECKING:
    from ..litert.builder import GraphBuilder as GraphBuilder
    from ..litert.graph import Tensor as Tensor
else:  # LiteRT writes graphs; not every machine has it
    GraphBuilder = Tensor = Any

LayerSettings = Mapping[str, Any]  # of a layer, under Keras' names, each of them checked
Sizes = tuple[int, ...]  # a shape whose sizes are all known, without the batch
WeightsPlace = tuple[str, tuple[int | slice, ...]]  # the name of a layer's weights, and an index in them
CellIndex = tuple[int, ...]  # of a cell in a layer's output: (row, column, channel), or (unit,)

FLOAT_BYTES = 4
POINTER_BYTES = 8

REGISTRY: dict[str, type["Layer"]] = {}  # every kind by its Keras class name; app.cnn.kinds fills it


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field, setting))
@dataclass(frozen=True, kw_only=True)
class Layer(Configurable):
    """One layer: its place in the network, its settings in Keras' words, and what its kind can do.

    Every subclass is a frozen dataclass. It declares its settings as fields (see `setting`), and overrides what is not
    as it is here: a layer that computes each cell from the same place of one input, and that LiteRT does not run.
    """

    name: str
    sources: tuple[str | None, ...] = (None,)  # what it reads: layers by name; None is the image
    output_shape: Shape = ()
    variables: Variables = field(default_factory=lambda: MappingProxyType({}))

    held_cells: tuple[HeldCell, ...] = ()  # of the output, that are set by hand

    # Names that the kind had in other versions of Keras, or is registered under.
    aliases: ClassVar[tuple[str, ...]] = ()
    # Names that its variables had in other versions of Keras, and those they have now.
    old_variables: ClassVar[Mapping[str, str]] = MappingProxyType({})
    # Those of its variables that training does not change.
    untrained: ClassVar[tuple[str, ...]] = ()
    # Each of its cells depends on the whole of its input.
    mixes_everything: ClassVar[bool] = False
    # It rescales or reshapes the maps of the layer before it, and adds little to their picture.
    is_minor: ClassVar[bool] = False
    # Its output has no height and width any more, whatever it read.
    makes_vector: ClassVar[bool] = False
    # It reads the numbers of its input one after the other, whatever their shape.
    ignores_input_shape: ClassVar[bool] = False
    # It leaves each of its input's channels a channel, in the same order.
    keeps_channels: ClassVar[bool] = False
    # It moves or averages values, so that a probability stays one.
    keeps_probabilities: ClassVar[bool] = False
    # It passes values on as they are, so that the range of the image follows from a layer after it.
    keeps_values: ClassVar[bool] = False
    # It computes the same whatever the order of height, width and channels.
    ignores_layout: ClassVar[bool] = False
    # A map of it is the sum of what each input channel gives, with the same weights everywhere.
    has_partial_maps: ClassVar[bool] = False
    # It computes the same where its input has one more axis in front: an axis that it counts from the front moves back.
    ignores_leading_axes: ClassVar[bool] = False
    # It passes all numbers on as they are and in their order, in whatever shape.
    keeps_order: ClassVar[bool] = False
    # It is an activation function and nothing else.
    is_function: ClassVar[bool] = False
    # It is an input of the network beside the image, and reads nothing.
    is_held: ClassVar[bool] = False
    # Keras has a function for it and no layer: `compute` says how it is computed.
    is_operation: ClassVar[bool] = False
    # Where its weights are among its own in a .keras file.
    weights_path: ClassVar[str] = "vars"
    # A phrase for its card; without one, the name of its class.
    phrase: ClassVar[str | None] = None

    def __init_subclass__(cls, abstract: bool = False, **options: Any) -> None:
        super().__init_subclass__(**options)
        dataclass(frozen=True, kw_only=True)(cls)
        if not abstract:
            REGISTRY[cls.__name__] = cls

    # -- settings ----------------------------------------------------------------------------------------------------

    @classmethod
    def create(
        cls, name: str, sources: Sequence[str | None], settings: LayerSettings, input_shapes: Sequence[Shape]
    ) -> "Layer":
        """Make a layer of checked settings, and work out its output's shape and its weights' shapes.

        sources: the layers that it reads, None for the image. Raises: NeedsKeras, where the settings and the shapes do
        not go together, or more than their shapes is needed to tell.
        """
        try:
            layer = cls(name=name, sources=tuple(sources), **settings)
            shape = layer.compute_output_shape(*input_shapes)
            variables = layer.variable_shapes(*input_shapes)
        except (TypeError, ValueError) as error:  # a required setting is missing, a rank is another, a size unknown
            raise NeedsKeras(cls.__name__) from error
        if any(size is not None and size < 1 for size in shape):
            raise NeedsKeras(cls.__name__)
        return replace(layer, output_shape=shape, variables=variables)

    @classmethod
    def bound_parameters(cls, settings: LayerSettings, shape: Shape) -> int:
        """Return more parameters than a layer of these settings can have, where `create` does not tell how many.

        shape: of its input.
        """
        try:
            variables = cls(name="", **settings).variable_shapes(shape)
        except (TypeError, ValueError):  # Keras will not build it, or it has a few numbers for each that it reads
            return 4 * math.prod(size or 1 for size in shape)
        return sum(map(math.prod, variables.values()))

    @classmethod
    def turn_channels_last(cls, settings: LayerSettings) -> LayerSettings | None:
        """Return the settings for an image with its channels last, for those of one with its channels first.

        None where the layer cannot be turned.
        """
        if cls.ignores_layout:
            return settings
        if "data_format" in cls.checks() and settings.get("data_format") == "channels_first":
            return {**settings, "data_format": "channels_last"}
        return None

    @property
    def settings(self) -> dict[str, Any]:
        """Its settings by Keras' names."""
        return {name: getattr(self, name) for name in self.checks()}

    def as_keras(self) -> KerasForm:
        """Return layers of Keras' own that one after the other compute this one. Raises: CannotSave."""
        if self.is_operation:
            raise CannotSave(f"“{self.name}” ({self.kind}) is computed by operations for which Keras has no layer")
        return KerasForm((self.kind, self.settings))

    # -- shapes ------------------------------------------------------------------------------------------------------

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        """Return the output's shape for inputs of these shapes; by default the one input's.

        Raises: ValueError, TypeError, where the layer does not take such inputs.
        """
        (shape,) = inputs
        return shape

    def variable_shapes(self, *inputs: Shape) -> Variables:
        """Return the shape of each of the layer's weights, in the order in which Keras saves them."""
        return {}

    # -- what a layer is ---------------------------------------------------------------------------------------------

    @property
    def kind(self) -> str:
        """The Keras class."""
        return type(self).__name__

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the layers that it reads, the image apart."""
        return tuple(source for source in self.sources if source is not None)

    @property
    def parameters(self) -> int:
        return sum(map(math.prod, self.variables.values()))

    @property
    def biases(self) -> int:
        """The number of parameters that are biases; the others are weights."""
        return math.prod(self.variables.get("bias", (0,)))

    @property
    def is_spatial(self) -> bool:
        """Its output can be seen as feature maps: it is no vector. Rows of features are one map."""
        return len(self.output_shape) > 1

    @property
    def is_picture(self) -> bool:
        """Its output has height, width and channels, as a picture."""
        return len(self.output_shape) > 2

    @property
    def window(self) -> Window | None:
        """None where each cell reads its own place, or everything."""
        return None

    @property
    def activation(self) -> str | None:
        """The layer's setting of that name; None for a kind that has none."""
        return None

    @property
    def last_function(self) -> str | None:
        """The activation function that made the layer's output; None without one."""
        return self.activation

    @property
    def pooling(self) -> PoolingMode | None:
        """The mode that a pooling layer was trained with; None for all others."""
        return None

    @property
    def is_pooling(self) -> bool:
        return self.pooling is not None

    @property
    def is_convolution(self) -> bool:
        return False

    def with_pooling(self, mode: PoolingMode | None) -> "Layer":
        """Return the layer as it is in this pooling mode; None, and for a layer that does not pool, is as trained."""
        return self

    def pin_pooling(self, mode: PoolingMode) -> "Layer | None":
        """Return the layer pooling in this mode, whatever the mode of the network; None for a layer that does not pool
        by itself.
        """
        return None

    def value_range(self, weights: Weights) -> tuple[float, float] | None:
        """Return the range of the image that this layer was made for, as the first one that tells; else None."""
        return None

    def compute(self, ops: Any, inputs: Sequence[Any]) -> Any:
        """Compute an operation by keras.ops, on tensors with their batch."""
        raise NotImplementedError

    def compute_weighted(self, ops: Any, inputs: Sequence[Any], weights: Mapping[str, Any]) -> Any:
        """Compute an operation that may have weights; by default one that has none."""
        return self.compute(ops, inputs)

    # -- LiteRT ------------------------------------------------------------------------------------------------------

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        """Write the layer into a LiteRT graph, and return its output. Raises: UnsupportedLayer."""
        raise UnsupportedLayer(f"{self.kind} layers")

    # -- cost --------------------------------------------------------------------------------------------------------

    def count_operations(self, inputs: Sequence[Sizes], output: Sizes) -> int:
        """Return how long the layer takes, in multiplications with an addition as a convolution does them.

        inputs, output: the shapes of what it reads and makes. By default, as an activation function takes: ten for each
        number that it reads or makes.
        """
        return 10 * (sum(map(math.prod, inputs)) + math.prod(output))

    def count_scratch(self, inputs: Sequence[Sizes], output: Sizes) -> int:
        """Return the bytes that the layer takes beside its output; by default, as if it needed two copies of it."""
        return 2 * FLOAT_BYTES * math.prod(output)

    # -- arithmetic --------------------------------------------------------------------------------------------------

    @np.errstate(invalid="ignore", over="ignore")  # a broken network's values are not finite, and are shown so
    def explain(self, weights: Weights, inputs: Sequence[Array], output: Array, place: CellIndex) -> Cell:
        """Return the arithmetic of one cell, part by part, in float64 over the float32 values of the network.

        inputs, output: what the layer read and made, without the batch. Raises: NoArithmetic.
        """
        if any(cell.place == place for cell in self.held_cells):
            raise HeldValue
        return self._explain(weights, inputs, place, float(output[place]))

    def _explain(self, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float) -> Cell:
        raise NoArithmetic(self.kind)

    def partial_maps(
        self, weights: Weights, image: Maps, channel: int, shape: tuple[int, int], terms: slice = slice(None)
    ) -> NDArray[np.float64] | None:
        """Return what some input channels give to one whole feature map, before the sum.

        image: (height, width, channels), what the layer read. shape: the feature map's height and width. terms: those
        of the layer's cells that are wanted.
        Returns: (height, width, terms); None for layers without such parts.
        """
        return None

    def map_kernels(
        self, weights: Weights, input_channels: int, channel: int
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Return which input channels one feature map reads, and the kernel of each: (height, width, channels read).

        Raises: NoArithmetic, for a layer without such kernels, and where they are too large to be shown.
        """
        raise NoArithmetic(self.kind)

    @property
    def can_mute(self) -> bool:
        """Zeros among its weights make its maps zero: see `mute`."""
        return False

    def mute(self, weights: Weights, maps: Sequence[int]) -> Weights:
        """Return the weights with zeros for those, and for the bias, that make these feature maps.

        The maps are then zero, whatever the layer reads. Raises: CannotMute.
        """
        raise CannotMute(f"“{self.name}” has no weights of which some make each of its maps.")

    def kernel_place(self, number: int, channel: int) -> WeightsPlace:
        """Return where the kernel stands by which a feature map, or a unit, reads a channel. Raises: InvalidEdit."""
        raise InvalidEdit(f"“{self.name}” ({self.kind}) has no kernels, one for each map and channel, to be set.")

    def bias_place(self, number: int) -> WeightsPlace:
        """Return where the bias of a feature map, or of a unit, stands. Raises: InvalidEdit."""
        if self.biases != self.output_shape[-1]:
            raise InvalidEdit(f"“{self.name}” ({self.kind}) has no bias, one for each of its maps, to be set.")
        return "bias", (number,)

    def source_of(self, place: CellIndex, inputs: Sequence[Shape]) -> tuple[int, CellIndex | None] | None:
        """Return where a value was moved from: which input, and the place in it, or None for padding.

        None where the layer does more than to move values.
        """
        return None

    def read_region(self, cells: Region, size: Size) -> Region:
        """Return what these cells of the output read of an input of this size; by default the same places."""
        return cells

    # -- gradients ---------------------------------------------------------------------------------------------------

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        """Return what becomes of several gradients of the output: gradients of each input, and the layer's own terms.

        inputs, output: what the layer read and made, without the batch. gradients: (several, *shape of the output).
        Raises: NoGradient.
        """
        raise NoGradient(self.name, f"the derivative of {self.kind} layers is not written yet")

    def before_activation(self) -> "Layer":
        """Return the layer without its activation function; itself, where it has none."""
        return self

    def pre_activation(self, weights: Weights, inputs: Sequence[Array]) -> NDArray[np.float64]:
        """Return what the activation function was given, in float64. Only a layer that applies one has it."""
        raise NotImplementedError

    # -- words -------------------------------------------------------------------------------------------------------

    def describe(self) -> str:
        """Return what the layer is in words, such as "3×3 convolution, 16 kernels, stride 1, no padding, ReLU"."""
        return self.phrase or self.kind

    def describe_briefly(self) -> str:
        """Return the same in a few words: no stride, no padding."""
        return self.describe()

    def describe_unmoded(self) -> str:
        """Return words that hold in every pooling mode."""
        return self.describe()


class Unchanged(Layer, abstract=True):
    """A layer that does nothing when a trained network answers."""

    ignores_leading_axes = True
    ignores_layout = True
    keeps_order = True

    def source_of(self, place: CellIndex, inputs: Sequence[Shape]) -> tuple[int, CellIndex | None] | None:
        return 0, place

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        return graph.copy(inputs[0])

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        return PassedBack((gradients,))

    def _explain(self, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float) -> Cell:
        formula = "nothing happens to {0} when the network answers"
        return ElementwiseCell((float(inputs[0][place]),), self.kind.lower(), {}, value, formula)


def known(size: int | None) -> int:
    """Return a size that must be known. Raises: ValueError."""
    if size is None:
        raise ValueError("a size that may be any")
    return size


def image_shape(shape: Shape) -> tuple[int | None, int | None, int]:
    """Return height, width and channels of what must be an image. Raises: ValueError."""
    height, width, channels = shape
    return height, width, known(channels)


def require(is_so: bool) -> None:
    """Raise ValueError where something that the shapes follow from is not so."""
    if not is_so:
        raise ValueError


def last_size(axis: int | tuple[int, ...] | None, shape: Shape) -> int:
    """Return the size of the last axis, which must be the one that is meant. Raises: ValueError."""
    require(axis in (-1, len(shape), (-1,), (len(shape),)))
    return known(shape[-1])
