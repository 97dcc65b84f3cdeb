"""Functions called on layers' outputs, as Keras 2 and Keras 3 write them, against what NumPy or Keras computes."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from app.cnn.cells import ElementwiseCell
from app.cnn.network import Network
from app.model_files.errors import ModelError
from app.model_files.infer_card import infer_card
from app.model_files.loading import load_model
from tests.model_files.files import Config, graph, image, node, numbers, save_h5
from tests.model_files.watching import watched
from tests.small_models import with_random_weights

INPUT = ("InputLayer", {"name": "in", "batch_input_shape": [None, 4, 4, 3]})
IN = ["in", 0, 0]
REVERSED = [{"class_name": "__ellipsis__"}, {"start": None, "stop": None, "step": -1}]


def operation(function: Any, call: Any, name: str = "op", kind: str = "TFOpLambda") -> Config:
    """A function called in a graph, as Keras 2 writes it."""
    settings = {"name": name, "trainable": True, "dtype": "float32", "function": function}
    return {"class_name": kind, "config": settings, "name": name, "inbound_nodes": [call]}


def called(folder: Path, *operations: Config, arrays: dict[str, Any] | None = None) -> Path:
    """A file whose answer is the last of these operations."""
    return save_h5(
        folder / "m.h5", graph("in", operations[-1]["name"], node(*INPUT), *operations), arrays or {}, "2.9.0"
    )


def computed(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Two images, and what the model makes of them, in Keras and in the app's own engine alike."""
    opened = load_model(path)
    model = opened.model
    images = image(model) * 8 - 4
    answers = np.array(model(images))
    network = Network("m", opened.definition, infer_card(opened, "m"))
    np.testing.assert_allclose(network.run(images[0]).output, answers[0], rtol=1e-5, atol=1e-5)
    return images, answers


WHOLE = {"start": None, "stop": None, "step": None}
SOME = {"start": 1, "stop": None, "step": 2}


@pytest.mark.parametrize(
    ("function", "call", "expected"),
    [
        ("math.reduce_max", [*IN, {"axis": -1, "keepdims": True}], lambda x: x.max(-1, keepdims=True)),
        ("math.reduce_sum", [*IN, {"axis": [1, 2]}], lambda x: x.sum((1, 2))),
        ("math.reduce_min", [*IN, {"axis": [1, 2]}], lambda x: x.min((1, 2))),
        ("math.reduce_std", [*IN, {"axis": -1}], lambda x: x.std(-1)),
        ("clip_by_value", [*IN, {"clip_value_min": -1.0, "clip_value_max": 2}], lambda x: x.clip(-1, 2)),
        ("concat", [[*IN, {"axis": -1}], [*IN, {"axis": -1}]], lambda x: np.concatenate([x, x], -1)),
        ("reshape", [*IN, {"shape": [-1, 8, 6]}], lambda x: x.reshape(-1, 8, 6)),
        ("compat.v1.transpose", [*IN, {"perm": [0, 2, 1, 3]}], lambda x: x.transpose(0, 2, 1, 3)),
        ("__operators__.getitem", [*IN, {"slice_spec": [WHOLE, SOME]}], lambda x: x[:, 1::2]),
        ("__operators__.getitem", [*IN, {"slice_spec": [WHOLE, WHOLE, -1]}], lambda x: x[:, :, -1]),
        ("__operators__.getitem", [*IN, {"slice_spec": ["Ellipsis", 2]}], lambda x: x[..., 2]),
        ("slice", [*IN, {"begin": [0, 1, 1, 0], "size": [-1, 3, 2, 3]}], lambda x: x[:, 1:4, 1:3]),
        ("reverse", [*IN, {"axis": [1]}], lambda x: x[:, ::-1]),
        ("compat.v1.pad", [*IN, {"paddings": [[0, 0], [1, 2], [0, 1], [2, 0]]}],
         lambda x: np.pad(x, [(0, 0), (1, 2), (0, 1), (2, 0)])),
        ("math.square", [*IN, {}], lambda x: x**2),
        ("math.pow", [*IN, {"y": 3}], lambda x: x**3),
        ("math.abs", [*IN, {}], abs),
        ("math.exp", [*IN, {}], np.exp),
        ("math.maximum", [*IN, {"y": 0.5}], lambda x: np.maximum(x, 0.5)),
        ("math.minimum", [*IN, {"y": IN}], lambda x: x),
        ("expand_dims", [*IN, {"axis": 1}], lambda x: x[:, None]),
        ("nn.space_to_depth", [*IN, {"block_size": 2}],
         lambda x: x.reshape(-1, 2, 2, 2, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(-1, 2, 2, 12)),
        ("math.truediv", ["_CONSTANT_VALUE", -1, 2.0, {"y": IN}], lambda x: 2 / x),
        ("math.truediv", [*IN, {"y": 127.5, "name": None}], lambda x: x / 127.5),
        ("math.subtract", [*IN, {"y": 1.0, "name": None}], lambda x: x - 1),
        ("math.subtract", ["_CONSTANT_VALUE", -1, 1.0, {"y": IN, "name": None}], lambda x: 1 - x),
        ("math.subtract", [*IN, {"x": 1, "name": None}], lambda x: 1 - x),
        ("math.multiply", [[*IN, {"y": [1.0, 2.0, 3.0]}]], lambda x: x * [1, 2, 3]),
        ("math.truediv", [*IN, {"y": [[[[0.5, 2.0, 4.0]]]]}], lambda x: x / [0.5, 2, 4]),
        ("math.negative", [*IN, {"name": None}], lambda x: -x),
        ("__operators__.add", [*IN, {"y": 3, "name": None}], lambda x: x + 3),
        ("__operators__.add", [*IN, {"y": IN, "name": None}], lambda x: 2 * x),
        ("math.multiply", [*IN, {"y": IN}], lambda x: x * x),
        ("math.subtract", [*IN, {"y": IN}], lambda x: 0 * x),
        ("nn.bias_add", [*IN, {"bias": [-1.0, 2.0, 3.0], "data_format": "NHWC"}], lambda x: x + np.array([-1, 2, 3])),
        ("nn.relu", [*IN, {"name": None}], lambda x: np.maximum(x, 0)),
        ("nn.relu6", [*IN, {}], lambda x: np.clip(x, 0, 6)),
        ("math.sigmoid", [*IN, {}], lambda x: 1 / (1 + np.exp(-x))),
        ("nn.silu", [*IN, {"beta": 1.0}], lambda x: x / (1 + np.exp(-x))),
        ("math.reduce_mean", [*IN, {"axis": [1, 2], "keepdims": False}], lambda x: x.mean(axis=(1, 2))),
    ],
)  # fmt: skip
def test_functions_of_keras_2(function: str, call: Any, expected: Any, tmp_path: Path) -> None:
    images, answers = computed(called(tmp_path, operation(function, call)))
    np.testing.assert_allclose(answers, expected(images), rtol=1e-5, atol=1e-5)


def test_preprocessing_of_keras_2_in_the_mode_of_caffe(tmp_path: Path) -> None:
    """Red, green, blue become blue, green, red; then the mean of each is subtracted."""
    reverse = operation("__operators__.getitem", [*IN, {"slice_spec": REVERSED}], "reverse", "SlicingOpLambda")
    add = operation("nn.bias_add", ["reverse", 0, 0, {"bias": [-103.939, -116.779, -123.68]}])
    cast = operation("cast", ["op", 0, 0, {"dtype": "float32", "name": None}], "cast")
    path = called(tmp_path, reverse, add, cast)
    images, answers = computed(path)
    np.testing.assert_allclose(answers, images[..., ::-1] - [103.939, 116.779, 123.68], rtol=1e-5)
    opened = load_model(path)
    assert infer_card(opened, "m").value_range == (0, 255)
    assert not any("left out" in mend for mend in opened.mends)
    assert "The order of the channels is changed by a convolution of 1×1 with fixed weights, reverse." in opened.mends


def test_channels_that_are_stacked_in_another_order_are_not_told_as_left_out(tmp_path: Path) -> None:
    x = keras.Input((4, 4, 3))
    keras.Model(x, keras.applications.resnet50.preprocess_input(x)).save(tmp_path / "m.keras")
    opened = load_model(tmp_path / "m.keras")
    assert [type(layer) for layer in opened.model.layers[1:]] == [layers.Conv2D, layers.Rescaling]
    assert not any("left out" in mend for mend in opened.mends)


def test_the_arithmetic_shows_the_number_of_the_channel(tmp_path: Path) -> None:
    opened = load_model(called(tmp_path, operation("math.add", [*IN, {"y": [1.0, 2.0, 3.0]}])))
    network = Network("m", opened.definition, infer_card(opened, "m"))
    forward = network.run(image(opened.model)[0])
    (layer,) = network.layers
    for channel, number in enumerate([1.0, 2.0, 3.0]):
        cell = layer.explain({}, network.inputs(layer, forward), forward.output, (0, 0, channel))
        assert isinstance(cell, ElementwiseCell)
        assert cell.parameters == {"scale": 1.0, "offset": number}
        assert cell.inputs[0] + number == pytest.approx(cell.value, abs=1e-6)


def test_squeeze_and_excitation_is_seen_with_its_arithmetic(tmp_path: Path) -> None:
    x = keras.Input((6, 6, 3))
    keras.Model(x, squeezed(x)).save(tmp_path / "m.keras")
    opened = load_model(tmp_path / "m.keras")
    network = Network("m", opened.definition, infer_card(opened, "m"))
    forward, layer = network.run(image(opened.model)[0]), network.layer("excited")
    assert network.receptive_fields["excited"] == (6, 6)
    cell = layer.explain({}, network.inputs(layer, forward), forward.activations["excited"], (3, 2, 1))
    assert isinstance(cell, ElementwiseCell)
    assert cell.inputs[0] * cell.inputs[1] == pytest.approx(cell.value, abs=1e-6)


def test_a_layer_that_runs_as_in_training_is_refused_by_its_own_name(tmp_path: Path) -> None:
    config = graph("in", "d", node(*INPUT), node("Dropout", {"name": "d", "rate": 0.5}, "in"))
    config["config"]["layers"][1]["inbound_nodes"][0][0][3] = {"training": True}
    sentence = refusal(save_h5(tmp_path / "m.h5", config, {}))
    assert sentence == "The layer “d” always runs as in training, so its answers would be random."


def test_the_weights_of_layers_around_operations_are_found(tmp_path: Path) -> None:
    kernel, bias = numbers(1, 1, 3, 3), numbers(3)
    convolution = node("Conv2D", {"name": "c", "filters": 3, "kernel_size": [1, 1]}, "in")
    add = operation("__operators__.add", ["c", 0, 0, {"y": IN}])
    images, answers = computed(called(tmp_path, convolution, add, arrays={"c": [kernel, bias]}))
    np.testing.assert_allclose(answers, images @ kernel[0, 0] + bias + images, rtol=1e-4, atol=1e-5)


def operations_of_keras_3(x: Any) -> Any:
    y = layers.Conv2D(3, 3, padding="same")((x / 127.5) - 1.0)
    y = (1.0 - y) * np.array([1, 2, 3], "float32") + x
    y = ops.relu6(ops.subtract(x1=y, x2=x) * y + 3)
    y = ops.add(x1=-1.0, x2=ops.hard_sigmoid(ops.relu(y))) - ops.silu(y)
    return ops.softmax(ops.mean(-ops.cast(y, "float32"), axis=[1, 2]))


def squeezed(x: Any) -> Any:
    """Squeeze and excitation: (height, width, channels) times (1, 1, channels)."""
    y = layers.Conv2D(4, 3, name="c")(x)
    weight = layers.GlobalAveragePooling2D(keepdims=True)(y)
    return layers.Multiply(name="excited")([y, layers.Conv2D(4, 1, activation="sigmoid")(weight)]) + weight


PREPROCESS = [
    keras.applications.mobilenet_v2.preprocess_input,
    keras.applications.resnet50.preprocess_input,
    keras.applications.imagenet_utils.preprocess_input,
    lambda x: keras.applications.imagenet_utils.preprocess_input(x, mode="torch"),
]


@pytest.mark.parametrize("build", [operations_of_keras_3, squeezed, *PREPROCESS, lambda x: x[..., ::-1]])
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_operations_of_keras_3(build: Any, suffix: str, tmp_path: Path) -> None:
    x = keras.Input((6, 6, 3))
    model = keras.Model(x, build(x))
    path = tmp_path / f"m{suffix}"
    model.save(path)
    images, answers = computed(path)
    np.testing.assert_allclose(answers, model(images), rtol=1e-4, atol=1e-4)


def refusal(path: Path) -> str:
    with watched() as deeds, pytest.raises(ModelError) as raised:
        load_model(path)
    assert deeds == []
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize("function", ["system", "os.system", "io.read_file", "py_function", "", None, ["math.add"], {}])
def test_functions_that_are_not_known(function: Any, tmp_path: Path) -> None:
    sentence = refusal(called(tmp_path, operation(function, [*IN, {"y": 1.0}])))
    assert sentence.startswith("The model calls the function ")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ([*IN, {"y": "1"}], "is called with “1”; expected the output of a layer, a number"),
        ([*IN, {"y": float("nan")}], "is called with “nan”"),
        ([*IN, {"y": [1.0, float("inf"), 1.0]}], "expected the output of a layer, a number"),
        ([*IN, {"y": 10**400}], "expected the output of a layer, a number"),
        ([*IN, {"y": True}], "is called with “True”"),
        ([*IN, {"y": None}], "is called with “None”"),
        ([*IN, {"y": [0.0] * 100_000}], "expected the output of a layer, a number"),
        ([*IN, {"y": [[1.0, 2.0], [3.0, 4.0]]}], "expected the output of a layer, a number"),
        ([*IN, {"y": []}], "expected the output of a layer, a number"),
        ([*IN, {"y": [1.0, 2.0]}], "has 2 numbers for 3 channels"),
        ([*IN, {"y": ["nothing", 0, 0]}], "runs in a circle, or out of the model, at “op”"),
        ([*IN, {"y": ["op", 0, 0]}], "runs in a circle, or out of the model, at “op”"),
        ([*IN, {"y": ["in", 0, 1]}], "reads the second output"),
        ([*IN, {"y": ["in", "0", 0]}], "not written as Keras writes one"),
        ([*IN, {"y": 1.0, "evil": "x"}], "is called with “evil”, which Layerglass does not know"),
        ([*IN, {}], "is called with 1 values; expected 2"),
        ([*IN, {"y": 1.0, "x": 2.0}], "is called with 3 values; expected 2"),
        (["_CONSTANT_VALUE", -1, 1.0, {"y": 2.0}], "reads numbers only, and no layer"),
        ([*IN, {"y": {"class_name": "__numpy__", "config": {"value": "x"}}}], "expected the output of a layer"),
        ([*IN, {"y": {"class_name": "__tensor__", "config": None}}], "expected the output of a layer"),
        ([*IN, 1.0], "is not called as Keras calls one"),
        ("evil", "is not called as Keras calls one"),
        (None, "is not called as Keras calls one"),
    ],
)  # fmt: skip
def test_calls_that_are_refused(call: Any, said: str, tmp_path: Path) -> None:
    assert said in refusal(called(tmp_path, operation("math.add", call)))


@pytest.mark.parametrize(
    ("function", "call", "said"),
    [
        ("math.truediv", [*IN, {"y": 0.0}], "divides by zero"),
        ("math.truediv", [*IN, {"y": [1.0, 0.0, 1e-320]}], "divides by zero"),
        ("cast", [*IN, {"dtype": "uint8"}], "turns its input into “uint8”; expected float32"),
        ("nn.bias_add", [*IN, {"bias": [1.0, 1.0, 1.0], "data_format": "NCHW"}], "channels first"),
        ("math.reduce_mean", [*IN, {"axis": None}], "one number of all values"),
        ("math.reduce_max", [*IN, {"axis": [0]}], "one number of all values"),
        ("expand_dims", [*IN, {"axis": 0}], "takes the batch's"),
        ("clip_by_value", [*IN, {"clip_value_min": "a", "clip_value_max": 1}], "expected a number"),
        ("math.pow", [*IN, {"y": [1.0, 2.0, 3.0]}], "not one fixed number"),
        ("reshape", [*IN, {"shape": [1, 48]}], "does not begin with the batch"),
        ("compat.v1.transpose", [*IN, {"perm": [3, 1, 2, 0]}], "turns the batch"),
        ("compat.v1.pad", [*IN, {"paddings": [[0, 0], [1, 1]], "mode": "REFLECT"}], "other than zeros"),
        ("compat.v1.pad", [*IN, {"paddings": [[1, 1], [1, 1]]}], "adds to the batch"),
        ("image.resize", [*IN, {"size": 3}], "two fixed numbers"),
        ("reverse", [*IN, {"axis": [0]}], "turns over something other than"),
        ("slice", [*IN, {"begin": [1, 0, 0, 0], "size": [1, 2, 2, 3]}], "takes a part of the batch"),
        ("nn.softmax", [*IN, {"axis": "x"}], "axis=“x”"),
        ("nn.relu", [1.0, 0, 0, {}], "something other than the output of a layer"),
        ("__operators__.getitem", [*IN, {"slice_spec": [{"start": 1, "stop": None, "step": None}]}], "takes a part"),
        ("__operators__.getitem", [*IN, {"slice_spec": "system"}], "takes a part of the batch"),
    ],
)  # fmt: skip
def test_functions_that_no_layer_computes(function: str, call: Any, said: str, tmp_path: Path) -> None:
    assert said in refusal(called(tmp_path, operation(function, call)))


def test_an_order_of_channels_that_are_no_images(tmp_path: Path) -> None:
    convolution = node("Conv2D", {"name": "c", "filters": 3, "kernel_size": [1, 1]}, "in")
    reverse = operation("__operators__.getitem", ["c", 0, 0, {"slice_spec": REVERSED}], "r", "SlicingOpLambda")
    assert "the order of something other than the image's channels" in refusal(called(tmp_path, convolution, reverse))


@pytest.mark.parametrize("module", ["os", "evil.keras.ops", "keras.ops.evil"])
def test_a_known_operation_in_an_unknown_module(module: str, tmp_path: Path) -> None:
    made = operation("math.add", [*IN, {"y": 1.0}])
    for change in ({"module": module}, {"registered_name": "evil>Add"}):
        assert "no module of Keras" in (text := refusal(called(tmp_path, made | change))) or "author's own" in text


def ends(*inputs: str, outputs: Any) -> Config:
    return {"input_layers": [[name, 0, 0] for name in inputs], "output_layers": outputs}


def several(folder: Path, *, outputs: Any, inputs: list[str], nodes: list[Config]) -> Path:
    config = {"class_name": "Functional", "config": {"name": "g", "layers": nodes, **ends(*inputs, outputs=outputs)}}
    return save_h5(folder / "m.h5", config, {}, "2.9.0")


def relu(name: str, *inputs: str, kind: str = "ReLU") -> Config:
    return node(kind, {"name": name}, *inputs)


@pytest.mark.parametrize("as_dictionary", [False, True])
def test_the_first_of_several_outputs_is_the_answer(as_dictionary: bool, tmp_path: Path) -> None:
    names = ["age", "gender", "race"]
    outputs: Any = [[name, 0, 0] for name in names]
    outputs = dict(zip(names, outputs, strict=True)) if as_dictionary else outputs
    nodes = [node(*INPUT), relu("age", "in"), relu("more", "in"), relu("gender", "more"), relu("race", "in")]
    opened = load_model(several(tmp_path, outputs=outputs, inputs=["in"], nodes=nodes))
    assert [layer.name for layer in opened.model.layers[1:]] == ["age"]
    assert opened.mends == (
        "The model gives 3 outputs: “age”, “gender”, “race”. The first, “age”, is the answer here.",
        "Layers that the answer does not depend on were left out: “more”, “gender”, “race”.",
    )


def test_one_of_several_inputs_that_the_answer_depends_on(tmp_path: Path) -> None:
    other = node("InputLayer", {"name": "sex", "batch_input_shape": [None, 1]})
    nodes = [other, node(*INPUT), relu("a", "in"), relu("b", "sex")]
    opened = load_model(several(tmp_path, outputs=[["a", 0, 0], ["b", 0, 0]], inputs=["sex", "in"], nodes=nodes))
    assert opened.model.input_shape == (None, 4, 4, 3)
    np.testing.assert_array_equal(opened.model(image(opened.model)), image(opened.model))


def test_an_answer_that_depends_on_several_inputs(tmp_path: Path) -> None:
    other = node("InputLayer", {"name": "mask", "batch_input_shape": [None, 4, 4, 1]})
    nodes = [other, node(*INPUT), relu("a", "in", "mask", kind="Multiply")]
    opened = load_model(several(tmp_path, outputs=[["a", 0, 0]], inputs=["mask", "in"], nodes=nodes))
    assert [each.name for each in opened.definition.held_inputs] == ["in"]
    assert opened.definition.input_name == "mask"  # the first image


@pytest.mark.parametrize("outputs", [[], [["nothing", 0, 0]], [["a", 5, 0]], [["a", 0, 1]], {}, 1, None])
def test_outputs_that_are_none(outputs: Any, tmp_path: Path) -> None:
    refusal(several(tmp_path, outputs=outputs, inputs=["in"], nodes=[node(*INPUT), relu("a", "in")]))


def test_a_stack_of_other_things_than_channels(tmp_path: Path) -> None:
    x = keras.Input((4, 4, 3))
    path = tmp_path / "m.keras"
    keras.Model(x, ops.stack([x[..., 0], x[..., 0] + 1.0], axis=-1)).save(path)
    assert len(refusal(path).split("\n")) == 1


def attention(x: Any) -> Any:
    """Squeeze and excitation, and then the attention of CBAM, as people write them with functions."""
    squeezed = layers.Dense(3, activation="sigmoid")(ops.mean(x, axis=[1, 2]))
    x = x * ops.reshape(squeezed, (-1, 1, 1, 3))
    both = ops.concatenate([ops.max(x, axis=-1, keepdims=True), ops.mean(x, axis=-1, keepdims=True)], axis=-1)
    return layers.Multiply()([x, layers.Conv2D(1, 3, padding="same", activation="sigmoid")(both)])


FUNCTIONS_OF_KERAS_3: dict[str, Callable[[Any], Any]] = {
    "attention": attention,
    "parts": lambda x: ops.concatenate([x[:, 1:, ::2], x[:, :-1, 1::2]], axis=1)[..., 1],
    "axes": lambda x: ops.squeeze(ops.expand_dims(ops.transpose(x, (0, 3, 1, 2)), 1), 1),
    "powers": lambda x: ops.sqrt(ops.square(x) + 1) + ops.power(ops.abs(x), 1.5) - ops.rsqrt(ops.exp(x)),
    "bounds": lambda x: ops.clip(ops.maximum(x, 0.1) / ops.minimum(x * x + 1, 3.0), 0.2, 0.8),
    "sizes": lambda x: ops.image.resize(ops.pad(x, [[0, 0], [1, 0], [0, 2], [0, 0]]), (3, 5)),
    "pooled": lambda x: ops.max_pool(ops.average_pool(x, 2, strides=1, padding="same"), 2),
    "depth": lambda x: ops.nn.depth_to_space(ops.concatenate([x, x, x, x], axis=-1), 2),
    "normalised": lambda x: ops.normalize(ops.leaky_relu(x, 0.1)) + ops.var(x, axis=-1, keepdims=True),
    "bordered": lambda x: ops.flip(x, axis=1) - x[:, :, ::-1],
}


@pytest.mark.parametrize("name", FUNCTIONS_OF_KERAS_3)
def test_functions_of_keras_3_between_layers(name: str, tmp_path: Path) -> None:
    x = keras.Input((4, 4, 3))
    model = with_random_weights(keras.Model(x, FUNCTIONS_OF_KERAS_3[name](x)))
    model.save(path := tmp_path / "m.keras")
    images, answers = computed(path)
    np.testing.assert_allclose(answers, np.asarray(model(images)), rtol=1e-5, atol=1e-5)


def test_a_long_chain_of_operations_takes_its_time_once(tmp_path: Path) -> None:
    """Each reads the one after it in the file: the worst order there is."""
    names = [f"o{index}" for index in range(400)]
    made = [
        operation("math.add", [before, 0, 0, {"y": 1.0}], name) for before, name in itertools.pairwise(["in", *names])
    ]
    config = graph("in", names[-1], node(*INPUT), *reversed(made))
    assert len(load_model(save_h5(tmp_path / "m.h5", config, {}, "2.9.0")).model.layers) == 401
