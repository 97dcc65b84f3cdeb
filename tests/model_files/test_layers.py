"""Layers described by our own rules are described as Keras describes them, and listed in its order."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from keras import layers

from app.cnn.errors import NeedsKeras
from app.cnn.kinds import AUGMENTATIONS, KINDS, Layer
from app.cnn.tensorflow import layer_class
from app.model_files import layers as layers_module
from app.model_files.config.allow_list import check_config
from app.model_files.config.planner import make_plan
from app.model_files.keras_builder import build_model
from app.model_files.loading import load_model
from app.model_files.plan import Plan
from tests.cnn.kinds.test_litert import LAYERS, MERGES, Make, channels
from tests.keras_layers import describe_layers
from tests.small_models import build_branches, build_digits, build_picture, with_random_weights

pytestmark = pytest.mark.filterwarnings("ignore:(?s).*softmax over axis:UserWarning")


def plan_of(model: keras.Model) -> Plan:
    return make_plan(check_config(json.loads(model.to_json())), 3)


def by_rules(model: keras.Model) -> tuple[Layer, ...]:
    """Raises: NeedsKeras."""
    return layers_module._infer_layers(plan_of(model))


def assert_as_keras(model: keras.Model) -> None:
    """What the rules tell of a model is what Keras tells of it."""
    found, expected = by_rules(model), describe_layers(build_model(plan_of(model)))
    assert found == expected
    # The order matters: it is that in which Keras saves them.
    for layer, built in zip(found, build_model(plan_of(model)).layers[1:], strict=True):
        saved = [*built.trainable_weights, *built.non_trainable_weights]
        assert list(layer.variables.items()) == [(each.name, tuple(each.shape)) for each in saved]


@pytest.mark.parametrize("kind", LAYERS)
def test_a_layer_is_described_as_keras_does(kind: str) -> None:
    known = 0

    @settings(max_examples=30)
    @given(make=LAYERS[kind], height=st.integers(7, 12), width=st.none() | st.integers(7, 12), channels=channels)
    def check(make: Make, height: int, width: int | None, channels: int) -> None:
        nonlocal known
        try:
            model = keras.Sequential([keras.Input((height, width, channels)), make()])
            model.output_shape  # noqa: B018  # raises, where a size that may be anything is no size for this layer
        except (ValueError, TypeError):
            assume(False)
        try:
            assert_as_keras(model)
            known += 1
        except NeedsKeras:
            assert width is None

    check()
    assert known > 3


_LAYERS_OF_KERAS = sorted(name for name, kind in KINDS.items() if not (kind.is_held or kind.is_operation))


@pytest.mark.parametrize("kind", _LAYERS_OF_KERAS)
def test_a_layer_of_keras_own_settings_opens(kind: str, tmp_path: Path) -> None:
    """As keras.layers makes it with no more than it must be told."""
    image = keras.Input((8, 8, 2))
    made = getattr(layers, kind, layer_class(kind))(**_MUST.get(kind, {}))
    first = layers.Reshape(_RANKS[kind])(image) if kind in _RANKS else image
    x = made([first, first]) if kind in [*MERGES, "Dot"] else made(first)
    model = with_random_weights(keras.Model(image, layers.Dense(3)(layers.Flatten()(x))))
    model.save(path := tmp_path / "m.keras")
    images = np.random.default_rng(0).random((2, 8, 8, 2), np.float32)
    np.testing.assert_array_equal(load_model(path).model(images), keras.models.load_model(path)(images))


_RANKS: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(("GRU", "LSTM", "SimpleRNN"), (16, 8)),
    **dict.fromkeys(("Dot", "RepeatVector"), (128,)),
    "TimeDistributed": (2, 8, 8, 1),
}
_MUST: dict[str, dict[str, object]] = {
    **{
        "Activation": {"activation": "relu"},
        "AdaptiveAveragePooling2D": {"output_size": 3},
        "AdaptiveMaxPooling2D": {"output_size": 3},
        "AdaptiveMinPooling2D": {"output_size": 3},
        "AveragePooling2D": {"pool_size": 2},
        "CenterCrop": {"height": 4, "width": 4},
        "Conv2D": {"filters": 3, "kernel_size": 3},
        "Conv2DTranspose": {"filters": 3, "kernel_size": 3},
        "Dense": {"units": 3},
        "DepthwiseConv2D": {"kernel_size": 3},
        "Dot": {"axes": 1},
        "GRU": {"units": 3},
        "GroupNormalization": {"groups": 2},
        "LSTM": {"units": 3},
        "Permute": {"dims": (2, 1, 3)},
        "RepeatVector": {"n": 3},
        "Rescaling": {"scale": 0.5},
        "Reshape": {"target_shape": (16, 8)},
        "Resizing": {"height": 4, "width": 6},
        "SeparableConv2D": {"filters": 3, "kernel_size": 3},
        "SimpleRNN": {"units": 3},
        "TimeDistributed": {"layer": layers.Conv2D(3, 3)},
    },
    **{kind: {"rate": 0.5} for kind in KINDS if "Dropout" in kind},
    "GaussianNoise": {"stddev": 0.1},
}


@pytest.mark.parametrize("kind", sorted(AUGMENTATIONS - {"RandomHeight", "RandomWidth", "RandomCrop"}))
def test_what_changes_pictures_in_training_is_left_out_of_a_graph(kind: str, tmp_path: Path) -> None:
    image = keras.Input((8, 8, 3))
    changed = getattr(layers, kind)(**_AMOUNTS.get(kind, {}))(image)
    model = keras.Model(image, layers.Dense(3)(layers.Flatten()(changed)))
    model.save(path := tmp_path / "m.keras")
    opened = load_model(path)
    assert [layer.kind for layer in opened.definition.layers] == ["Flatten", "Dense"]
    assert opened.mends == (f"{kind}, which changes pictures in training only, was left out.",)


_AMOUNTS: dict[str, dict[str, object]] = {
    "RandomBrightness": {"factor": 0.2},
    "RandomColorDegeneration": {"factor": 0.2},
    "RandomColorJitter": {"value_range": (0, 1)},
    "RandomContrast": {"factor": 0.2},
    "RandomHue": {"factor": 0.2},
    "RandomPosterization": {"factor": 4},
    "RandomRotation": {"factor": 0.2},
    "RandomSaturation": {"factor": 0.2},
    "RandomSharpness": {"factor": 0.2},
    "RandomTranslation": {"height_factor": 0.2, "width_factor": 0.2},
    "RandomZoom": {"height_factor": 0.2},
}


@pytest.mark.parametrize("build", [build_digits, build_branches, build_picture])
def test_a_model_is_taken_apart_as_keras_does(build: object) -> None:
    assert callable(build)
    assert_as_keras(build())


@settings(max_examples=60)
@given(data=st.data())
def test_layers_are_listed_as_keras_lists_them(data: st.DataObject) -> None:
    made = [keras.Input((4, 4, 2))]
    for _ in range(data.draw(st.integers(2, 12))):
        read = data.draw(st.lists(st.sampled_from(made), min_size=1, max_size=3, unique_by=id))
        made.append(layers.Add()(read) if len(read) > 1 else layers.ReLU()(read[0]))
    model = keras.Model(made[0], made[-1])
    names = [layer.name for layer in describe_layers(model)]
    assert [step.name for step in plan_of(model).steps] == names


@pytest.mark.parametrize(
    "layer",
    [
        layers.LayerNormalization(axis=(1, 2)),
        layers.Normalization(axis=1),
        layers.Conv2DTranspose(2, 3, dilation_rate=2),
    ],
)
def test_what_the_rules_leave_is_described_by_keras(layer: layers.Layer) -> None:
    model = keras.Sequential([keras.Input((8, 8, 2)), layer])
    with pytest.raises(NeedsKeras):
        by_rules(model)
    found = layers_module.infer_layers(plan_of(model))
    assert found == describe_layers(model)
