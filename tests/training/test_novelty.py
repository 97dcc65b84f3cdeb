"""The fitting of a detector, on small networks and bars for digits."""

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from app.cnn.card import read_card
from app.cnn.novelty import IMAGE, DetectorFile, detector_path
from app.cnn.types import PoolingMode
from app.training import novelty
from app.training.data import TrainingData
from app.training.evaluation import make_card
from app.training.family import Recipe
from app.training.mnist import BadInput
from app.training.novelty import choose_pictures, fit_detector, fit_head
from app.training.outliers import draw_outliers
from app.training.pen import PenDigit
from app.training.run import calibrate, save
from app.training.task import Task
from tests.training.conftest import bars, stroke_row

RANDOM = np.random.default_rng(0)


def pen_digits() -> list[PenDigit]:
    rows = [stroke_row(label, 1) for label in range(10)]
    return [
        PenDigit(row["label"], 1, tuple(np.array(stroke, np.float64) / 500 for stroke in row["strokes"]))
        for row in rows
    ]


def small_network() -> keras.Sequential:
    return keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.MaxPooling2D(4, name="pool"),
            layers.Flatten(name="flatten"),
            layers.Dense(10, activation="softmax", name="digit"),
        ]
    )


def test_every_kind_of_outlier_has_ink_and_the_same_seed_draws_the_same() -> None:
    drawn = draw_outliers(bars(60, 0), pen_digits(), 120, seed=3)
    assert drawn.shape == (120, 28, 28) and drawn.dtype == np.uint8
    assert (drawn.max(axis=(1, 2)) >= 96).all()
    assert len({each.tobytes() for each in drawn}) > 100
    assert np.array_equal(drawn, draw_outliers(bars(60, 0), pen_digits(), 120, seed=3))


def test_without_pen_digits_the_other_kinds_are_drawn() -> None:
    assert draw_outliers(bars(60, 0), [], 40, seed=1).shape == (40, 28, 28)


def test_a_head_tells_what_lies_around_from_what_lies_within() -> None:
    known = RANDOM.normal(size=(2000, 5)).astype(np.float32)
    angles = RANDOM.normal(size=(2000, 5))
    novel = (6 * angles / np.linalg.norm(angles, axis=1, keepdims=True)).astype(np.float32)
    head = fit_head(known, novel, np.random.default_rng(1), epochs=60)

    def score(features: np.ndarray) -> np.ndarray:
        return np.asarray(np.maximum(features @ head.kernel + head.bias, 0) @ head.weights)

    assert np.mean(score(novel)[:, None] > score(known)[None, ::20]) > 0.99
    assert np.array_equal(head.kernel, head.kernel.astype(np.float16).astype(np.float32))


@pytest.mark.slow
def test_most_validation_digits_keep_below_the_limit_in_every_mode(data: TrainingData) -> None:
    network = small_network()
    detector = fit_detector(network, data, choose_pictures(data, 1), seed=1)
    assert detector.layers == (IMAGE, "pool", "flatten", "digit") and set(detector.limits) == set(PoolingMode)
    made = keras.Model(network.inputs[0], [layer.output for layer in network.layers])
    scores = []
    for image in data.validation.images[..., None].astype(np.float32) / 255:
        outputs = dict(zip([layer.name for layer in network.layers], made(image[None]), strict=True))
        activations = {name: np.asarray(output)[0] for name, output in outputs.items()}
        scores.append(detector.score(image, activations, PoolingMode.MAX))
    assert np.mean(np.array(scores) <= 1e-4) >= novelty.KNOWN - 0.02


@pytest.mark.slow
def test_calibrating_writes_card_and_detector_and_nothing_else(data: TrainingData, tmp_path: Path) -> None:
    recipe = Recipe("small", "Small", "A small one.", Task.DIGIT, small_network, epochs=1)
    network = small_network()
    card = make_card(recipe, network, data, 1, seed=1)
    save(network, card.model_copy(update={"temperature": 1.0}), tmp_path, "small")
    before = (tmp_path / "small.keras").read_bytes()
    calibrate([tmp_path / "small.keras"], data, 1, lambda _: None)
    assert (tmp_path / "small.keras").read_bytes() == before
    assert read_card(tmp_path / "small.json") == card
    first = detector_path(tmp_path / "small.keras").read_bytes()
    DetectorFile.model_validate_json(first).open()
    assert len(list(tmp_path.iterdir())) == 3
    calibrate([tmp_path / "small.keras"], data, 1, lambda _: None)
    assert detector_path(tmp_path / "small.keras").read_bytes() == first


@pytest.mark.slow
def test_a_model_of_another_input_is_not_calibrated(data: TrainingData, tmp_path: Path) -> None:
    recipe = Recipe("small", "Small", "A small one.", Task.DIGIT, small_network, epochs=1)
    card = make_card(recipe, small_network(), data, 1, seed=1)
    save(small_network(), card.model_copy(update={"value_range": (-1.0, 1.0)}), tmp_path, "small")
    with pytest.raises(BadInput, match="only models of digits"):
        calibrate([tmp_path / "small.keras"], data, 1, lambda _: None)
