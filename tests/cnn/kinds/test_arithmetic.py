import itertools
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from app.cnn.cells import ConvolutionCell, DenseCell, ElementwiseCell, MovedCell, PoolingCell, SoftmaxCell
from app.cnn.errors import NoArithmetic
from app.cnn.kinds import Layer
from app.cnn.tensorflow import layer_class, with_pooling
from app.cnn.types import PoolingMode, as_maps_shape
from tests.keras_layers import describe_layers
from tests.reference import activate
from tests.small_models import with_random_weights

CHANNELS = 4
SHAPE = (11, 14, CHANNELS)


class Built:
    """One Keras layer over a random image: what it is, what it read, what it made."""

    def __init__(self, layer: layers.Layer, shape: tuple[int, ...] = SHAPE) -> None:
        self.model = with_random_weights(keras.Sequential([keras.Input(shape), layer]))
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()
        self.image = np.random.default_rng(7).normal(size=shape).astype(np.float32)
        self.output = np.asarray(self.model(self.image[np.newaxis]))[0]
        self.weights = {weight.name: np.asarray(weight) for weight in layer.weights}
        self.layer: Layer = describe_layers(self.model)[0]

    def explain(self, place: tuple[int, ...], mode: PoolingMode | None = None) -> Any:
        return self.layer.with_pooling(mode).explain(self.weights, (self.image,), self.output, place)

    def places(self) -> list[tuple[int, ...]]:
        """The corners and some of the cells between."""
        every = list(np.ndindex(self.output.shape))
        return [every[0], every[-1], *every[:: max(1, len(every) // 40)]]


def convolutions() -> list[Any]:
    """Every combination of kernel size, stride, padding, dilation and groups that Keras allows."""
    sizes, strides, dilations = [1, 3, (2, 5)], [1, 2, 3], [1, 2]
    return [
        pytest.param(size, stride, padding, dilation, groups, id=f"{size} {stride} {padding} {dilation} {groups}")
        for size, stride, padding, dilation, groups in itertools.product(
            sizes, strides, ["valid", "same"], dilations, [1, 2]
        )
        if stride == 1 or dilation == 1
    ]


@pytest.mark.parametrize(("size", "stride", "padding", "dilation", "groups"), convolutions())
def test_a_convolutions_parts_add_up_to_keras_value(
    size: Any, stride: int, padding: str, dilation: int, groups: int
) -> None:
    built = Built(
        layers.Conv2D(
            6, size, strides=stride, padding=padding, dilation_rate=dilation, groups=groups, activation="relu"
        )
    )
    for place in built.places():
        cell = built.explain(place)
        assert isinstance(cell, ConvolutionCell)
        assert len(cell.terms) == CHANNELS // groups
        for term in cell.terms:
            assert term.partial_sum == pytest.approx((term.inputs * term.kernel).sum(), abs=1e-12)
        total = sum(term.partial_sum for term in cell.terms) + cell.bias
        assert cell.pre_activation == pytest.approx(total, abs=1e-12)
        assert max(total, 0) == pytest.approx(built.output[place], abs=2e-6)
        assert cell.value == built.output[place]


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda padding: layers.DepthwiseConv2D(3, padding=padding, depth_multiplier=2), id="depthwise"),
        pytest.param(
            lambda padding: layers.SeparableConv2D(5, 3, padding=padding, depth_multiplier=2, use_bias=False),
            id="separable",
        ),
    ],
)
def test_depthwise_and_separable_convolutions_add_up(make: Any, padding: str) -> None:
    built = Built(make(padding))
    for place in built.places():
        assert built.explain(place).pre_activation == pytest.approx(built.output[place], abs=2e-6)


def test_the_window_says_where_the_patch_was_read() -> None:
    built = Built(layers.Conv2D(2, 3, strides=2, padding="same", dilation_rate=1))
    window = built.explain((1, 2, 0)).window
    patch = built.explain((1, 2, 0)).terms[3].inputs
    np.testing.assert_array_equal(patch, built.image[window.top : window.bottom, window.left : window.right, 3])


def test_padding_reads_as_zero_in_a_convolution() -> None:
    cell = Built(layers.Conv2D(1, 3, padding="same")).explain((0, 0, 0))
    assert (cell.window.top, cell.window.left) == (-1, -1)
    np.testing.assert_array_equal(cell.terms[0].inputs[0], 0)
    np.testing.assert_array_equal(cell.terms[0].inputs[:, 0], 0)


@pytest.mark.parametrize(("strides", "padding", "dilation"), [(1, "same", 1), (2, "valid", 1), (1, "same", 2)])
def test_the_partial_maps_hold_the_partial_sums_of_every_cell(strides: int, padding: str, dilation: int) -> None:
    built = Built(layers.Conv2D(4, 3, strides=strides, padding=padding, dilation_rate=dilation, groups=2))
    maps = built.layer.partial_maps(built.weights, built.image, 3, built.output.shape[:2])
    assert maps is not None and maps.shape == (*built.output.shape[:2], 2)
    for row, column, _ in built.places():
        terms = built.explain((row, column, 3)).terms
        np.testing.assert_allclose(maps[row, column], [term.partial_sum for term in terms], atol=1e-12)


def test_a_groups_kernels_read_its_own_channels() -> None:
    built = Built(layers.Conv2D(4, 3, groups=2))
    assert [list(built.layer.map_kernels(built.weights, 4, map_)[0]) for map_ in (0, 1, 2, 3)] == [
        [0, 1],
        [0, 1],
        [2, 3],
        [2, 3],
    ]


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("size", "strides"), [(2, 2), (3, 1), ((3, 2), (2, 3))])
@pytest.mark.parametrize("mode", PoolingMode)
def test_poolings_window_holds_all_three_values(padding: str, size: Any, strides: Any, mode: PoolingMode) -> None:
    built = Built(layers.MaxPooling2D(size, strides=strides, padding=padding))
    built.output = np.asarray(with_pooling(built.model, mode)(built.image[np.newaxis]))[0]
    for place in built.places():
        cell = built.explain(place, mode)
        assert isinstance(cell, PoolingCell) and cell.inputs is not None
        inside = cell.inputs[~np.isnan(cell.inputs)]
        assert (cell.maximum, cell.minimum) == (inside.max(), inside.min())
        assert cell.average == pytest.approx(inside.mean())
        kept = {"max": cell.maximum, "average": cell.average, "min": cell.minimum}[mode]
        assert kept == pytest.approx(built.output[place], abs=1e-6)
        region = cell.window.clipped(SHAPE[:2])
        np.testing.assert_array_equal(
            inside, built.image[region.top : region.bottom, region.left : region.right, place[2]].ravel()
        )


@pytest.mark.parametrize("output_size", [(1, 2), (2, 3), (5, 4), (11, 14)])
@pytest.mark.parametrize("mode", PoolingMode)
def test_adaptive_poolings_windows_hold_all_three_values(output_size: tuple[int, int], mode: PoolingMode) -> None:
    built = Built(layers.AdaptiveMaxPooling2D(output_size))
    built.output = np.asarray(with_pooling(built.model, mode)(built.image[np.newaxis]))[0]
    for place in built.places():
        cell = built.explain(place, mode)
        kept = {"max": cell.maximum, "average": cell.average, "min": cell.minimum}[mode]
        assert kept == pytest.approx(built.output[place], abs=1e-6)
        window = cell.window
        np.testing.assert_array_equal(
            cell.inputs, built.image[window.top : window.bottom, window.left : window.right, place[2]]
        )


def test_without_a_mode_pooling_is_as_trained() -> None:
    built = Built(layers.AveragePooling2D(2))
    cell = built.explain((0, 0, 0))
    assert cell.mode is PoolingMode.AVERAGE
    assert cell.average == pytest.approx(built.output[0, 0, 0], abs=1e-6)


def test_global_pooling_reads_the_whole_map() -> None:
    built = Built(layers.GlobalMaxPooling2D())
    cell = built.explain((2,), PoolingMode.MAX)
    np.testing.assert_array_equal(cell.inputs, built.image[:, :, 2])
    assert cell.maximum == built.output[2]


@pytest.mark.parametrize("activation", ["linear", "relu", "sigmoid", "tanh", "elu", "softplus", "silu"])
def test_a_neurons_products_add_up(activation: str) -> None:
    built = Built(layers.Dense(5, activation=activation), (9,))
    for unit in range(5):
        cell = built.explain((unit,))
        assert isinstance(cell, DenseCell)
        assert [each.product for each in cell.contributions] == [
            each.value * each.weight for each in cell.contributions
        ]
        total = sum(each.product for each in cell.contributions) + cell.bias
        assert cell.pre_activation == pytest.approx(total)
        assert activate(activation, total) == pytest.approx(built.output[unit], abs=1e-6)


def test_softmax_divides_by_the_sum() -> None:
    built = Built(layers.Dense(5, activation="softmax"), (9,))
    logits = built.image.astype(np.float64) @ built.weights["kernel"] + built.weights["bias"]
    for unit in range(5):
        shares = built.explain((unit,)).softmax
        assert isinstance(shares, SoftmaxCell)
        np.testing.assert_allclose(shares.logits, logits)
        assert shares.total == pytest.approx(shares.exponentials.sum())
        assert shares.exponentials[unit] / shares.total == pytest.approx(built.output[unit], abs=1e-6)


@pytest.mark.parametrize("layer", [layers.Activation("softmax"), layers.Softmax()])
def test_softmax_as_a_layer_of_its_own(layer: layers.Layer) -> None:
    built = Built(layer, (6,))
    cell = built.explain((4,))
    assert isinstance(cell, SoftmaxCell)
    assert cell.exponentials[4] / cell.total == pytest.approx(built.output[4], abs=1e-6)


@pytest.mark.parametrize(
    ("layer", "operation"),
    [(layers.Activation("relu"), "relu"), (layers.ReLU(), "relu"), (layers.Dropout(0.5), "dropout")],
)
def test_elementwise_layers_read_their_own_place(layer: layers.Layer, operation: str) -> None:
    built = Built(layer)
    for place in built.places():
        cell = built.explain(place)
        assert isinstance(cell, ElementwiseCell)
        assert (cell.operation, cell.inputs, cell.value) == (operation, (built.image[place],), built.output[place])


@pytest.mark.parametrize(
    "layer",
    [
        layers.BatchNormalization(epsilon=0.01),
        layers.LayerNormalization(epsilon=0.01),
        layers.LayerNormalization(axis=3, center=False, scale=False),
        layers.GroupNormalization(2, epsilon=0.01),
        layers.GroupNormalization(-1),
    ],
)
def test_normalisation_shows_its_parameters(layer: layers.Layer) -> None:
    built = Built(layer)
    for place in built.places():
        cell = built.explain(place)
        by = cell.parameters
        value = (cell.inputs[0] - by["mean"]) / np.sqrt(by["variance"] + by["epsilon"]) * by["gamma"] + by["beta"]
        assert value == pytest.approx(built.output[place], abs=1e-5)


@pytest.mark.parametrize(
    "layer",
    [
        layers.Normalization(),
        layers.Normalization(axis=None),
        layers.Normalization(mean=[0.5, 0.25, 1.0, -1.0], variance=[2.0, 4.0, 1.0, 3.0]),
        layers.Normalization(mean=0.5, variance=2.0, invert=True),
    ],
)
def test_an_adapted_normalisation_shows_what_it_was_adapted_to(layer: layers.Layer) -> None:
    built = Built(layer)
    for place in built.places():
        cell = built.explain(place)
        mean, deviation = cell.parameters["mean"], np.sqrt(cell.parameters["variance"])
        value = cell.inputs[0] * deviation + mean if layer.invert else (cell.inputs[0] - mean) / deviation
        assert value == pytest.approx(built.output[place], abs=1e-5)


@pytest.mark.parametrize(
    ("kind", "combine"),
    [
        (layers.Add, np.sum),
        (layers.Average, np.mean),
        (layers.Maximum, np.max),
        (layers.Minimum, np.min),
        (layers.Multiply, np.prod),
        (layers.Subtract, lambda values: values[0] - values[1]),
    ],
)
def test_layers_that_combine_show_every_input(kind: type[layers.Layer], combine: Any) -> None:
    image = keras.Input((3, 4, 2))
    model = keras.Model(image, kind(name="combined")([image, layers.ReLU(name="relu")(image)]))
    values = np.random.default_rng(1).normal(size=(3, 4, 2)).astype(np.float32)
    output = np.asarray(model(values[np.newaxis]))[0]
    described = next(layer for layer in describe_layers(model) if layer.name == "combined")
    inputs = (values, np.maximum(values, 0))
    cell = described.explain({}, inputs, output, (1, 2, 1))
    assert isinstance(cell, ElementwiseCell)
    assert combine(cell.inputs) == pytest.approx(output[1, 2, 1], abs=1e-6)
    assert "{0}" in cell.formula and "{1}" in cell.formula


@pytest.mark.parametrize("normalize", [False, True])
def test_a_dot_products_parts_add_up(normalize: bool) -> None:
    first, second = keras.Input((6,)), keras.Input((6,))
    made = layers.Dot(1, normalize, name="dot")([first, second])
    model = keras.Model([first, second], made)
    inputs = tuple(np.random.default_rng(2).normal(size=(2, 6)).astype(np.float32))
    output = np.asarray(model([each[np.newaxis] for each in inputs]))[0]
    described = next(layer for layer in describe_layers(model) if layer.name == "dot")
    cell = described.explain({}, inputs, output, (0,))
    assert isinstance(cell, DenseCell)
    assert sum(each.product for each in cell.contributions) == pytest.approx(output[0], abs=1e-6)
    lengths = [float(np.linalg.norm(each)) if normalize else 1.0 for each in inputs]
    for each in cell.contributions:
        expected = [float(values[each.index]) / length for values, length in zip(inputs, lengths, strict=True)]
        assert [each.value, each.weight] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("kind", [layers.Add, layers.Multiply, layers.Subtract])
def test_what_has_one_row_and_column_is_repeated(kind: type[layers.Layer]) -> None:
    """As squeeze-and-excitation multiplies each map by one number."""
    image = keras.Input((3, 4, 2))
    squeezed = layers.GlobalAveragePooling2D(keepdims=True)(image)
    model = keras.Model(image, kind(name="combined")([image, squeezed]))
    values = np.random.default_rng(1).normal(size=(3, 4, 2)).astype(np.float32)
    output = np.asarray(model(values[np.newaxis]))[0]
    described = next(layer for layer in describe_layers(model) if layer.name == "combined")
    means = values.mean(axis=(0, 1), keepdims=True)
    for place in np.ndindex(output.shape):
        cell = described.explain({}, (values, means), output, place)
        assert isinstance(cell, ElementwiseCell)
        first, second = cell.inputs
        combined = {layers.Add: first + second, layers.Multiply: first * second, layers.Subtract: first - second}
        assert combined[kind] == pytest.approx(output[place], abs=1e-6)


def test_flatten_says_where_a_value_came_from() -> None:
    built = Built(layers.Flatten(), (3, 4, 2))
    for unit in range(24):
        cell = built.explain((unit,))
        assert isinstance(cell, MovedCell)
        assert cell.place is not None
        assert built.image[cell.place] == built.output[unit]


@pytest.mark.parametrize(
    "layer",
    [
        layers.Permute((3, 1, 2)),
        layers.Permute((2, 1, 3)),
        layers.Reshape((-1,)),
        layers.Reshape((14, 22, 2)),
        layers.ZeroPadding2D(((1, 2), (3, 0))),
        layers.Cropping2D(((1, 2), (3, 0))),
        layers.UpSampling2D((2, 3)),
    ],
)
def test_moved_values_say_where_they_came_from(layer: layers.Layer) -> None:
    built = Built(layer)
    for place in built.places():
        cell = built.explain(place)
        assert isinstance(cell, MovedCell)
        assert (built.image[cell.place] if cell.place else 0) == built.output[place]


def test_joined_values_say_from_which_input() -> None:
    image = keras.Input((3, 4, 2))
    model = keras.Model(image, layers.Concatenate(name="joined")([image, layers.ReLU(name="relu")(image)]))
    values = np.random.default_rng(1).normal(size=(3, 4, 2)).astype(np.float32)
    inputs = (values, np.maximum(values, 0))
    described = next(layer for layer in describe_layers(model) if layer.name == "joined")
    output = np.asarray(model(values[np.newaxis]))[0]
    for place in np.ndindex(output.shape):
        cell = described.explain({}, inputs, output, place)
        assert isinstance(cell, MovedCell)
        assert cell.place is not None
        assert inputs[cell.source][cell.place] == output[place]


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("size", "strides", "dilation"),
    [(3, 1, 1), (3, 2, 1), (2, 2, 1), ((4, 2), (2, 3), 1), (3, 1, 2), ((2, 3), 1, 3), (2, 1, (2, 1))],
)
def test_a_transposed_convolutions_parts_add_up(size: Any, strides: Any, dilation: Any, padding: str) -> None:
    kind = layer_class("Conv2DTranspose")
    built = Built(kind(3, size, strides=strides, padding=padding, dilation_rate=dilation))
    for place in built.places():
        cell = built.explain(place)
        total = sum((term.inputs * term.kernel).sum() for term in cell.terms) + cell.bias
        assert total == pytest.approx(cell.pre_activation)
        assert cell.pre_activation == pytest.approx(built.output[place], abs=2e-6)


def test_rescaling_shows_scale_and_offset() -> None:
    built = Built(layers.Rescaling(1 / 127.5, offset=-1))
    cell = built.explain((1, 2, 3))
    by = cell.parameters
    assert cell.inputs[0] * by["scale"] + by["offset"] == pytest.approx(built.output[1, 2, 3], abs=1e-6)


def test_a_kind_without_arithmetic_says_which() -> None:
    with pytest.raises(NoArithmetic, match="UnitNormalization"):
        Built(layers.UnitNormalization()).explain((0, 0, 0))


@pytest.mark.parametrize("activation", ["relu", "softmax"])
def test_a_neuron_over_rows_reads_its_own_row(activation: str) -> None:
    built = Built(layers.Dense(5, activation=activation), (6, 7))
    for place in built.places():
        cell = built.explain(place)
        assert isinstance(cell, DenseCell)
        products = [each.value * each.weight for each in cell.contributions]
        assert [each.value for each in cell.contributions] == built.image[place[0]].tolist()
        assert sum(products) + cell.bias == pytest.approx(cell.pre_activation, abs=1e-6)
        if cell.softmax is not None:
            share = cell.softmax.exponentials[place[1]] / cell.softmax.total
            assert share == pytest.approx(built.output[place], abs=1e-6)


@pytest.mark.parametrize("layer", [layers.Reshape((11, 56)), layers.Reshape((11, 7, 2, 4)), layers.Permute((2, 3, 1))])
def test_moved_values_of_any_shape_say_where_they_came_from(layer: layers.Layer) -> None:
    built = Built(layer)
    for place in built.places():
        cell = built.explain(place)
        assert built.image[cell.place] == built.output[place]


class Attention:
    """Attention as it is taken apart here, over random queries, keys and values of seven rows of features."""

    def __init__(self, kind: str, **settings: Any) -> None:
        rng = np.random.default_rng(3)
        heads = settings.get("heads", 1)
        query, key, value = (keras.Input((7, size)) for size in (4 * heads, 4 * settings.get("key_heads", 1), 6))
        scores = layer_class(kind)(name="scores", **settings)([query, key])
        attended = layer_class("Attend")(name="attended", value_heads=settings.get("key_heads", 1))([scores, value])
        model = with_random_weights(keras.Model([query, key, value], [scores, attended]))
        self.inputs = [rng.normal(size=each.shape[1:]).astype(np.float32) for each in (query, key, value)]
        self.scores, self.attended = (np.asarray(each)[0] for each in model([each[np.newaxis] for each in self.inputs]))
        self.layers = {layer.name: layer for layer in describe_layers(model)}
        self.weights = {each.name: np.asarray(each) for each in model.get_layer("scores").weights}


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("AttentionScores", {"heads": 3, "key_heads": 3, "factor": 0.5}),
        ("AttentionScores", {"heads": 6, "key_heads": 2, "use_scale": True}),
        ("AdditiveScores", {}),
        ("AdditiveScores", {"score_mode": "concat"}),
    ],
)
def test_attention_adds_up(kind: str, settings: dict[str, Any]) -> None:
    built = Attention(kind, **settings)
    query, key, value = built.inputs
    for place in np.ndindex(built.scores.shape):
        cell = built.layers["scores"].explain(built.weights, (query, key), built.scores, place)
        assert isinstance(cell, SoftmaxCell)
        assert cell.exponentials[place[1]] / cell.total == pytest.approx(built.scores[place], abs=1e-6)
    for place in np.ndindex(built.attended.shape):
        cell = built.layers["attended"].explain({}, (built.scores, value), built.attended, place)
        assert isinstance(cell, DenseCell)
        assert sum(each.product for each in cell.contributions) == pytest.approx(built.attended[place], abs=1e-5)


@pytest.mark.parametrize(
    "layer", [layers.Flatten(), layers.Permute((3, 1, 2)), layers.ZeroPadding2D(1), layers.UpSampling2D(2)]
)
def test_values_moved_within_parts_say_where_they_came_from(layer: layers.Layer) -> None:
    built = Built(layer_class("TimeDistributed")(layer), (3, 4, 5, 2))
    read = built.image.reshape(as_maps_shape(built.image.shape))
    for place in built.places():
        cell = built.explain(place)
        assert isinstance(cell, MovedCell)
        assert (read[cell.place] if cell.place else 0) == built.output[place]


def test_windows_within_parts_have_no_place_in_the_input() -> None:
    with pytest.raises(NoArithmetic, match="TimeDistributed Conv2D"):
        Built(layer_class("TimeDistributed")(layers.Conv2D(2, 3)), (3, 4, 5, 2)).explain((0, 0, 0, 0))


def test_an_output_of_attention_is_a_weighted_sum() -> None:
    attended, query = keras.Input((7, 5)), keras.Input((7, 4))
    layer = layer_class("AttentionOutput")(name="output")
    model = with_random_weights(keras.Model([attended, query], layer([attended, query])))
    values = [np.random.default_rng(3).normal(size=(7, size)).astype(np.float32) for size in (5, 4)]
    output = np.asarray(model([each[np.newaxis] for each in values]))[0]
    weights = {each.name: np.asarray(each) for each in layer.weights}
    described = next(each for each in describe_layers(model) if each.name == "output")
    for place in np.ndindex(output.shape):
        cell = described.explain(weights, values, output, place)
        assert isinstance(cell, DenseCell)
        assert cell.pre_activation == pytest.approx(output[place], abs=1e-5)
