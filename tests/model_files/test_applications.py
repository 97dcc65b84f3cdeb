"""Every network of keras.applications as the base of another, as most people's models of pictures are made."""

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from app.cnn.network import Network
from app.model_files.infer_card import infer_card
from app.model_files.loading import load_model
from tests.model_files.keras_2 import ENDINGS, both, with_random_weights

TOLERANCE = 1e-4  # of a layer's largest activation
SIDES = {
    "DenseNet121": 32,
    "EfficientNetB0": 32,
    "EfficientNetV2B0": 32,
    "InceptionV3": 75,
    "MobileNet": 32,
    "MobileNetV2": 32,
    "MobileNetV3Large": 32,
    "MobileNetV3Small": 32,
    "NASNetMobile": 32,
    "ResNet50": 32,
    "VGG16": 32,
    "Xception": 71,
}


def build(written_by: ModuleType, name: str) -> tuple[Any, Any]:
    """Return a base whose first half is frozen, and the model around it."""
    shape = (SIDES[name], SIDES[name], 3)
    base = getattr(written_by.applications, name)(include_top=False, weights=None, input_shape=shape)
    layers = written_by.layers
    model = written_by.Sequential(
        [base, layers.GlobalAveragePooling2D(), layers.Dense(5, activation="softmax", name="answer")]
    )
    with_random_weights(model)
    for layer in base.layers[: len(base.layers) // 2]:
        layer.trainable = False
    return base, model


def activations(base: Any, written_by: ModuleType, image: np.ndarray) -> dict[str, np.ndarray]:
    """Every activation of the base, by the name that its layer has here."""
    layers = [layer for layer in base.layers if not isinstance(layer, written_by.layers.InputLayer)]
    outputs = written_by.Model(base.inputs[0], [layer.output for layer in layers])(image[np.newaxis], training=False)
    names = [re.sub(r"[^\w.>-]", "_", layer.name) for layer in layers]
    return {name: np.asarray(output)[0] for name, output in zip(names, outputs, strict=True)}


@pytest.mark.slow
@pytest.mark.parametrize("name", SIDES)
@both
@pytest.mark.filterwarnings("ignore:.*HDF5 file:UserWarning")
def test_a_network_of_keras_as_the_base_of_another(name: str, written_by: ModuleType, tmp_path: Path) -> None:
    base, model = build(written_by, name)
    image = np.random.default_rng(1).uniform(0, 255, (SIDES[name], SIDES[name], 3)).astype(np.float32)
    expected = activations(base, written_by, image)
    expected["answer"] = np.asarray(model(image[np.newaxis], training=False))[0]
    for ending in ENDINGS:
        model.save(path := tmp_path / f"model{ending}")
        opened = load_model(path)
        found = Network(name, opened.definition, infer_card(opened, name)).run(image).activations
        compared = expected.keys() & found.keys()
        assert len(compared) > 0.85 * len(expected)  # an operation of the file may be several layers here, or one
        for layer in compared:
            largest = max(np.abs(expected[layer]).max(), 1e-6)
            np.testing.assert_allclose(found[layer], expected[layer], rtol=0, atol=TOLERANCE * largest, err_msg=layer)
