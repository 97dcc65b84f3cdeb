"""The detector beside a model's file."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from app.cnn.novelty import IMAGE, NoveltyDetector, detector_path, write_detector
from app.datasets.digits import load_test_digits
from app.explore.evaluation import evaluate, to_image
from app.explore.prediction import predict
from app.library.library import Library
from app.training.novelty import KNOWN

BUILT_IN = Path(__file__).parents[2] / "models"
CALIBRATED = ["digits", "digits-average", "digits-min", "section-6-3", "figure-6-3", "five-layer-dense"]


def detector(features: int = 49) -> NoveltyDetector:
    kernel = np.ones((features, 1), np.float32)
    return NoveltyDetector((IMAGE,), kernel, np.zeros(1, np.float32), np.ones(1, np.float32), {None: 0.0})


def open_with(folder: Path, models: Path, write: object) -> NoveltyDetector | None:
    for ending in ("keras", "json"):
        shutil.copy(models / f"digits.{ending}", folder)
    if isinstance(write, NoveltyDetector):
        write_detector(write, detector_path(folder / "digits.keras"))
    elif isinstance(write, bytes):
        detector_path(folder / "digits.keras").write_bytes(write)
    library = Library(folder)
    try:
        return library.network("digits").detector
    finally:
        library.close()


def test_it_is_read_with_the_model(tmp_path: Path) -> None:
    found = open_with(tmp_path, BUILT_IN, detector())
    assert found is not None and found.layers == (IMAGE,)


@pytest.mark.parametrize(
    "written",
    [None, detector(50), b"{}", b"nonsense", b" " * (2**20 + 1), b"\xff"],
    ids=lambda written: str(written)[:20],
)
def test_a_model_without_a_detector_that_fits_is_as_good_as_before(tmp_path: Path, written: object) -> None:
    assert open_with(tmp_path, BUILT_IN, written) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", CALIBRATED)
def test_the_built_in_models_know_test_digits_and_are_as_sure_as_they_are_right(name: str) -> None:
    digits = load_test_digits().take(slice(0, 10_000, 5))
    library = Library(BUILT_IN)
    try:
        network = library.network(name)
        assert evaluate(network, digits).calibration_error() < 0.01
        passes = [network.run(to_image(digit, network.card)) for digit in digits.images]
        found = [predict(network, forward) for forward in passes]
        noise = np.random.default_rng(0).uniform(size=(100, 28, 28, 1)).astype(np.float32)
        doubted = [predict(network, network.run(image)).doubt for image in noise]
    finally:
        library.close()
    assert np.mean([(each.novelty or 0) <= 0 for each in found]) > KNOWN - 0.015
    assert np.mean([each is not None for each in doubted]) > 0.97
