"""The arithmetic of a cell that reads more than can be shown: refused before anything is read, or read in parts."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from app.cnn.cells import PoolingCell
from app.cnn.errors import MOST_NUMBERS, NoArithmetic, TooManyNumbers
from app.cnn.kinds import KINDS, Layer, normalization, pooling
from app.cnn.kinds.dense import Dense
from app.cnn.types import Array, Shape
from tests.peaks import MEGABYTE, large, peak_of


def create(kind: str, shape: Shape, **settings: Any) -> Layer:
    given = {name: check(settings[name]) for name, check in KINDS[kind].checks().items() if name in settings}
    return KINDS[kind].create("layer", [None], given, [shape])


def unread(shape: Sequence[int | None]) -> Array:
    """An array of any size that takes no memory."""
    return np.broadcast_to(np.float32(0.5), tuple(size or 1 for size in shape))


def weights_of(layer: Layer) -> Mapping[str, Array]:
    return {name: unread(shape) for name, shape in layer.variables.items()}


LONG: dict[str, tuple[str, tuple[int, ...], tuple[int, ...], int, dict[str, Any]]] = {
    "dense": ("Dense", (50_000_000,), (0,), 50_000_000, {"units": 2}),
    "convolution": ("Conv2D", (1024, 1024, 64), (0, 0, 0), 2**26, {"filters": 2, "kernel_size": 1024}),
    "of one of many maps": ("Conv2D", (1, 1, 2**20), (0, 0, 0), 2**20, {"filters": 2, "kernel_size": 1}),
    "depthwise": ("DepthwiseConv2D", (1024, 1024, 3), (0, 0, 1), 2**20, {"kernel_size": 1024}),
    "separable": ("SeparableConv2D", (600, 600, 4), (0, 0, 0), 1_440_000, {"filters": 2, "kernel_size": 600}),
    "transposed": ("Conv2DTranspose", (300, 300, 9), (299, 299, 0), 810_000, {"filters": 2, "kernel_size": 300}),
    "softmax": ("Softmax", (2**25,), (5,), 2**25, {}),
    "activation": ("Activation", (2**25,), (5,), 2**25, {"activation": "softmax"}),
}


@pytest.mark.parametrize("name", LONG)
def test_arithmetic_that_is_too_long_is_refused_before_it_is_made(name: str) -> None:
    kind, shape, place, count, settings = LONG[name]
    layer = create(kind, shape, **settings)
    weights, image, output = weights_of(layer), unread(shape), unread(layer.output_shape)

    def explain() -> None:
        with pytest.raises(TooManyNumbers, match=f"reads {count:,} numbers; it is shown for {MOST_NUMBERS:,} at most"):
            layer.explain(weights, (image,), output, place)

    assert peak_of(explain) < MEGABYTE
    assert issubclass(TooManyNumbers, NoArithmetic)


@pytest.mark.parametrize("kind", ["Conv2D", "SeparableConv2D"])
def test_kernels_that_are_too_large_are_refused(kind: str) -> None:
    layer = create(kind, (600, 600, 4), filters=2, kernel_size=600)
    with pytest.raises(TooManyNumbers, match="1,440,000"):
        layer.map_kernels(weights_of(layer), 4, 0)
    with pytest.raises(TooManyNumbers):
        layer.partial_maps(weights_of(layer), unread((600, 600, 4)), 0, (1, 1))


def test_a_depthwise_convolution_reads_its_own_channel_only() -> None:
    layer = create("DepthwiseConv2D", (360, 360, 64), kernel_size=360)
    image = large(360, 360, 64)
    cell: list[Any] = []
    assert peak_of(lambda: cell.append(layer.explain(weights_of(layer), (image,), unread((1, 1, 64)), (0, 0, 7)))) < (
        16 * MEGABYTE
    )
    np.testing.assert_array_equal(cell[0].terms[0].inputs, image[:, :, 7])


def test_a_neuron_s_arithmetic_copies_no_other_neuron_s_weights() -> None:
    layer = create("Dense", (2048,), units=4096)
    kernel = np.resize(np.random.default_rng(0).normal(size=1000).astype(np.float32), (2048, 4096))
    weights = {"kernel": kernel, "bias": np.ones(4096, np.float32)}
    values = large(2048)
    assert peak_of(lambda: layer.explain(weights, (values,), unread((4096,)), (7,))) < 2 * MEGABYTE


def test_a_softmax_over_many_weights_is_computed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = create("Dense", (300,), units=20, activation="softmax")
    rng = np.random.default_rng(0)
    weights = {"kernel": rng.normal(size=(300, 20)).astype(np.float32), "bias": rng.normal(size=20).astype(np.float32)}
    values = rng.normal(size=300).astype(np.float32)
    assert isinstance(layer, Dense)
    expected = layer._logits(weights, values)
    monkeypatch.setattr("app.cnn.kinds.dense._AT_ONCE", 50)
    np.testing.assert_allclose(layer._logits(weights, values), expected, rtol=1e-12)


POOLINGS: dict[str, tuple[str, tuple[int, ...], dict[str, Any]]] = {
    "whole maps": ("GlobalMaxPooling2D", (2,), {}),
    "windows": ("AveragePooling2D", (0, 0, 2), {"pool_size": 20, "padding": "same"}),
    "windows at the end": ("MaxPooling2D", (1, 1, 2), {"pool_size": 20, "padding": "same"}),
    "adaptive": ("AdaptiveMaxPooling2D", (1, 0, 2), {"output_size": (2, 1)}),
}


@pytest.mark.parametrize("odd", [None, np.nan])
@pytest.mark.parametrize("name", POOLINGS)
def test_a_large_window_has_the_values_of_a_small_one(
    name: str, odd: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, place, settings = POOLINGS[name]
    image = np.random.default_rng(0).normal(size=(25, 31, 3)).astype(np.float32)
    if odd is not None:
        image[3, 4] = image[22, 25] = odd
    layer = create(kind, image.shape, **settings)
    output = np.zeros(tuple(size or 0 for size in layer.output_shape), np.float32)
    small = layer.explain({}, (image,), output, place)
    monkeypatch.setattr(pooling, "MOST_NUMBERS", 50)
    found = layer.explain({}, (image,), output, place)
    assert isinstance(found, PoolingCell) and isinstance(small, PoolingCell)
    assert found.inputs is None and small.inputs is not None
    assert (found.window, found.maximum, found.minimum) == (small.window, small.maximum, small.minimum)
    assert found.average == pytest.approx(small.average)
    assert found.reads_padding == small.reads_padding == bool(np.isnan(small.inputs).any())


def test_a_window_without_numbers_has_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.full((9, 9, 1), np.nan, dtype=np.float32)
    monkeypatch.setattr(pooling, "MOST_NUMBERS", 5)
    cell = create("GlobalMaxPooling2D", (9, 9, 1)).explain({}, (image,), np.zeros(1, np.float32), (0,))
    assert isinstance(cell, PoolingCell)
    assert np.isnan([cell.maximum, cell.average, cell.minimum]).all()


def test_the_pooling_of_a_whole_large_map_needs_little_memory() -> None:
    layer, image = create("GlobalAveragePooling2D", (4096, 2048, 1)), large(4096, 2048, 1)
    assert peak_of(lambda: layer.explain({}, (image,), unread((1,)), (0,))) < 8 * MEGABYTE


def test_a_window_that_is_larger_than_its_input_makes_no_array_of_its_size() -> None:
    layer = create("MaxPooling2D", (28, 28, 1), pool_size=1024, padding="same")
    cell = layer.explain({}, (large(28, 28, 1),), unread((1, 1, 1)), (0, 0, 0))
    assert isinstance(cell, PoolingCell)
    assert (cell.inputs, cell.reads_padding) == (None, True)


@pytest.mark.parametrize("shape", [(500,), (10, 12, 6)])
def test_moments_of_many_values_are_those_of_all(shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).normal(3, 2, shape).astype(np.float32)
    expected = normalization._moments(values)
    monkeypatch.setattr(normalization, "_AT_ONCE", 30)
    assert normalization._moments(values) == pytest.approx(expected, rel=1e-12)


def test_the_moments_of_a_large_group_need_little_memory() -> None:
    values = large(512, 512, 64)[:, :, :32]
    assert peak_of(lambda: normalization._moments(values)) < 8 * MEGABYTE
