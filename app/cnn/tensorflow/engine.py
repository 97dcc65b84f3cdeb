"""A network run by TensorFlow itself, for what the fast way does not know."""

from collections.abc import Callable
from threading import Lock

import keras
import numpy as np
import tensorflow as tf

from app.cnn.definition import ModelDefinition
from app.cnn.errors import ImageTooSmall
from app.cnn.tensorflow.pooling import with_pooling
from app.cnn.types import Array, PoolingMode

_Forward = Callable[[tf.Tensor], list[tf.Tensor]]

# On some processors, a convolution that is fused with its bias and ReLU makes zeros of what is not a number.
tf.config.optimizer.set_experimental_options({"remapping": False})


class TensorFlowEngine:
    """Graph functions of a Keras model, one a pooling mode, traced when first asked for. Safe to share."""

    def __init__(self, definition: ModelDefinition) -> None:
        """Build the Keras model, and trace the function that runs as trained."""
        self._model = definition.build()
        self._names = [layer.name for layer in definition.layers]
        self._traced: dict[PoolingMode | None, _Forward] = {None: self._trace(self._model)}
        self._lock = Lock()

    def run(self, image: Array, mode: PoolingMode | None) -> list[Array]:
        """Every layer's output, without the batch. mode: None is each layer's own. Raises: ImageTooSmall."""
        with self._lock:
            if mode and mode not in self._traced:
                self._traced[mode] = self._trace(with_pooling(self._model, mode))
        try:
            outputs = self._traced[mode](tf.constant(image[np.newaxis]))
        except tf.errors.InvalidArgumentError as error:  # a size less than zero
            raise ImageTooSmall(*image.shape[:2]) from error
        return [output.numpy()[0] for output in outputs]

    def _trace(self, model: keras.Model) -> _Forward:
        """A graph function from a batch of one image to all layers' outputs, run once where the size is known."""
        outputs = [model.get_layer(name).output for name in self._names]
        all_layers = keras.Model(model.inputs[0], outputs)
        shape = (1, *model.inputs[0].shape[1:])

        def forward(image: tf.Tensor) -> list[tf.Tensor]:
            made = all_layers(image, training=False)
            return list(made) if isinstance(made, list | tuple) else [made]

        run: _Forward = tf.function(forward, input_signature=[tf.TensorSpec(shape, tf.float32)]).get_concrete_function()
        if None not in shape:
            run(tf.zeros(shape))
        return run
