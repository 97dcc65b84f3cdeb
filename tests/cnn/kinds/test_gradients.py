"""Every kind's way back gives TensorFlow's gradient, and leaves nothing of gradient × output unaccounted for."""

from collections.abc import Callable
from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from app.cnn.errors import NoGradient
from app.cnn.kinds import Layer, operations
from app.cnn.kinds.activation_gradients import _SHARES, _SLOPES
from app.cnn.kinds.attention import AdditiveScores, Attend, AttentionOutput, AttentionScores
from app.cnn.kinds.recurrent_gradients import _VALUES
from app.cnn.tensorflow import layer_class
from tests.keras_layers import computing_layers, define, describe_layers
from tests.small_models import with_random_weights

IMAGE, VECTOR, ROWS = (7, 8, 4), (5,), (6, 4)
SEVERAL = 2  # gradients at once
TOLERANCE = 1e-5

ONE_INPUT = [
    (layers.Conv2D(3, 3), IMAGE),
    (layers.Conv2D(4, (3, 2), strides=(2, 1), padding="same", activation="relu", groups=2), IMAGE),
    (layers.Conv2D(3, 2, dilation_rate=2, padding="same", activation="tanh", use_bias=False), IMAGE),
    (layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", activation="silu"), IMAGE),
    (layers.SeparableConv2D(3, 3, strides=2, padding="same", depth_multiplier=2), IMAGE),
    (layers.Conv2DTranspose(3, 3, strides=2, padding="same", activation="relu"), IMAGE),
    (layers.Conv2DTranspose(3, 2, strides=3, padding="valid"), IMAGE),
    (layers.MaxPooling2D(2), IMAGE),
    (layers.MaxPooling2D(3, strides=2, padding="same"), IMAGE),
    (layers.AveragePooling2D(3, strides=2, padding="same"), IMAGE),
    (layer_class("MinPooling2D")((3, 2), strides=(2, 1)), IMAGE),
    (layers.GlobalMaxPooling2D(keepdims=True), IMAGE),
    (layers.GlobalAveragePooling2D(), IMAGE),
    (layer_class("GlobalMinPooling2D")(), IMAGE),
    (layers.BatchNormalization(), IMAGE),
    (layers.BatchNormalization(scale=False), VECTOR),
    (layers.Rescaling(0.5, offset=-1), IMAGE),
    (layers.Dense(3), VECTOR),
    (layers.Dense(3, activation="softmax", use_bias=False), VECTOR),
    (layers.Dense(2, activation="relu"), ROWS),
    (layers.Softmax(), IMAGE),
    (layers.Softmax(axis=1), ROWS),
    (layers.ReLU(max_value=1, negative_slope=0.1, threshold=0.2), IMAGE),
    (layers.LeakyReLU(negative_slope=0.3), IMAGE),
    (layers.ELU(alpha=0.5), VECTOR),
    (layers.PReLU(shared_axes=[1, 2]), IMAGE),
    (layers.Flatten(), IMAGE),
    (layers.Reshape((4, 56)), IMAGE),
    (layers.Permute((3, 1, 2)), IMAGE),
    (layers.RepeatVector(3), VECTOR),
    (layers.ZeroPadding2D(((1, 2), (0, 1))), IMAGE),
    (layers.Cropping2D(((1, 2), (0, 1))), IMAGE),
    (layers.UpSampling2D((2, 3)), IMAGE),
    (layers.UpSampling2D(2, interpolation="bilinear"), IMAGE),
    (layers.Resizing(5, 11), IMAGE),
    (layers.Resizing(10, 3, interpolation="nearest"), IMAGE),
    (layers.UpSampling2D((3, 2), interpolation="bicubic"), IMAGE),
    (layers.UpSampling2D(2, interpolation="lanczos3"), IMAGE),
    (layers.Resizing(5, 11, interpolation="bicubic"), IMAGE),
    (layers.Resizing(10, 3, interpolation="lanczos3"), IMAGE),
    (layers.Resizing(4, 9, interpolation="lanczos5", antialias=True), IMAGE),
    (layers.Resizing(4, 3, interpolation="bicubic", antialias=True), IMAGE),
    (layers.Resizing(3, 4, antialias=True), IMAGE),
    (layers.Resizing(4, 10, crop_to_aspect_ratio=True), IMAGE),
    (layers.Resizing(6, 3, crop_to_aspect_ratio=True, interpolation="nearest"), IMAGE),
    (layers.Resizing(4, 10, pad_to_aspect_ratio=True, fill_value=2.0), IMAGE),
    (layers.Resizing(9, 4, pad_to_aspect_ratio=True), IMAGE),
    (layers.CenterCrop(4, 5), IMAGE),
    (layers.CenterCrop(9, 4), IMAGE),
    (layers.SimpleRNN(3), ROWS),
    (layers.SimpleRNN(3, return_sequences=True, go_backwards=True, activation="softsign", use_bias=False), ROWS),
    (layers.LSTM(3), ROWS),
    (layers.LSTM(2, return_sequences=True, recurrent_activation="hard_sigmoid", activation="relu"), ROWS),
    (layers.LSTM(2, go_backwards=True, use_bias=False), ROWS),
    (layers.GRU(3), ROWS),
    (layers.GRU(3, return_sequences=True, reset_after=False), ROWS),
    (layers.GRU(2, go_backwards=True, use_bias=False), ROWS),
    (layers.TimeDistributed(layers.GRU(2)), (3, *ROWS)),
    *((layers.SimpleRNN(2, activation=name), ROWS) for name in sorted(_VALUES)),
    (layers.LayerNormalization(), IMAGE),
    (layers.LayerNormalization(scale=False, center=False), VECTOR),
    (layers.GroupNormalization(2), IMAGE),
    (layers.GroupNormalization(1), IMAGE),
    (layers.GroupNormalization(-1), IMAGE),
    (layers.RMSNormalization(), IMAGE),
    (layers.UnitNormalization(), IMAGE),
    (layers.UnitNormalization(axis=1), ROWS),
    (layers.Normalization(mean=[0.5] * 4, variance=[2.0] * 4), IMAGE),
    (layers.Normalization(mean=1.0, variance=4.0, invert=True, axis=None), IMAGE),
    (layers.TimeDistributed(layers.Dense(3, activation="tanh")), ROWS),
    (layers.TimeDistributed(layers.Conv2D(2, 3, activation="relu")), (3, 5, 6, 2)),
    (layers.Dropout(0.5), IMAGE),
    *((layers.Activation(name), IMAGE) for name in sorted({"linear", "softmax", *_SHARES, *_SLOPES})),
]
SEVERAL_INPUTS = [
    layers.Add(),
    layers.Subtract(),
    layers.Multiply(),
    layers.Average(),
    layers.Maximum(),
    layers.Minimum(),
    layers.Concatenate(axis=1),
    layers.Concatenate(),
]


def name_of(case: object) -> str:
    return f"{type(case).__name__}-{getattr(case, 'name', '')}" if isinstance(case, layers.Layer) else str(case)


def check(model: keras.Model, images: list[np.ndarray]) -> None:
    """Compare the last layer's way back with TensorFlow's, for a network that is this layer."""
    layer, keras_layer = describe_layers(model)[-1], list(computing_layers(model))[-1]
    weights = define(model).weights[layer.name]
    variables = [tf.Variable(image[np.newaxis]) for image in images]
    given = variables if len(variables) > 1 else variables[0]
    with tf.GradientTape(persistent=True) as tape:
        made = keras_layer(given, training=False)
    rng = np.random.default_rng(3)
    gradients = rng.normal(size=(SEVERAL, *made.shape[1:])).astype(np.float32)
    passed = layer.backward(weights, images, made.numpy()[0], gradients)
    for number, gradient in enumerate(gradients):
        expected = tape.gradient(made, variables, output_gradients=gradient[np.newaxis])
        for own, other in zip(passed.inputs, expected, strict=True):
            np.testing.assert_allclose(own[number], other.numpy()[0], rtol=TOLERANCE, atol=TOLERANCE)
        shares = sum(float(np.sum(own[number] * image)) for own, image in zip(passed.inputs, images, strict=True))
        bias = 0.0 if passed.bias is None else passed.bias[number].sum()
        left_over = 0.0 if passed.left_over is None else passed.left_over[number]
        np.testing.assert_allclose(shares + bias + left_over, np.sum(gradient * made.numpy()), rtol=1e-4, atol=1e-4)


def draw(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 2, shape).astype(np.float32)


@pytest.mark.parametrize(("layer", "shape"), ONE_INPUT, ids=name_of)
def test_a_layer_passes_tensorflow_s_gradient_on(layer: layers.Layer, shape: tuple[int, ...]) -> None:
    check(with_random_weights(keras.Sequential([keras.Input(shape), layer])), [draw(shape, 1)])


@pytest.mark.parametrize("layer", SEVERAL_INPUTS, ids=name_of)
def test_a_merge_passes_tensorflow_s_gradient_on(layer: layers.Layer) -> None:
    inputs = [keras.Input(IMAGE), keras.Input(IMAGE)]
    check(keras.Model(inputs, layer(inputs)), [draw(IMAGE, 1), draw(IMAGE, 2)])


def test_a_merge_sums_the_gradient_of_what_it_repeats() -> None:
    inputs = [keras.Input(IMAGE), keras.Input((1, 1, 4))]
    check(keras.Model(inputs, layers.Multiply()(inputs)), [draw(IMAGE, 1), draw((1, 1, 4), 2)])


OPERATIONS = [
    *(operations.Square, operations.Sqrt, operations.Rsqrt, operations.Exp, operations.Log),
    *(operations.Absolute, operations.Reciprocal),
    partial(operations.Power, exponent=1.7),
    partial(operations.Clip, minimum=0.5, maximum=2.0),
    *(
        partial(kind, axis=axis, keepdims=keepdims)
        for kind in (operations.ReduceMax, operations.ReduceMin, operations.ReduceMean, operations.ReduceSum)
        for axis, keepdims in ((3, False), ((1, -2), True))
    ),
    partial(operations.ReduceVariance, axis=(1, 2)),
    partial(operations.ReduceDeviation, axis=-1),
]


@pytest.mark.parametrize("make", OPERATIONS, ids=str)
def test_an_operation_passes_tensorflow_s_gradient_on(make: Callable[..., Layer]) -> None:
    layer, image = make(name="operation", sources=(None,)), np.abs(draw(IMAGE, 4)) + np.float32(0.1)
    variable = tf.Variable(image[np.newaxis])
    with tf.GradientTape() as tape:
        made = layer.compute(keras.ops, [variable])
    gradient = draw(tuple(made.shape), 5)
    passed = layer.backward({}, [image], made.numpy()[0], gradient)
    expected = tape.gradient(made, variable, output_gradients=gradient).numpy()
    np.testing.assert_allclose(passed.inputs[0], expected, rtol=1e-4, atol=1e-5)
    left_over = 0.0 if passed.left_over is None else passed.left_over[0]
    sums = np.sum(passed.inputs[0][0] * image) + left_over
    np.testing.assert_allclose(sums, np.sum(gradient * made.numpy()), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("normalize", [False, True])
def test_a_dot_product_passes_tensorflow_s_gradient_on(normalize: bool) -> None:
    inputs = [keras.Input(VECTOR), keras.Input(VECTOR)]
    check(keras.Model(inputs, layers.Dot(1, normalize)(inputs)), [draw(VECTOR, 1), draw(VECTOR, 2)])


def test_the_first_of_equal_cells_has_all_of_a_maximum_s_gradient() -> None:
    image = np.zeros((4, 4, 1), np.float32)
    model = keras.Sequential([keras.Input(image.shape), layers.MaxPooling2D(2)])
    check(model, [image])
    (layer,) = describe_layers(model)
    (passed,) = layer.backward({}, [image], np.zeros((2, 2, 1), np.float32), np.ones((1, 2, 2, 1), np.float32)).inputs
    np.testing.assert_array_equal(passed[0, :, :, 0], [[1, 0, 1, 0], [0] * 4] * 2)


FEATURES = 8
ATTENTION = [
    (AttentionScores, {}, (5, FEATURES), (3, FEATURES)),
    (AttentionScores, {"heads": 4, "key_heads": 2, "factor": 0.5, "use_scale": True}, (2, 3, FEATURES), (4, 4)),
    (AdditiveScores, {}, (5, FEATURES), (3, FEATURES)),
    (AdditiveScores, {"use_scale": True, "score_mode": "concat"}, (5, FEATURES), (2, 2, FEATURES)),
    (Attend, {}, (5, 3, 2), (3, FEATURES)),
    (Attend, {"value_heads": 2}, (6, 6, 4), (2, 3, FEATURES)),
    (AttentionOutput, {}, (5, FEATURES), (5, 3)),
]


@pytest.mark.parametrize(("kind", "settings", "first", "second"), ATTENTION)
def test_attention_passes_tensorflow_s_gradient_on(
    kind: type[Layer], settings: dict[str, object], first: tuple[int, ...], second: tuple[int, ...]
) -> None:
    layer = kind.create("attention", ["one", "other"], settings, [first, second])
    images = [np.float32(0.5) * draw(first, 1), np.float32(0.5) * draw(second, 2)]
    weights = {name: draw(shape, 3) for name, shape in layer.variables.items()}
    variables = [tf.Variable(image[np.newaxis]) for image in images]
    with tf.GradientTape() as tape:
        made = layer.compute_weighted(keras.ops, variables, {name: tf.constant(w) for name, w in weights.items()})
    gradient = draw(tuple(made.shape), 5)
    passed = layer.backward(weights, images, made.numpy()[0], gradient)
    expected = tape.gradient(made, variables, output_gradients=gradient, unconnected_gradients="zero")
    for own, other in zip(passed.inputs, expected, strict=True):
        np.testing.assert_allclose(own, other.numpy(), rtol=1e-4, atol=1e-5)
    shares = sum(float(np.sum(own[0] * image)) for own, image in zip(passed.inputs, images, strict=True))
    others = sum(each.sum() for each in (passed.bias, passed.left_over) if each is not None)
    np.testing.assert_allclose(shares + others, np.sum(gradient * made.numpy()), rtol=1e-4, atol=1e-4)


def test_a_layer_without_a_way_back_is_named() -> None:
    (layer,) = describe_layers(
        keras.Sequential([keras.Input(ROWS), layers.LSTM(2, activation="log_softmax", name="reads")])
    )
    with pytest.raises(NoGradient, match=r"“reads”.*LSTM"):
        layer.backward({}, [], np.zeros(2, np.float32), np.zeros((1, 2), np.float32))
