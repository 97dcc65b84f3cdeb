"""Files that are written here, opened by Keras without any class of ours, and by Layerglass."""

import json
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from keras import layers

from app.cnn.definition import ModelDefinition
from app.cnn.edits import Edits
from app.cnn.errors import CannotSave
from app.cnn.kinds import KINDS
from app.cnn.litert.engine import LiteEngine
from app.model_files.infer_card import infer_card
from app.model_files.labels import name_classes
from app.model_files.loading import load_model
from app.model_files.writing import read_parts, write_keras_file
from tests import small_models
from tests.cnn.kinds.test_litert import LAYERS
from tests.keras_layers import define

# Keras warns that the softmax of one unit is always 1, as some of the models here have it.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:(?s).*softmax over axis:UserWarning")]

KERNEL = "1,0,-1,2,0,-2,1,0,-1"
EDITS = {
    "digits": [
        *(
            "mute:conv1.3",
            "mute:conv2",
            "solo:conv2.5;solo:conv2.7",
            "bias:conv1.2=-0.25",
            f"kernel:conv1.1.0={KERNEL}",
        ),
        "weight:answer.kernel.3.2=9",
        *(f"pooling:{layer}={mode}" for layer in ("pool1", "pool2") for mode in ("max", "average", "min")),
        f"mute:conv1.0;pooling:pool2=min;kernel:conv1.1.0={KERNEL};bias:conv2.0=3",
    ],
    "branches": [
        *("cell:trunk.1.2.3=4;cell:global_average.2=-5;cell:least.0.0.0=7;pooling:least=min", ""),
        *("mute:trunk.1", "bias:mixed.0=1;pooling:left_max=min", "pooling:right_average=min;pooling:least=max"),
        *(f"pooling:global_average={mode}" for mode in ("max", "min")),
    ],
    "with_facts": ["pooling:pool=min", "bias:known.2=3"],
    "without_pooling": [f"mute:{small_models.HTML_LAYER.replace('.', '%2E')}.0"],
}


def save(definition: ModelDefinition, folder: Path, **told: Any) -> Path:
    path = folder / "saved.keras"
    with write_keras_file(definition, told) as file:
        path.write_bytes(b"".join(read_parts(file)))
    return path


def open_in_keras(path: Path) -> keras.Model:
    """Open a file with none of our classes, and with Keras' safe mode."""
    model = keras.models.load_model(path, custom_objects={}, compile=False, safe_mode=True)
    assert {type(layer).__module__.partition(".")[0] for layer in model.layers} == {"keras"}
    return model


def answer(definition: ModelDefinition, inputs: list[np.ndarray]) -> np.ndarray:
    return LiteEngine(definition).run(inputs[0], None, inputs[1:])[-1]


def random_inputs(model: keras.Model) -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    return [rng.normal(size=each.shape[1:]).astype(np.float32) for each in model.inputs]


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in EDITS.items() for text in texts])
def test_keras_opens_an_edited_model_with_the_same_answers(name: str, text: str, tmp_path: Path) -> None:
    getattr(small_models, f"build_{name}")().save(tmp_path / "whole.keras")
    whole = load_model(tmp_path / "whole.keras").definition
    edited = whole.edited(Edits.parse(text))
    model = open_in_keras(save(edited, tmp_path))
    inputs = random_inputs(model)
    expected = answer(edited, inputs)
    found = model([each[np.newaxis] for each in inputs] if len(inputs) > 1 else inputs[0][np.newaxis]).numpy()[0]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    if text and "=max" not in text and "left" not in text:
        assert not np.allclose(expected, answer(whole, inputs), atol=1e-5)


STOCK = sorted(name for name in LAYERS if not KINDS[name].is_operation)


@pytest.mark.parametrize("name", STOCK)
@settings(max_examples=2, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_kind_is_opened_by_keras(
    name: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shape = (7, 9, 3) if name == "Reshape" else (9, 11, 4)
    model = keras.Sequential([keras.Input(shape), data.draw(LAYERS[name])()])
    small_models.with_random_weights(model)
    for layer in model.layers:
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()
    folder = tmp_path_factory.mktemp("saved")
    try:
        path = save(define(model), folder)
    except CannotSave as error:
        assert "pools into one column" in str(error)
        return
    opened = open_in_keras(path)
    image = np.random.default_rng(1).normal(0, 2, (1, *shape)).astype(np.float32)
    np.testing.assert_allclose(opened(image).numpy(), model(image, training=False).numpy(), rtol=1e-4, atol=1e-4)


BEHIND_OTHERS = {
    "LSTM": lambda: [layers.Reshape((9, 44)), layers.LSTM(3, return_sequences=True), layers.LSTM(2)],
    "GRU": lambda: [layers.Reshape((9, 44)), layers.GRU(3, reset_after=False)],
    "TimeDistributed": lambda: [layers.TimeDistributed(layers.Dense(3))],
    "GroupNormalization": lambda: [layers.GroupNormalization(2), layers.UnitNormalization()],
    "CenterCrop": lambda: [layers.CenterCrop(4, 5)],
    "RepeatVector": lambda: [layers.Flatten(), layers.RepeatVector(3)],
}


@pytest.mark.parametrize("name", BEHIND_OTHERS)
def test_other_kinds_are_opened_by_keras(name: str, tmp_path: Path) -> None:
    made = [keras.Input((9, 11, 4)), *BEHIND_OTHERS[name](), layers.Dense(2, name="answer")]
    model = small_models.with_random_weights(keras.Sequential(made))
    model.save(tmp_path / "whole.keras")
    opened = open_in_keras(save(load_model(tmp_path / "whole.keras").definition, tmp_path))
    image = np.random.default_rng(1).normal(0, 2, (1, 9, 11, 4)).astype(np.float32)
    np.testing.assert_allclose(opened(image).numpy(), model(image, training=False).numpy(), rtol=1e-4, atol=1e-4)


def test_what_keras_has_no_layer_for_is_refused(tmp_path: Path) -> None:
    image = keras.Input((8, 8, 1))
    model = keras.Model(image, layers.Dense(2, name="answer")(layers.Flatten()(keras.ops.square(image))))
    model.save(tmp_path / "whole.keras")
    with pytest.raises(CannotSave, match=r"\(Square\) is computed by operations for which Keras has no layer"):
        save(load_model(tmp_path / "whole.keras").definition, tmp_path)


def test_layerglass_opens_it_again_with_its_classes(tmp_path: Path) -> None:
    definition = define(small_models.build_digits()).edited(Edits.parse("pooling:pool2=min;bias:conv1.0=2"))
    names = [f"class {number}" for number in range(10)]
    loaded = load_model(save(definition, tmp_path, labels=names))
    image = np.random.default_rng(2).random((28, 28, 1), dtype=np.float32)
    np.testing.assert_allclose(answer(loaded.definition, [image]), answer(definition, [image]), atol=1e-6)
    assert name_classes(infer_card(loaded, "saved"), loaded.labels).classes == names
    with zipfile.ZipFile(tmp_path / "saved.keras") as archive:
        assert json.loads(archive.read("metadata.json"))["layerglass"] == {"labels": names}


def test_a_large_model_is_written_to_the_disk_and_read_in_parts(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(2_000)])
    with write_keras_file(define(model), {}) as file:
        parts = list(read_parts(file))
    assert len(parts) > 5 and max(map(len, parts)) <= 2**20
    path = tmp_path / "large.keras"
    path.write_bytes(b"".join(parts))
    image = np.ones((1, 28, 28, 1), np.float32)
    np.testing.assert_allclose(open_in_keras(path)(image).numpy(), model(image).numpy(), atol=1e-4)
