"""Networks run by TensorFlow: those with layers that LiteRT lacks, and those that are trained.

Whoever imports from here waits for TensorFlow to start, so the server does it only for a model that needs it.
"""

from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from types import MappingProxyType
from typing import Any, TypeVar

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from .definition import ModelDefinition
from .edits import Edits
from .errors import ImageTooSmall
from .kinds import KINDS, HeldCell, Layer
from .kinds.held_cells import as_scale_and_offset
from .kinds.pooling import MaxPooling2D, Pooling
from .types import Array, PoolingMode, shared_mode

T = TypeVar("T")

_HELD = "_held"  # behind the name of a layer: the one that sets cells of its output

_register = keras.saving.register_keras_serializable(package="layerglass")


@_register
class AdaptiveMaxPooling2D(layers.AdaptiveMaxPooling2D):
    """Adaptive maximum pooling, in place of Keras 3.15's: to one column, that divides by zero and ends the process."""

    def call(self, inputs: Any) -> Any:
        """Pool rows, then columns: (batch, height, width, channels) to (batch, *output_size, channels)."""
        for axis, count in enumerate(self.output_size, start=1):
            size, before = ops.shape(inputs)[axis], (slice(None),) * axis
            windows = [slice(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]
            inputs = ops.concatenate([ops.max(inputs[*before, each], axis, keepdims=True) for each in windows], axis)
        return inputs


def _minimum_of(maximum: type[layers.Layer], name: str) -> type[layers.Layer]:
    """Make a minimum pooling, which Keras lacks: -max_pool(-x), exact for every window, stride and padding.

    Padding never wins: max pooling pads with minus infinity, which is plus infinity here.
    """

    def call(self: Any, inputs: Any) -> Any:
        return -maximum.call(self, -inputs)

    made = type(name, (maximum,), {"call": call, "__doc__": "The minimum of each window."})
    return _register(made)


def layer_class(kind: str) -> type[layers.Layer]:
    """Return the class of this name: ours where there is one, or Keras'. Raises: AttributeError."""
    found: type[layers.Layer] = _OWN.get(kind) or getattr(layers, kind)
    return found


@_register
class TimeDistributed(layers.TimeDistributed):
    """A layer on each part of its input, in place of Keras 3.15's, whose graph holds the layer once for each part."""

    def __init__(self, layer: Any, **options: Any) -> None:
        """layer: in Keras, or as the kind of this name has it."""
        is_settings = isinstance(layer, dict)
        super().__init__(layer_class(layer["class_name"])(**layer["config"]) if is_settings else layer, **options)

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Give the layer all parts as one batch."""
        made = self.layer(ops.reshape(inputs, (-1, *inputs.shape[2:])))
        return ops.reshape(made, (-1, inputs.shape[1], *made.shape[1:]))


@_register
class Conv2DTranspose(layers.Conv2DTranspose):
    """A transposed convolution, in place of Keras 3.15's: TensorFlow dilates it on processors with oneDNN alone."""

    def call(self, inputs: Any) -> Any:
        """Convolve with zeros in the kernel's gaps, which is what a dilated kernel means."""
        if max(self.dilation_rate) == 1:
            return super().call(inputs)
        kernel = _fill_gaps(self.kernel, self.dilation_rate)
        made = ops.conv_transpose(inputs, kernel, self.strides, self.padding, self.output_padding)
        if self.use_bias:
            made = made + self.bias
        return made if self.activation is None else self.activation(made)


def _fill_gaps(kernel: Any, dilation: Sequence[int]) -> Any:
    """Put zeros between the rows and columns of a kernel, (height, width, ...), so that it needs no dilation."""
    (rows, columns, *rest), (down, across) = kernel.shape, dilation
    apart = ops.reshape(kernel, (rows, 1, columns, 1, *rest))
    apart = ops.pad(apart, [(0, 0), (0, down - 1), (0, 0), (0, across - 1), *((0, 0) for _ in rest)])
    filled = ops.reshape(apart, (rows * down, columns * across, *rest))
    return filled[: (rows - 1) * down + 1, : (columns - 1) * across + 1]


def _operation_of(kind: type[Layer]) -> type[layers.Layer]:
    """Make a layer of an operation, which the kind itself computes."""

    def __init__(self: Any, name: str | None = None, **settings: Any) -> None:
        own = {key: settings.pop(key) for key in ("trainable", "dtype") if key in settings}
        layers.Layer.__init__(self, name=name, **own)
        self.settings = settings
        self.operation = kind(name="", **settings)

    def build(self: Any, input_shape: Any) -> None:
        shapes = input_shape if isinstance(input_shape[0], list | tuple) else [input_shape]
        needed = self.operation.variable_shapes(*(tuple(shape[1:]) for shape in shapes))
        self.own = {name: self.add_weight(name=name, shape=shape) for name, shape in needed.items()}

    def call(self: Any, inputs: Any) -> Any:
        read = inputs if isinstance(inputs, list | tuple) else [inputs]
        return self.operation.compute_weighted(ops, read, self.own)

    def get_config(self: Any) -> dict[str, Any]:
        return {**layers.Layer.get_config(self), **self.settings}

    members = {"__init__": __init__, "build": build, "call": call, "get_config": get_config, "__doc__": kind.__doc__}
    return _register(type(kind.__name__, (layers.Layer,), members))


_OWN: dict[str, type[layers.Layer]] = {
    each.__name__: each for each in (AdaptiveMaxPooling2D, Conv2DTranspose, TimeDistributed)
}
_OWN |= {
    name: _minimum_of(layer_class(kind.in_mode(PoolingMode.MAX).__name__), name)
    for name, kind in KINDS.items()
    if issubclass(kind, Pooling) and kind.mode is PoolingMode.MIN
}


_OWN |= {name: _operation_of(kind) for name, kind in KINDS.items() if kind.is_operation}


def window_pooling(mode: PoolingMode) -> type[layers.Layer]:
    """Return the class of layers that pool windows in this mode."""
    return layer_class(MaxPooling2D.in_mode(mode).__name__)


def trained_pooling(model: keras.Model) -> PoolingMode | None:
    """Return the mode that all pooling layers of the model share; None where there is none, or where they differ."""
    kinds = (_pooling_kind(layer) for layer in model.layers)
    return shared_mode(kind.mode for kind in kinds if kind is not None)


def is_pooling(layer: layers.Layer) -> bool:
    """Return whether a layer pools, in whichever mode."""
    return _pooling_kind(layer) is not None


def with_pooling(
    model: keras.Model, mode: PoolingMode | None, pinned: Mapping[str, PoolingMode] = MappingProxyType({})
) -> keras.Model:
    """Return the model with every pooling layer's mode swapped: same weights, window, strides, padding and names.

    mode: None is each layer's own. pinned: modes of single layers, by name, in its place.
    """

    def swap(layer: layers.Layer) -> layers.Layer:
        if isinstance(layer, TimeDistributed):
            return TimeDistributed(swap(layer.layer), name=layer.name)
        kind = _pooling_kind(layer)
        wanted = pinned.get(layer.name, mode)
        made = type(layer) if kind is None or wanted is None else layer_class(kind.in_mode(wanted).__name__)
        return made.from_config(layer.get_config())

    swapped = keras.models.clone_model(model, clone_function=swap)
    swapped.set_weights(model.get_weights())
    for layer in swapped.layers:
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()  # it computes with copies of its weights
    return swapped


def _hold_cells(model: keras.Model, held: Mapping[str, Sequence[HeldCell]]) -> keras.Model:
    """Return the model with a layer behind each of these that sets cells of its output."""

    def call(layer: layers.Layer, *inputs: Any, **options: Any) -> Any:
        made = layer(*inputs, **options)
        if layer.name not in held:
            return made
        scale, offset = as_scale_and_offset(held[layer.name], made.shape[1:])
        return layers.Rescaling(scale.tolist(), offset.tolist(), name=f"{layer.name}{_HELD}")(made)

    # A Sequential model is a chain of its layers, between which nothing can be put.
    copy = keras.models.clone_model(keras.Model(model.inputs, model.outputs), call_function=call)
    copy.set_weights(model.get_weights())
    for layer in copy.layers:
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()
    return copy


def _pooling_kind(layer: layers.Layer) -> type[Pooling] | None:
    kind = KINDS.get(type(layer).__name__)
    return kind if kind is not None and issubclass(kind, Pooling) else None


_Forward = Callable[..., list[tf.Tensor]]  # of the image, then of the inputs that are held

# On some processors, a convolution that is fused with its bias and ReLU makes zeros of what is not a number.
tf.config.optimizer.set_experimental_options({"remapping": False})


class TensorFlowEngine:
    """Graph functions of a Keras model, one a pooling mode, traced when first asked for. Safe to share."""

    is_apart = False
    give_back: Callable[[], None] | None = None

    def __init__(self, definition: ModelDefinition) -> None:
        """Build the Keras model, and trace the function that runs as trained."""
        assert definition.build is not None
        self._definition = definition
        self._pinned = {
            layer.name: layer.mode for layer in definition.layers if isinstance(layer, Pooling) and layer.is_pinned
        }
        built = definition.build(definition.weights)
        self._model = with_pooling(built, None, self._pinned) if self._pinned else built
        self._names = [layer.name for layer in definition.layers]
        if held := {layer.name: layer.held_cells for layer in definition.layers if layer.held_cells}:
            self._model = _hold_cells(self._model, held)
            self._names = [f"{name}{_HELD}" if name in held else name for name in self._names]
        self._held = definition.held_inputs
        self._traced: dict[PoolingMode | None, _Forward] = {None: self._trace(self._model)}
        self._lock = Lock()

    def run(self, image: Array, mode: PoolingMode | None, held: Sequence[Array] = ()) -> list[Array]:
        """Return every layer's output, without the batch. mode: None is each layer's own. Raises: WrongImageSize."""
        return self.use(image, mode, list, held)

    def answer(self, image: Array, mode: PoolingMode | None, held: Sequence[Array] = ()) -> Array:
        """Return the last layer's output, without the batch. mode: None is each layer's own. Raises: WrongImageSize."""
        return self.use(image, mode, lambda outputs: outputs[-1].copy(), held)

    def use(
        self,
        image: Array,
        mode: PoolingMode | None,
        receive: Callable[[list[Array]], T],
        held: Sequence[Array] = (),
    ) -> T:
        """Run, and return what receive makes of the outputs. Raises: WrongImageSize."""
        with self._lock:
            if mode and mode not in self._traced:
                self._traced[mode] = self._trace(with_pooling(self._model, mode, self._pinned))
        try:
            outputs = self._traced[mode](*(tf.constant(values[np.newaxis]) for values in (image, *held)))
        except tf.errors.InvalidArgumentError as error:  # a size less than zero
            raise ImageTooSmall(*image.shape[:2]) from error
        return receive([output.numpy()[0] for output in outputs])

    def output_shapes(self, image: tuple[int, ...]) -> list[tuple[int, ...]]:
        """Return the shape of every layer's output, as Keras computes it. Raises: WrongImageSize."""
        names = self._names
        all_layers = keras.Model(self._model.inputs, [self._model.get_layer(name).output for name in names])
        held = (layer.sizes(image) for layer in self._held)
        try:
            made = all_layers.compute_output_spec([keras.KerasTensor((1, *shape)) for shape in (image, *held)])
        except (ValueError, TypeError) as error:
            raise ImageTooSmall(*image[:2]) from error
        specs = made if isinstance(made, list | tuple) else [made]
        return [tuple(each.shape[1:]) for each in specs]

    def edited(self, edits: Edits) -> "TensorFlowEngine":
        """Return an engine of the same network with these edits made in it. Raises: InvalidEdit."""
        return TensorFlowEngine(self._definition.edited(edits))

    def shuffling(self, seed: int) -> "TensorFlowEngine":
        """Return an engine of the same network with the numbers of each of its weights in a random order."""
        return TensorFlowEngine(self._definition.shuffling(seed))

    @property
    def nbytes(self) -> int:
        """The memory of the weights, in bytes, which each pooling mode copies."""
        return 4 * int(self._model.count_params()) * len(self._traced)

    def close(self) -> None:
        """Drop the functions of all modes but the trained one."""
        with self._lock:
            self._traced = {None: self._traced[None]}

    def _trace(self, model: keras.Model) -> _Forward:
        """Trace a function from a batch of one image to all layers' outputs. Run it once if the size is known."""
        outputs = [model.get_layer(name).output for name in self._names]
        all_layers = keras.Model(model.inputs, outputs)
        shapes = [(1, *each.shape[1:]) for each in model.inputs]

        def forward(*inputs: tf.Tensor) -> list[tf.Tensor]:
            made = all_layers(list(inputs), training=False)
            return list(made) if isinstance(made, list | tuple) else [made]

        signature = [tf.TensorSpec(shape, tf.float32) for shape in shapes]
        # Without autograph, which has nothing to rewrite here, and would write files.
        run: _Forward = tf.function(forward, signature, autograph=False).get_concrete_function()
        if not any(None in shape for shape in shapes):
            run(*map(tf.zeros, shapes))
        return run
