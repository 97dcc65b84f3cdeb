"""Each old spelling, made by hand as an old Keras wrote it."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from app.model_files.config.migrations import LayerConfig, migrate
from app.model_files.errors import ModelError
from app.model_files.loading import LoadedModel, load_model
from tests.model_files.files import graph, image, layer, node, numbers, save_h5, sequential

INPUT = ("InputLayer", {"name": "in", "batch_input_shape": [None, 8, 8, 2], "sparse": False, "ragged": False})


def answer(*made: keras.layers.Layer, shape: tuple[int, ...] = (8, 8, 2)) -> keras.Model:
    """The same layers, written for this Keras."""
    return keras.Sequential([keras.Input(shape), *made])


def assert_same(opened: LoadedModel, expected: keras.Model, weights: list[np.ndarray]) -> None:
    expected.set_weights(weights)
    images = image(opened.model)
    np.testing.assert_allclose(opened.model(images), expected(images), rtol=1e-5, atol=1e-6)


def test_depthwise_convolution_with_groups(tmp_path: Path) -> None:
    settings = {"name": "d", "kernel_size": [3, 3], "groups": 1, "depth_multiplier": 1, "activation": "linear"}
    weights = [numbers(3, 3, 2, 1), numbers(2)]
    opened = load_model(save_h5(tmp_path / "m.h5", sequential(INPUT, ("DepthwiseConv2D", settings)), {"d": weights}))
    assert_same(opened, answer(layers.DepthwiseConv2D(3)), weights)
    assert opened.mends == ("DepthwiseConv2D: its setting groups, 1, which Keras 3 no longer takes, was left out.",)


def test_separable_convolution_with_extra_arguments(tmp_path: Path) -> None:
    settings = {"name": "s", "filters": 3, "kernel_size": [3, 3], "groups": 1, "kernel_initializer": None}
    weights = [numbers(3, 3, 2, 1), numbers(1, 1, 2, 3), numbers(3)]
    opened = load_model(save_h5(tmp_path / "m.h5", sequential(INPUT, ("SeparableConv2D", settings)), {"s": weights}))
    assert_same(opened, answer(layers.SeparableConv2D(3, 3)), weights)


def test_the_words_of_keras_1(tmp_path: Path) -> None:
    convolution = {
        "name": "c", "nb_filter": 3, "nb_row": 3, "nb_col": 2, "border_mode": "same", "subsample": [2, 1],
        "dim_ordering": "tf", "init": "glorot_uniform", "W_regularizer": None, "b_constraint": None, "bias": True,
        "activation": "relu", "batch_input_shape": [None, 8, 8, 2], "input_dtype": "float32", "trainable": True,
        "activity_regularizer": None,
    }  # fmt: skip
    pool = {"name": "p", "pool_size": [2, 2], "strides": [2, 2], "border_mode": "valid", "dim_ordering": "tf"}
    dense = {"name": "d", "output_dim": 4, "init": "uniform", "activation": "softmax", "bias": True, "input_dim": None}
    config = {
        "class_name": "Sequential",
        "config": [
            layer("Convolution2D", convolution),
            layer("MaxPooling2D", pool),
            layer("Dropout", {"name": "o", "p": 0.5}),
            layer("Flatten", {"name": "f"}),
            layer("Dense", dense),
        ],
    }
    kernels = [numbers(3, 2, 2, 3), numbers(3), numbers(24, 4), numbers(4)]
    weights = {"c": kernels[:2], "p": [], "o": [], "f": [], "d": kernels[2:]}
    opened = load_model(save_h5(tmp_path / "m.h5", config, weights, version=None))
    first = layers.Conv2D(3, (3, 2), (2, 1), "same", activation="relu")
    assert_same(opened, answer(first, layers.MaxPooling2D(2), layers.Flatten(), layers.Dense(4, "softmax")), kernels)
    assert "Convolution2D is called Conv2D now." in opened.mends
    assert opened.model.layers[3].rate == 0.5


def test_kernels_of_theano_are_turned(tmp_path: Path) -> None:
    settings = {"name": "c", "filters": 3, "kernel_size": [3, 3]}
    weights = [numbers(3, 3, 2, 3), numbers(3)]
    path = save_h5(tmp_path / "m.h5", sequential(INPUT, ("Conv2D", settings)), {"c": weights}, backend="theano")
    assert_same(load_model(path), answer(layers.Conv2D(3, 3)), [weights[0][::-1, ::-1], weights[1]])


@pytest.mark.parametrize("says_so", [False, True])
def test_channels_first_are_turned(says_so: bool, tmp_path: Path) -> None:
    """Against NumPy, which computes with the channels first: a 1×1 convolution, batch normalisation, flattening."""
    kernel, bias, moments = numbers(1, 1, 2, 3), numbers(3), [numbers(3), np.abs(numbers(3, seed=1))]
    convolution = {"name": "c", "filters": 3, "kernel_size": [1, 1], "data_format": "channels_first"}
    flatten = {"name": "f"} | ({"data_format": "channels_first"} if says_so else {})
    config = sequential(
        ("Conv2D", convolution | {"batch_input_shape": [None, 2, 4, 5]}),
        ("BatchNormalization", {"name": "b", "axis": 1, "center": False, "scale": False}),
        ("Flatten", flatten),
    )
    opened = load_model(save_h5(tmp_path / "m.h5", config, {"c": [kernel, bias], "b": moments}))
    assert opened.model.input_shape == (None, 4, 5, 2)
    images = image(opened.model)
    first = np.einsum("nhwc,cf->nfhw", images, kernel[0, 0]) + bias[:, None, None]
    first = (first - moments[0][:, None, None]) / np.sqrt(moments[1] + 1e-3)[:, None, None]
    expected = (first.transpose(0, 2, 3, 1) if says_so else first).reshape(2, -1)
    np.testing.assert_allclose(opened.model(images), expected, rtol=1e-4, atol=1e-5)


def test_kernels_of_keras_1_with_channels_first(tmp_path: Path) -> None:
    settings = {"name": "c", "nb_filter": 3, "nb_row": 3, "nb_col": 2, "dim_ordering": "th"}
    config = sequential(("Convolution2D", settings | {"batch_input_shape": [None, 2, 8, 8]}))
    weights = [numbers(3, 2, 3, 2), numbers(3)]
    opened = load_model(save_h5(tmp_path / "m.h5", config, {"c": weights}, "1.2.2"))
    assert_same(opened, answer(layers.Conv2D(3, (3, 2))), [weights[0].transpose(2, 3, 1, 0), weights[1]])


def test_merge_of_keras_1(tmp_path: Path) -> None:
    config = graph(
        "in",
        "f",
        node(*INPUT),
        node("Convolution2D", {"name": "c", "nb_filter": 2, "nb_row": 1, "nb_col": 1}, "in"),
        node(
            "Merge", {"name": "m", "mode": "concat", "concat_axis": -1, "arguments": {}, "output_mask": None}, "in", "c"
        ),
        node("Flatten", {"name": "f"}, "m"),
    )
    opened = load_model(save_h5(tmp_path / "m.h5", config, {"c": [numbers(1, 1, 2, 2), numbers(2)]}, "1.2.2"))
    assert opened.model.output_shape == (None, 8 * 8 * 4)
    assert "Merge with the mode concat is Concatenate now." in opened.mends


def test_batch_normalization_with_a_list_of_axes(tmp_path: Path) -> None:
    weights = [numbers(2), numbers(2), numbers(2), np.abs(numbers(2))]
    settings = {"name": "b", "axis": [3], "epsilon": 0.01, "momentum": 0.9, "renorm": False, "fused": True}
    config = sequential(INPUT, ("BatchNormalizationV1", settings))
    opened = load_model(save_h5(tmp_path / "m.h5", config, {"b": weights}))
    assert_same(opened, answer(layers.BatchNormalization(epsilon=0.01)), weights)
    assert "BatchNormalization: its axis was written as a list." in opened.mends


LEAKY = layer("LeakyReLU", {"name": "l", "alpha": 0.1})
GELU = {"module": "builtins", "class_name": "function", "config": "gelu", "registered_name": "function"}


@pytest.mark.parametrize(
    ("kind", "settings", "expected"),
    [
        ("LeakyReLU", {"alpha": 0.1}, layers.LeakyReLU(negative_slope=0.1)),
        ("LeakyReLU", {"alpha": {"type": "ndarray", "value": 0.3}}, layers.LeakyReLU(negative_slope=0.3)),
        ("ReLU", {"max_value": 0.6, "negative_slope": {"type": "ndarray", "value": 0.0}}, layers.ReLU(max_value=0.6)),
        ("ThresholdedReLU", {"theta": 0.4}, layers.ReLU(threshold=0.4)),
        ("Activation", {"activation": "softmax_v2"}, layers.Softmax()),
        (
            "Activation",
            {"activation": layer("LeakyReLU", {"name": "l", "alpha": 0.1})},
            layers.LeakyReLU(negative_slope=0.1),
        ),
        ("MaxPool2D", {"pool_size": [2, 2]}, layers.MaxPooling2D()),
        ("FixedDropout", {"rate": 0.2, "noise_shape": [None, 1, 1, 1], "seed": None}, layers.Dropout(0.2)),
        ("Identity", {}, layers.Identity()),
        (
            "Activation",
            {
                "activation": {
                    "module": "builtins",
                    "class_name": "function",
                    "config": "gelu",
                    "registered_name": "function",
                }
            },
            layers.Activation("gelu"),
        ),
    ],
)
def test_old_names_of_arguments(
    kind: str, settings: dict[str, Any], expected: keras.layers.Layer, tmp_path: Path
) -> None:
    opened = load_model(save_h5(tmp_path / "m.h5", sequential(INPUT, (kind, {"name": "x", **settings})), {}))
    assert_same(opened, answer(expected), [])


def test_hard_sigmoid_computes_as_it_did_in_keras_2(tmp_path: Path) -> None:
    opened = load_model(
        save_h5(tmp_path / "m.h5", sequential(INPUT, ("Activation", {"name": "a", "activation": "hard_sigmoid"})), {})
    )
    values = np.linspace(-4, 4, 128, dtype=np.float32).reshape(1, 8, 8, 2)
    np.testing.assert_allclose(opened.model(values), np.clip(0.2 * values + 0.5, 0, 1), atol=1e-6)


def test_time_major_is_left_out_where_it_is_off() -> None:
    assert "time_major" not in migrate(LayerConfig("LSTM", {"units": 3, "time_major": False}, 2)).settings
    with pytest.raises(ModelError, match="time_major=True"):
        migrate(LayerConfig("LSTM", {"units": 3, "time_major": True}, 2))


def test_modules_of_keras_2_13_and_mixed_precision(tmp_path: Path) -> None:
    policy = {"class_name": "Policy", "config": {"name": "mixed_float16"}, "module": "keras.mixed_precision"}
    dense = {"name": "d", "units": 3, "dtype": policy | {"registered_name": None}}
    config = sequential(INPUT, ("Flatten", {"name": "f"}), ("Dense", dense))
    config["config"]["layers"][2] |= {"module": "keras.layers.core.dense", "registered_name": None}
    config |= {"module": "keras.src.engine.sequential", "registered_name": "Sequential"}
    opened = load_model(save_h5(tmp_path / "m.h5", config, {"f": [], "d": [numbers(128, 3), numbers(3)]}, "2.13.1"))
    assert opened.mends == ("The model computes in “mixed_float16”; here it computes in 32-bit numbers.",)


def test_a_graph_in_the_layout_of_keras_2_with_arguments_of_calls(tmp_path: Path) -> None:
    config = graph("in", "a", node(*INPUT), node("Add", {"name": "a"}, "in", "in"))
    config["config"]["layers"][1]["inbound_nodes"][0][0][3] = {"training": False, "mask": None}
    opened = load_model(save_h5(tmp_path / "m.h5", config, {}))
    images = image(opened.model)
    np.testing.assert_array_equal(opened.model(images), 2 * images)


@pytest.mark.parametrize(
    ("shape", "first", "expected"),
    [
        ([None, 784], ("Dense", {"name": "d", "units": 2}), (None, 28, 28, 1)),
        ([None, 28, 28], ("Flatten", {"name": "f"}), (None, 28, 28, 1)),
        ([32, 28, 28], ("Reshape", {"name": "r", "target_shape": [28, 28, 1]}), (None, 28, 28, 1)),
    ],
)
def test_a_flat_image_is_taken_as_a_picture(
    shape: list[int | None], first: tuple[str, Any], expected: tuple[int | None, ...], tmp_path: Path
) -> None:
    config = sequential((first[0], first[1] | {"batch_input_shape": shape}))
    weights = {"d": [numbers(784, 2), numbers(2)]} if first[0] == "Dense" else {}
    opened = load_model(save_h5(tmp_path / "m.h5", config, weights))
    assert opened.model.input_shape == expected
    if weights:
        images = image(opened.model)
        np.testing.assert_allclose(
            opened.model(images), images.reshape(2, 784) @ weights["d"][0] + weights["d"][1], rtol=1e-4, atol=1e-5
        )


def test_names_that_tensorflow_refuses_are_changed_and_said(tmp_path: Path) -> None:
    names = ["my layer", "<script>alert(1)</script>", "../../etc", "ünï\n", "my_layer"]
    made = [("ReLU", {"name": name}) for name in names]
    opened = load_model(save_h5(tmp_path / "m.h5", sequential(INPUT, *made), {}))
    assert [layer.name for layer in opened.model.layers[1:]] == [
        "my_layer", "layer_script>alert_1___script>", "layer.._.._etc", "layer_n__", "my_layer_2",
    ]  # fmt: skip
    assert sum("TensorFlow refuses its name" in mend for mend in opened.mends) == 4
    assert not any("\n" in mend for mend in opened.mends)
