"""The detector of what a network was not trained on, against arithmetic in plain NumPy."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.cnn.novelty import (
    IMAGE,
    DetectorFile,
    NoveltyDetector,
    choose_layers,
    read_features,
    to_kept_precision,
    write_detector,
)
from app.cnn.types import Array, PoolingMode

RANDOM = np.random.default_rng(0)


def make_detector(features: int = 8, hidden: int = 3) -> NoveltyDetector:
    kernel = to_kept_precision(RANDOM.normal(size=(features, hidden)).astype(np.float32))
    bias, weights = RANDOM.normal(size=(2, hidden)).astype(np.float32)
    return NoveltyDetector(("pool", "dense"), kernel, bias, weights, {PoolingMode.MAX: 0.5})


def average_by_hand(maps: Array, cells: int) -> list[float]:
    """The means of the parts of maps, (height, width, channels), part by part."""
    height, width, channels = maps.shape
    rows, columns = min(height, cells), min(width, cells)
    found = []
    for row in range(rows):
        for column in range(columns):
            part = maps[row * height // rows : (row + 1) * height // rows]
            part = part[:, column * width // columns : (column + 1) * width // columns]
            found += [float(part[..., channel].mean()) for channel in range(channels)]
    return found


@pytest.mark.parametrize("shape", [(12, 12, 5), (13, 10, 2), (4, 4, 3), (2, 9, 1)])
def test_maps_are_averaged_to_four_by_four_cells(shape: tuple[int, ...]) -> None:
    maps = RANDOM.normal(size=shape).astype(np.float32)
    assert np.allclose(read_features(maps, "pool"), average_by_hand(maps, 4), atol=1e-6)
    both = read_features(np.stack([maps, 2 * maps]), "pool")
    assert np.allclose(both[1], 2 * both[0]) and np.allclose(both[0], read_features(maps, "pool"))


def test_the_image_is_read_in_grey_in_seven_by_seven_cells() -> None:
    image = RANDOM.normal(size=(28, 28, 3)).astype(np.float32)
    expected = image.reshape(7, 4, 7, 4, 3).mean(axis=(1, 3, 4)).ravel()
    assert np.allclose(read_features(image, IMAGE), expected, atol=1e-6)


def test_a_vector_is_read_as_it_is() -> None:
    assert read_features(np.array([1, 2], np.float32), "dense").tolist() == [1, 2]


def test_the_score_is_that_of_hidden_units_less_the_limit_of_the_mode() -> None:
    detector = make_detector()
    pool, dense = RANDOM.normal(size=(2, 2, 1)).astype(np.float32), RANDOM.normal(size=4).astype(np.float32)
    activations = {"dense": dense, "other": dense, "pool": pool}
    features = [*pool.ravel(), *dense]
    hidden = [
        max(0.0, sum(f * w for f, w in zip(features, column, strict=True)) + b)
        for column, b in zip(detector.kernel.T, detector.bias, strict=True)
    ]
    expected = sum(h * w for h, w in zip(hidden, detector.weights, strict=True)) - 0.5
    assert detector.score(pool, activations, PoolingMode.MAX) == pytest.approx(expected, abs=1e-5)
    assert np.isnan(detector.score(pool, activations, PoolingMode.MIN))


def test_what_is_not_a_number_has_no_score() -> None:
    pool, dense = np.full((2, 2, 1), np.nan, np.float32), np.zeros(4, np.float32)
    assert np.isnan(make_detector().score(pool, {"pool": pool, "dense": dense}, PoolingMode.MAX))


def test_it_fits_activations_of_its_shapes_alone() -> None:
    detector = make_detector()
    assert detector.fits({"pool": (2, 2, 1), "dense": (4,)})
    assert not detector.fits({"pool": (2, 2, 2), "dense": (4,)})
    assert not detector.fits({"pool": (None, None, 1), "dense": (4,)})
    assert not detector.fits({"pool": (2, 2, 1)})


def test_a_file_gives_the_same_detector_back(tmp_path: Path) -> None:
    detector = make_detector()
    write_detector(detector, tmp_path / "m.novelty.json")
    opened = DetectorFile.model_validate_json((tmp_path / "m.novelty.json").read_bytes()).open()
    assert opened.layers == detector.layers and opened.limits == detector.limits
    for name in ("kernel", "bias", "weights"):
        assert np.array_equal(getattr(opened, name), getattr(detector, name))
    assert [path.name for path in tmp_path.iterdir()] == ["m.novelty.json"]


def test_without_pooling_the_limit_is_that_of_the_network_as_trained() -> None:
    zero = np.zeros(1, np.float32)
    file = DetectorFile.of(NoveltyDetector(("a",), zero[:, None], zero, zero, {None: 2.0}))
    assert json.loads(file.model_dump_json())["limits"] == {"as trained": 2.0}
    assert file.open().limits == {None: 2.0}


@pytest.mark.parametrize(
    "change",
    [
        {"kernel": "AAAA"},
        {"bias": "not base64!"},
        {"weights": "AADAfwAAwH8AAMB/"},  # NaN
        {"features": 10**9},
        {"hidden": 0},
        {"layers": []},
        {"limits": {"median": 1.0}},
        {"more": 1},
    ],
    ids=str,
)
def test_a_broken_file_is_refused(change: dict[str, Any]) -> None:
    whole = json.loads(DetectorFile.of(make_detector()).model_dump_json())
    DetectorFile.model_validate(whole)
    with pytest.raises(ValueError):
        DetectorFile.model_validate(whole | change)


def test_the_image_the_pooling_layers_and_small_vectors_are_read() -> None:
    shapes = [
        ("conv", (9, 9, 4), False),
        ("pool", (4, 4, 4), True),
        ("flatten", (640,), False),
        ("dense", (10,), False),
    ]
    assert choose_layers(shapes) == [IMAGE, "pool", "dense"]
    assert choose_layers(shapes[:1] + shapes[3:]) == [IMAGE, "conv", "dense"]
