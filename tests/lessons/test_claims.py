"""What the lessons say in words: each sentence that claims something, tried with the models."""

from collections.abc import Callable

import numpy as np
import pytest

from app.cnn.network import ForwardPass
from app.cnn.types import Array, PoolingMode
from app.datasets.digits import load_test_digits
from app.explore.prediction import predict
from app.imaging.drawing import SAMPLES, draw_sample, draw_strokes
from app.imaging.encoding import encode_image
from app.lessons.vocabulary import Vocabulary

DIGITS = list(SAMPLES)
Run = Callable[..., ForwardPass]
FAMILY = ("digits", "digits-average", "digits-min")


@pytest.fixture(scope="module")
def run(vocabulary: Vocabulary) -> Run:
    def run(model: str, drawing: bytes | None = None, pooling: str | None = None) -> ForwardPass:
        network = vocabulary.library.network(model)
        return vocabulary.passes.run(network, drawing or draw_sample("7"), PoolingMode(pooling) if pooling else None)

    return run


def read(vocabulary: Vocabulary, model: str, digit: str, pooling: str | None = None) -> str:
    network = vocabulary.library.network(model)
    mode = PoolingMode(pooling) if pooling else None
    return predict(network, vocabulary.passes.run(network, draw_sample(digit), mode)).label


def bar_rows(feature_map: Array, image: Array) -> tuple[int, int, int]:
    """The row of a map that is brightest beside the seven's upper bar, and the bar's first and last row of ink.

    A window of 3×3 has its middle one row below the map's own row.
    """
    column = 10
    ink = np.flatnonzero(image[:14, column, 0] > 0.5)
    return int(feature_map[:12, column - 1].argmax()) + 1, int(ink[0]), int(ink[-1])


def test_one_map_lights_up_at_the_upper_edge_and_one_at_the_lower(run: Run) -> None:
    forward = run("digits")
    maps = forward.activations["conv_1"]
    brightest, first, _ = bar_rows(maps[:, :, 2], forward.image)
    assert brightest <= first
    brightest, _, last = bar_rows(maps[:, :, 7], forward.image)
    assert brightest >= last


def test_a_map_glows_on_an_empty_sheet(vocabulary: Vocabulary) -> None:
    network = vocabulary.library.network("digits")
    blank = vocabulary.passes.run(network, None, None)
    maps = blank.activations["conv_1"]
    assert maps[:, :, 4].min() == maps[:, :, 4].max() > 0.1
    bias = network.weights(network.layer("conv_1"))["bias"]
    np.testing.assert_allclose(maps, np.broadcast_to(np.maximum(bias, 0), maps.shape), atol=1e-6)


@pytest.mark.parametrize("digit", DIGITS)
def test_under_min_digits_reads_a_one_whatever_is_drawn(vocabulary: Vocabulary, digit: str) -> None:
    assert read(vocabulary, "digits", digit) == digit
    assert read(vocabulary, "digits", digit, "min") == "1"
    assert read(vocabulary, "digits-min", digit) == digit  # trained with it


@pytest.mark.parametrize("digit", DIGITS)
def test_average_has_the_zeros_of_max(run: Run, digit: str) -> None:
    maximum, average = (run("digits", draw_sample(digit), mode).activations["pool_1"] for mode in ("max", "average"))
    np.testing.assert_array_equal(maximum == 0, average == 0)
    assert (average <= maximum + 1e-6).all()  # fainter


@pytest.mark.parametrize("digit", ["0", "2", "4", "6", "8"])
def test_under_min_the_even_ones_are_odd(vocabulary: Vocabulary, digit: str) -> None:
    assert read(vocabulary, "figure-6-3", digit) == "even"
    assert read(vocabulary, "figure-6-3", digit, "min") == "odd"


@pytest.mark.parametrize("digit", DIGITS)
def test_a_network_trained_with_min_leaves_more_cells_on(run: Run, digit: str) -> None:
    zeros = {
        name: (run(name, draw_sample(digit)).activations["conv_2"] == 0).mean() for name in ("digits", "digits-min")
    }
    assert zeros["digits-min"] < 0.7 * zeros["digits"]


@pytest.mark.parametrize("digit", DIGITS)
def test_random_weights_are_sure_of_nothing_and_see_the_digit(run: Run, vocabulary: Vocabulary, digit: str) -> None:
    forward = run("untrained", draw_sample(digit))
    assert predict(vocabulary.library.network("untrained"), forward).ranked[0].probability < 0.3
    ink = forward.image[1:-1, 1:-1, 0].ravel()
    maps = forward.activations["conv_1"].reshape(-1, 16)
    likeness = [np.corrcoef(ink, maps[:, each])[0, 1] for each in range(16) if np.ptp(maps[:, each])]
    assert max(likeness) > 0.7 and sum(each > 0.3 for each in likeness) >= 4


def test_padding_looks_like_ink_to_the_second_layer(run: Run) -> None:
    forward = run("five-layer-convolutional", draw_sample("4"))
    first, second = (forward.activations[f"convolution_{number}"][:, :, 0] for number in (1, 2))
    is_ink = forward.image[:, :, 0] > 0.99
    assert first[is_ink].max() == 0 and np.median(first[forward.image[:, :, 0] == 0]) > 1.5
    assert abs(second[0, 100] - second[1, 100]) > 0.3
    assert np.ptp(second[1:20, 100]) < 1e-5


def test_the_outline_is_open_where_a_stroke_runs_over_the_edge(run: Run) -> None:
    stroke = [(60.0, 100.0), (-20.0, 100.0)]
    forward = run("five-layer-convolutional", encode_image(draw_strokes([stroke])))
    edge = forward.activations["outline"][85:116, 0, 0]
    sides = np.flatnonzero(edge > 0.5)
    assert len(sides) in (2, 3, 4) and sides[-1] - sides[0] > 14
    assert edge[sides[0] + 4 : sides[-1] - 4].max() < 0.05
    inside = forward.activations["outline"][85:116, 40, 0]
    assert (inside > 0.5).sum() >= 2  # as anywhere along the stroke


def test_what_pooling_spares_the_layer_after_it(vocabulary: Vocabulary) -> None:
    """The places of `conv_3` with `pool_1` before it, and without."""
    network = vocabulary.library.network("digits")
    height, width, _ = network.layer("conv_2").output_shape
    pooled = network.layer("conv_3").output_shape
    assert height and width and pooled[0] and pooled[1]
    assert (height - 2) * (width - 2) / (pooled[0] * pooled[1]) == pytest.approx(4.84)


@pytest.fixture(scope="module")
def halved(vocabulary: Vocabulary) -> dict[str, float]:
    """How many of 500 test digits `digits` reads when they are pooled by 2×2 and each cell is repeated."""
    network, digits = vocabulary.library.network("digits"), load_test_digits().take(slice(500))
    windows = (digits.images / np.float32(255)).reshape(-1, 14, 2, 14, 2)
    read = {}
    for name, pool in (("max", np.max), ("average", np.mean), ("min", np.min)):
        pooled = pool(windows, axis=(2, 4)).repeat(2, axis=1).repeat(2, axis=2).astype(np.float32)
        answers = [int(network.run(image[:, :, None]).output.argmax()) for image in pooled]
        read[name] = float((np.array(answers) == digits.labels).mean())
    return read


def test_halving_by_min_costs_most(halved: dict[str, float]) -> None:
    assert halved["min"] < 0.9 < min(halved["max"], halved["average"])


def test_the_one_trained_with_min_copes_best_with_other_poolings(vocabulary: Vocabulary) -> None:
    worst = {name: min(vocabulary.library.card(name).test_accuracy_by_pooling.values()) for name in FAMILY}
    assert max(worst, key=lambda name: worst[name]) == "digits-min"
    for name in FAMILY:
        card = vocabulary.library.card(name)
        assert card.pooling == max(card.test_accuracy_by_pooling, key=lambda mode: card.test_accuracy_by_pooling[mode])


def test_most_of_the_start_is_left_in_the_first_layer(vocabulary: Vocabulary) -> None:
    before, after = vocabulary.library.network("untrained"), vocabulary.library.network("digits")
    left = {}
    for layer in after.layers:
        kernels = [network.weights(network.layer(layer.name)).get("kernel") for network in (before, after)]
        if kernels[0] is not None and kernels[1] is not None:
            left[layer.name] = float(np.corrcoef(kernels[0].ravel(), kernels[1].ravel())[0, 1])
    assert max(left, key=lambda name: left[name]) == "conv_1" and left["conv_1"] > 0.8


def test_min_alone_keeps_dark_lines() -> None:
    """Of every window with a dark pixel, min keeps it, average some of it, and max none unless all are dark."""
    lines = np.ones((64, 64), np.float32)
    lines[::8] = lines[:, 5::8] = 0
    windows = lines.reshape(32, 2, 32, 2)
    has_line = windows.min(axis=(1, 3)) == 0
    assert (windows.max(axis=(1, 3))[has_line] == 1).mean() > 0.99
    assert (windows.mean(axis=(1, 3))[has_line] > 0).all()


def test_nearly_all_are_read_as_ones_under_min(vocabulary: Vocabulary) -> None:
    network, digits = vocabulary.library.network("digits"), load_test_digits().take(slice(300))
    images = (digits.images / np.float32(255))[..., None]
    answers = [int(network.run(image, PoolingMode.MIN).output.argmax()) for image in images]
    assert np.mean(np.array(answers) == 1) > 0.95
