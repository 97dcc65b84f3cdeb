"""What a config holds that is not opened: each is named, with the way out that works for it."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from app.model_files.errors import ModelError
from app.model_files.loading import load_model
from tests.model_files.files import image, layer, save_h5, sequential, small_model

INPUT = ("InputLayer", {"name": "in", "batch_input_shape": [None, 8, 8, 1]})


def refusal(path: Path) -> str:
    with pytest.raises(ModelError) as raised:
        load_model(path)
    return str(raised.value)


@pytest.mark.parametrize(
    ("kind", "says", "way_out"),
    [
        ("QConv2D", "“QConv2D” of QKeras", "model_save_quantized_weights"),
        ("QActivation", "“QActivation” of QKeras", "ReLU for QActivation"),
        ("PruneLowMagnitude", "a PruneLowMagnitude", "strip_pruning"),
        ("ClusterWeights", "a ClusterWeights", "strip_clustering"),
        ("QuantizeWrapperV2", "a QuantizeWrapperV2", "before quantize_model"),
        ("KerasLayer", "a KerasLayer of TensorFlow Hub", "keras.applications"),
        ("Addons>WeightNormalization", "of the library TensorFlow Addons", "set_weights"),
        ("TextVectorization", "a TextVectorization, which reads words or categories", "pictures and vectors"),
        ("Embedding", "an “Embedding”, which reads whole numbers such as words", "pictures and vectors"),
        ("Conv3D", "“Conv3D”, which computes on volumes", "pictures and vectors"),
        ("Mine", "“Mine”, which Layerglass does not know", "layers of Keras that compute the same"),
    ],
)
def test_a_layer_is_named_with_its_own_way_out(kind: str, says: str, way_out: str, tmp_path: Path) -> None:
    sentence = refusal(save_h5(tmp_path / "m.h5", sequential(INPUT, (kind, {"name": "x"})), {}))
    assert sentence.startswith("The layer “x” is ") and says in sentence and way_out in sentence


@pytest.mark.parametrize("module", ["keras_cv.layers", "keras_hub.src.layers", "transformers.models"])
def test_a_layer_of_another_library(module: str, tmp_path: Path) -> None:
    made: dict[str, Any] = layer("Mixer", {"name": "x"}) | {"module": module}
    config = sequential(INPUT)
    config["config"]["layers"].append(made)
    assert "“Mixer” of the library " in refusal(save_h5(tmp_path / "m.h5", config, {}))


@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method")
def test_quantized_weights_say_how_to_get_back(tmp_path: Path) -> None:
    model = small_model()
    before = model.layers[-1].get_weights()[0]
    model.quantize("int8")
    model.save(tmp_path / "m.keras")
    assert "quantized weights" in (sentence := refusal(tmp_path / "m.keras"))
    assert "layer.kernel / layer.kernel_scale" in sentence
    dense = model.layers[-1]
    restored = np.asarray(dense.kernel, np.float32) / np.asarray(dense.kernel_scale)
    np.testing.assert_allclose(restored, before, atol=np.abs(before).max() / 120)


class Subclassed(keras.Model):
    """Its layers are in its code alone."""

    def __init__(self) -> None:
        super().__init__()
        self.flatten, self.dense = keras.layers.Flatten(), keras.layers.Dense(2)

    def call(self, x: Any) -> Any:
        return self.dense(self.flatten(x))


def test_a_subclassed_model_and_its_way_out(tmp_path: Path) -> None:
    model = Subclassed()
    x = np.ones((1, 6, 5, 1), np.float32)
    expected = model(x)
    model.save(tmp_path / "m.keras")
    assert "x = keras.Input((6, 5, 1)); keras.Model(x, model.call(x)).save" in refusal(tmp_path / "m.keras")
    given = keras.Input((6, 5, 1))
    keras.Model(given, model.call(given)).save(tmp_path / "functional.keras")
    np.testing.assert_allclose(load_model(tmp_path / "functional.keras").model(x), expected, rtol=1e-5)


def test_a_functional_model_of_a_class_of_its_own(tmp_path: Path) -> None:
    given = keras.Input((4, 4, 1))
    Subclass = type("Mine", (keras.Model,), {})
    Subclass(given, keras.layers.Flatten()(given)).save(tmp_path / "m.keras")
    assert "keras.Model(model.inputs, model.outputs).save" in refusal(tmp_path / "m.keras")


@pytest.mark.parametrize("ending", ["keras", "h5"])
@pytest.mark.parametrize("policy", ["bfloat16", "float16", "mixed_bfloat16"])
def test_half_precision_opens_in_whole(policy: str, ending: str, tmp_path: Path) -> None:
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = small_model()
        model.save(tmp_path / f"m.{ending}")
    finally:
        keras.config.set_dtype_policy(previous)
    opened = load_model(tmp_path / f"m.{ending}")
    assert opened.mends[0].startswith(f"The model computes in “{policy}”; here it computes in 32-bit numbers")
    for ours, theirs in zip(opened.model.weights, model.weights, strict=True):
        np.testing.assert_array_equal(ours, np.asarray(keras.ops.cast(theirs, "float32")))
    x = image(model)
    np.testing.assert_allclose(opened.model(x), np.asarray(keras.ops.cast(model(x), "float32")), atol=0.02)
