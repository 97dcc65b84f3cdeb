"""Every kind of layer that LiteRT is given computes what Keras computes, whatever its settings."""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st
from keras import layers
from numpy.typing import NDArray

from app.cnn.cells import ElementwiseCell
from app.cnn.errors import UnsupportedLayer
from app.cnn.kinds import KINDS, Layer
from app.cnn.kinds.activation_functions import FUNCTIONS as ALL_FUNCTIONS
from app.cnn.litert.engine import LiteEngine
from app.cnn.tensorflow import layer_class, with_pooling
from app.cnn.types import PoolingMode
from tests.keras_layers import computing_layers
from tests.small_models import parts, with_random_weights

GlobalMinPooling2D = layer_class("GlobalMinPooling2D")
MinPooling2D = layer_class("MinPooling2D")

# Keras warns that the softmax of one unit is always 1, as some of the models here have it.
pytestmark = pytest.mark.filterwarnings("ignore:(?s).*softmax over axis:UserWarning")

FUNCTIONS = [name for name, function in ALL_FUNCTIONS.items() if function.write is not None]
# That LiteRT runs, and that Keras can put behind another one.
WRITERS = [name for name, kind in KINDS.items() if kind.write is not Layer.write and not kind.is_held]

TOLERANCE = 1e-4  # absolute and relative; float32 itself leaves 1e-7 for each number that is added

Make = Callable[[], layers.Layer]

small = st.integers(1, 3)
pair = st.tuples(small, small)
padding = st.sampled_from(["valid", "same"])
activation = st.sampled_from(FUNCTIONS)
number = st.floats(-2, 2, width=32)
above_zero = st.floats(0.125, 2, width=32)
margins = st.tuples(pair, pair)
channels = st.sampled_from([1, 2, 4, 6])


def lite_engine(model: keras.Model) -> LiteEngine:
    return LiteEngine(parts(model))


def keras_activations(model: keras.Model, image: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    every = keras.Model(model.inputs[0], [layer.output for layer in computing_layers(model)])
    outputs = every(image[np.newaxis], training=False)  # said, because Resizing turns training on for those behind it
    return [np.asarray(output)[0] for output in (outputs if isinstance(outputs, list) else [outputs])]


def compare(
    model: keras.Model,
    mode: PoolingMode | None = None,
    shape: tuple[int, ...] | None = None,
    largest: float | None = None,
) -> None:
    """All activations of the model with random weights and a random image, by both ways.

    largest: skip the example if any activation lies beyond.
    """
    with_random_weights(model)
    for layer in model.layers:
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()
    shape = shape or model.inputs[0].shape[1:]
    image = np.random.default_rng(1).normal(0, 2, shape).astype(np.float32)
    expected = keras_activations(with_pooling(model, mode) if mode else model, image)
    if largest is not None:
        assume(all(np.abs(output).max() <= largest for output in expected))
    found = lite_engine(model).run(image, mode)
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape and one.dtype == np.float32
        np.testing.assert_allclose(one, other, rtol=TOLERANCE, atol=TOLERANCE)


def of(kind: type[layers.Layer], **options: st.SearchStrategy[Any]) -> st.SearchStrategy[Make]:
    """Layers of a kind, each option drawn from a strategy."""
    return st.fixed_dictionaries(options).map(lambda drawn: lambda: kind(**drawn))


@st.composite
def sliding(draw: st.DrawFn, /, kind: type[layers.Layer], **options: st.SearchStrategy[Any]) -> Make:
    """Convolutions, with strides or dilation: Keras allows one of them."""
    given = {name: draw(option) for name, option in options.items()}
    given |= {"kernel_size": draw(pair), "padding": draw(padding), "activation": draw(activation)}
    given |= {"use_bias": draw(st.booleans())}
    if draw(st.booleans()) and kind is not layers.Conv2DTranspose:
        given["dilation_rate"] = draw(small)  # TensorFlow's depthwise convolutions know square steps only
    else:
        given["strides"] = draw(pair if kind in {layers.Conv2D, layers.Conv2DTranspose} else small)
    return lambda: kind(**given)


def pooling(kind: type[layers.Layer]) -> st.SearchStrategy[Make]:
    return of(kind, pool_size=pair, strides=st.none() | pair, padding=padding)


def unchanged(kind: type[layers.Layer], **arguments: float) -> st.SearchStrategy[Make]:
    return st.just(lambda: kind(**arguments))


sizes = st.tuples(st.integers(1, 7), st.integers(1, 7))  # at most the image's
LAST = {"axis": st.sampled_from([-1, 3])}
RESIZING = {"interpolation": st.sampled_from(["nearest", "bilinear"])}
LAYERS: dict[str, st.SearchStrategy[Make]] = {
    "Activation": of(layers.Activation, activation=activation),
    "ActivityRegularization": unchanged(layers.ActivityRegularization, l2=0.1),
    "AdaptiveAveragePooling2D": of(layers.AdaptiveAveragePooling2D, output_size=sizes),
    "AdaptiveMaxPooling2D": of(layer_class("AdaptiveMaxPooling2D"), output_size=sizes),
    "AdaptiveMinPooling2D": of(layer_class("AdaptiveMinPooling2D"), output_size=sizes),
    "AlphaDropout": unchanged(layers.AlphaDropout, rate=0.5),
    "AveragePooling2D": pooling(layers.AveragePooling2D),
    "BatchNormalization": of(
        layers.BatchNormalization, center=st.booleans(), scale=st.booleans(), epsilon=above_zero, **LAST
    ),
    "Conv2D": sliding(layers.Conv2D, filters=small),
    "Conv2DTranspose": sliding(layers.Conv2DTranspose, filters=small),
    "Cropping2D": of(layers.Cropping2D, cropping=margins),
    "Dense": of(layers.Dense, units=small, activation=activation, use_bias=st.booleans()),
    "DepthwiseConv2D": sliding(layers.DepthwiseConv2D, depth_multiplier=small),
    "Dropout": unchanged(layers.Dropout, rate=0.5),
    "ELU": of(layers.ELU, alpha=st.just(1.0) | above_zero),
    "Flatten": of(layers.Flatten),
    "GaussianDropout": unchanged(layers.GaussianDropout, rate=0.5),
    "GaussianNoise": unchanged(layers.GaussianNoise, stddev=0.5),
    "GlobalAveragePooling2D": of(layers.GlobalAveragePooling2D, keepdims=st.booleans()),
    "GlobalMaxPooling2D": of(layers.GlobalMaxPooling2D, keepdims=st.booleans()),
    "GlobalMinPooling2D": of(GlobalMinPooling2D, keepdims=st.booleans()),
    "Identity": unchanged(layers.Identity),
    "LayerNormalization": of(
        layers.LayerNormalization, center=st.booleans(), scale=st.booleans(), epsilon=above_zero, **LAST
    ),
    "LeakyReLU": of(layers.LeakyReLU, negative_slope=above_zero),
    "MaxPooling2D": pooling(layers.MaxPooling2D),
    "MinPooling2D": pooling(MinPooling2D),
    "Normalization": of(layers.Normalization, axis=st.sampled_from([-1, None]), invert=st.booleans())
    | of(layers.Normalization, mean=number, variance=above_zero, invert=st.booleans()),
    "PReLU": of(layers.PReLU, shared_axes=st.sampled_from([None, [1], [1, 2], [1, 2, 3]])),
    "Permute": of(layers.Permute, dims=st.permutations([1, 2, 3])),
    **{name: of(layer_class(name)) for name in ("Absolute", "Exp", "Log", "Reciprocal", "Rsqrt", "Sqrt", "Square")},
    "Clip": of(layer_class("Clip"), minimum=st.none() | st.just(-0.5), maximum=st.none() | above_zero),
    "ExpandDims": of(layer_class("ExpandDims"), axis=st.sampled_from([1, 2, 4, -1, -2])),
    "Pad": of(layer_class("Pad"), margins=st.tuples(pair, pair, pair)),
    "Power": of(layer_class("Power"), exponent=st.sampled_from([2.0, 3.0, -1.0])),
    "RMSNormalization": of(layers.RMSNormalization, epsilon=above_zero),
    **{
        name: of(layer_class(name), axis=st.sampled_from([-1, 1, (1, 2), (2, 3), (1, 3)]), keepdims=st.booleans())
        for name in ("ReduceDeviation", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum", "ReduceVariance")
    },
    "Slice": of(
        layer_class("Slice"),
        begin=st.sampled_from([(None, 1), (2, -4), (-5, None)]),
        end=st.sampled_from([(None, None), (7, -1), (-1, 9)]),
        step=st.sampled_from([(None, None), (2, 3)]),
        ellipsis=st.sampled_from([None, 2]),
    ),
    "ReLU": of(layers.ReLU, max_value=st.sampled_from([None, 1.0, 6.0]), negative_slope=st.sampled_from([0.0, 0.25])),
    "Rescaling": of(layers.Rescaling, scale=number, offset=number | st.lists(number, min_size=1, max_size=1)),
    "Reshape": of(layers.Reshape, target_shape=st.sampled_from([(-1,), (-1, 1), (1, -1, 1)])),
    "Resizing": of(layers.Resizing, height=st.integers(1, 20), width=st.integers(1, 20), **RESIZING),
    "SeparableConv2D": sliding(layers.SeparableConv2D, filters=small, depth_multiplier=small),
    "Softmax": of(layers.Softmax, **LAST),
    "SpatialDropout2D": unchanged(layers.SpatialDropout2D, rate=0.5),
    "UpSampling2D": of(layers.UpSampling2D, size=pair, **RESIZING),
    "ZeroPadding2D": of(layers.ZeroPadding2D, padding=margins),
}
MERGES = ["Add", "Average", "Concatenate", "Divide", "Maximum", "Minimum", "Multiply", "Subtract"]
# What leaves height and width, so that any of them can follow.
FIXED_SIZE = ("Flatten", "Permute", "Reshape", "Global", "Adaptive", "Reduce", "Slice", "Squeeze", "ExpandDims")
# What has no number for some numbers, or makes very large ones.
WILD = ("Exp", "Log", "Power", "Reciprocal", "Rsqrt", "Sqrt")
BEHIND = sorted(name for name in LAYERS if not name.startswith((*FIXED_SIZE, *WILD)))


def test_every_kind_that_is_known_is_compared() -> None:
    assert {"Dot", *ATTENTION, *LAYERS, *MERGES, *BEHIND_OTHERS} == set(WRITERS)


# What takes only some sizes, each behind a layer that gives it one.
BEHIND_OTHERS: dict[str, tuple[layers.Layer, dict[str, Any]]] = {
    "DepthToSpace": (layers.Conv2D(8, 1), {"block_size": 2}),
    "SpaceToDepth": (layers.Resizing(6, 8), {"block_size": 2}),
    "Squeeze": (layers.GlobalMaxPooling2D(keepdims=True), {"axis": (1, 2)}),
}


def test_a_rescaling_with_a_number_for_each_cell() -> None:
    scale, offset = np.random.default_rng(2).normal(size=(2, 5, 6, 3))
    model = keras.Sequential([keras.Input((5, 6, 3)), layers.Rescaling(scale.tolist(), offset.tolist())])
    compare(model)
    layer = parts(model).layers[0]
    image = np.random.default_rng(3).normal(size=(5, 6, 3)).astype(np.float32)
    output = np.asarray(model(image[np.newaxis]))[0]
    gradients = np.ones((1, 5, 6, 3))
    passed = layer.backward({}, [image], output, gradients)
    np.testing.assert_allclose(passed.inputs[0][0], scale, rtol=1e-5)
    assert passed.bias is not None
    np.testing.assert_allclose(passed.bias.sum(), offset.sum())
    cell = layer.explain({}, [image], output, (1, 2, 0))
    assert isinstance(cell, ElementwiseCell)
    np.testing.assert_allclose([cell.parameters["scale"], cell.parameters["offset"]], [scale[1, 2, 0], offset[1, 2, 0]])


@pytest.mark.parametrize("kind", BEHIND_OTHERS)
def test_a_layer_that_takes_some_sizes(kind: str) -> None:
    first, options = BEHIND_OTHERS[kind]
    compare(keras.Sequential([keras.Input((9, 11, 3)), first, layer_class(kind)(**options)]))


@pytest.mark.parametrize("kind", LAYERS)
def test_a_layer_computes_what_keras_computes(kind: str) -> None:
    @settings(max_examples=25)
    @given(make=LAYERS[kind], height=st.integers(7, 12), width=st.integers(7, 12), channels=channels)
    def check(make: Make, height: int, width: int, channels: int) -> None:
        compare(keras.Sequential([keras.Input((height, width, channels)), make()]))

    check()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_activation_function_is_keras_own(name: str) -> None:
    layer = layers.Activation(name)
    model = keras.Sequential([keras.Input((40, 10, 1)), layer])
    image = np.linspace(-12, 12, 400, dtype=np.float32).reshape(40, 10, 1)
    expected = np.asarray(model(image[np.newaxis]))[0]
    np.testing.assert_allclose(lite_engine(model).run(image, None)[0], expected, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("groups", [2, 3, 6])
@pytest.mark.parametrize("options", [{}, {"strides": 2, "padding": "same"}, {"dilation_rate": 2}])
def test_a_convolution_in_groups(groups: int, options: dict[str, Any]) -> None:
    layer = layers.Conv2D(6, (3, 2), groups=groups, activation="relu", **options)
    compare(keras.Sequential([keras.Input((9, 11, 6)), layer]))


@pytest.mark.parametrize(
    ("kind", "count"),
    [(kind, count) for kind in MERGES for count in (2, 3) if count == 2 or kind not in {"Subtract", "Divide"}],
)
def test_inputs_are_merged_as_keras_does(kind: str, count: int) -> None:
    image = keras.Input((7, 9, 2))
    branches = [layers.Conv2D(3, 3, padding="same")(image) for _ in range(count)]
    compare(keras.Model(image, layer_class(kind)()(branches)))


@pytest.mark.parametrize("kind", [name for name in MERGES if name != "Concatenate"])
def test_a_merge_repeats_what_has_one_row_and_column(kind: str) -> None:
    image = keras.Input((7, 9, 3))
    attention = layers.GlobalAveragePooling2D(keepdims=True)(image)
    maps = layers.Conv2D(3, 3)(image)
    compare(keras.Model(image, layer_class(kind)()([attention, maps])))


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("axes", [1, -1, (1, 1)])
def test_the_dot_product_of_two_vectors(normalize: bool, axes: Any) -> None:
    image = keras.Input((3, 4, 2))
    first, second = (layers.Dense(5)(layers.Flatten()(image)) for _ in range(2))
    compare(keras.Model(image, layers.Dot(axes, normalize)([first, second])))
    nothing = layers.Rescaling(0.0)(first)
    compare(keras.Model(image, layers.Dot(axes, normalize)([nothing, second])))


ATTENTION = ["AdditiveScores", "Attend", "AttentionOutput", "AttentionScores"]


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("AttentionScores", {"heads": 4, "key_heads": 4, "factor": 0.5}),
        ("AttentionScores", {"heads": 4, "key_heads": 2, "use_scale": True}),
        ("AttentionScores", {"heads": 4, "key_heads": 1}),
        ("AdditiveScores", {}),
        ("AdditiveScores", {"use_scale": False}),
        ("AdditiveScores", {"score_mode": "concat"}),
        ("AdditiveScores", {"score_mode": "concat", "use_scale": False}),
    ],
)
@pytest.mark.parametrize("rows", [(6,), (2, 3)])
def test_attention(kind: str, settings: dict[str, Any], rows: tuple[int, ...]) -> None:
    image = keras.Input((6, 5, 2))
    query = layers.Dense(8)(layers.Reshape((*rows, -1))(image))
    heads = settings.get("key_heads", 1)
    key, value = (
        layers.Dense(count)(layers.Reshape((*rows, -1))(image))
        for count in (2 * heads if kind == "AttentionScores" else 8, 3 * heads)
    )
    scores = layer_class(kind)(**settings)([query, key])
    attended = layer_class("Attend")(value_heads=heads)([scores, value])
    compare(keras.Model(image, layer_class("AttentionOutput")()([attended, query])))


@pytest.mark.parametrize("axis", [1, 2, 3, -1, -2])
def test_maps_are_joined_along_any_axis(axis: int) -> None:
    image = keras.Input((7, 9, 2))
    compare(keras.Model(image, layers.Concatenate(axis=axis)([layers.ReLU()(image), layers.ELU()(image)])))


@pytest.mark.parametrize("kind", ["Multiply", "Add"])
def test_a_layer_may_read_the_same_one_twice(kind: str) -> None:
    image = keras.Input((7, 9, 2))
    maps = layers.Conv2D(3, 3)(image)
    compare(keras.Model(image, getattr(layers, kind)()([maps, maps])))


@pytest.mark.parametrize("mode", PoolingMode)
@pytest.mark.parametrize("kind", [layers.MaxPooling2D, layers.AveragePooling2D, MinPooling2D])
@pytest.mark.parametrize("same", ["valid", "same"])
def test_pooling_is_swapped(mode: PoolingMode, kind: type[layers.Layer], same: str) -> None:
    chain = [kind((3, 2), strides=2, padding=same), layers.AdaptiveMaxPooling2D((2, 3)), layers.GlobalMaxPooling2D()]
    compare(keras.Sequential([keras.Input((9, 11, 3)), *chain]), mode)


@settings(max_examples=40, suppress_health_check=[HealthCheck.filter_too_much])
@given(data=st.data())
def test_layers_compute_the_same_behind_each_other(data: st.DataObject) -> None:
    chain = [data.draw(LAYERS[kind])() for kind in data.draw(st.lists(st.sampled_from(BEHIND), min_size=2, max_size=3))]
    answer = [layers.Flatten(), layers.BatchNormalization(), layers.Dense(3, activation="softmax")]
    try:
        model = keras.Sequential([keras.Input((23, 29, 2)), *chain, *answer])
    except ValueError:  # a window does not fit into what the layers before it left
        reject()
    assume(all(math.prod(layer.output.shape[1:]) < 50_000 for layer in model.layers))
    compare(model, largest=1e3)  # an exponential function of larger numbers leaves too few of their digits


@pytest.mark.parametrize("size", [(5, 5), (16, 9), (33, 64)])
def test_an_image_of_any_size(size: tuple[int, int]) -> None:
    model = keras.Sequential(
        [
            keras.Input((None, None, 2)),
            layers.Conv2D(3, 3, padding="same", activation="relu"),
            layers.ZeroPadding2D(((1, 0), (0, 2))),
            layers.MaxPooling2D(2, padding="same"),
            layers.UpSampling2D(2),
            layers.Conv2DTranspose(2, 3, strides=2),
            layers.GlobalAveragePooling2D(),
        ]
    )
    compare(model, shape=(*size, 2))


UNKNOWN = [
    (layers.CenterCrop(4, 4), "CenterCrop"),
    (layers.LayerNormalization(axis=1), "LayerNormalization"),
    (layers.GroupNormalization(2), "GroupNormalization"),
    (layers.Conv2D(2, 3, activation="celu"), "celu"),
    (layers.Conv2DTranspose(2, 3, strides=2, output_padding=1), "output_padding"),
    (layers.Conv2DTranspose(2, 3, dilation_rate=2), "dilation"),
    (layers.BatchNormalization(axis=1), "axis"),
    (layers.Softmax(axis=1), "axis"),
    (layers.ReLU(threshold=1.0), "threshold"),
    (layers.Rescaling([[[[1.0], [2.0], [3.0], [4.0], [5.0], [6.0], [7.0], [8.0]]]]), "more numbers than values"),
    (layers.Resizing(3, 3, antialias=True), "antialias"),
    (layers.UpSampling2D(2, interpolation="bicubic"), "bicubic"),
]


@pytest.mark.parametrize(("layer", "reason"), UNKNOWN, ids=[reason for _, reason in UNKNOWN])
def test_what_is_not_known_is_refused(layer: layers.Layer, reason: str) -> None:
    model = keras.Sequential([keras.Input((8, 8, 2)), layer])
    with pytest.raises(UnsupportedLayer, match=reason):
        lite_engine(model)


@pytest.mark.parametrize("offset", [0.5, [0.5, -1.0, 2.0]])
def test_a_rescaling_may_have_a_number_for_each_channel(offset: Any) -> None:
    compare(keras.Sequential([keras.Input((5, 6, 3)), layers.Rescaling([1.0, 2.0, -0.5], offset)]))


def test_a_layer_may_read_the_image_beside_another() -> None:
    image = keras.Input((8, 8, 2))
    compare(keras.Model(image, layers.Subtract()([image, layers.ReLU()(image)])))
