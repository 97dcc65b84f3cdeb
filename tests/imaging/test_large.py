"""Layers of many blocks: the same pictures as of one block, and little memory beside them."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from app.imaging import colormap as colormaps
from app.imaging import grid as grids
from app.imaging.colormap import Colormap, Difference, Scale, cut_blocks, find_extremes, quantise, thin
from app.imaging.grid import draw_grid, draw_grids, draw_map, draw_strip
from tests.imaging.values import BOTH_KINDS, BOTH_SCALES, activation
from tests.peaks import MEGABYTE, large, peak_of

FEW_MEGABYTES = 8 * MEGABYTE
SHAPES = [(9, 5, 7), (1, 40, 3), (60, 1, 1), (1, 1, 70), (1, 2, 50), (13, 13, 1)]
ODD = [None, np.nan, np.inf, -np.inf, 3e38]


@pytest.mark.parametrize("multiple", [1, 3, 16])
@pytest.mark.parametrize("shape", SHAPES)
def test_blocks_hold_every_number_once(shape: tuple[int, ...], multiple: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(colormaps, "_BLOCK", 20)
    times = np.zeros(shape, dtype=int)
    for block in cut_blocks(shape, multiple):
        assert times[block].size <= 20
        assert block[2].start % multiple == 0
        times[block] += 1
    assert (times == 1).all()


def draw_all(values: NDArray[np.float32], colormap: Colormap, scale: Scale) -> list[object]:
    """Everything that can be drawn of an activation."""
    height, width, channels = values.shape
    other = activation(height, width, channels, seed=8)
    return [
        draw_grid(values, colormap, scale, columns=3),
        draw_grid(values, colormap, scale, columns=2, first=1 % values.shape[2], count=4),
        *draw_grids([values, other], colormap, scale, columns=4),
        *draw_grids([Difference(values, other), Difference(other, values)], colormap, scale),
        draw_map(values, values.shape[2] - 1, colormap, scale),
        draw_strip(values.ravel(), colormap, columns=7),
        draw_strip(values.ravel(), colormap, columns=7, first=5, count=24),
        quantise(values, colormap, scale)[0].tolist(),
    ]


@BOTH_SCALES
@BOTH_KINDS
@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("shape", SHAPES)
def test_many_blocks_give_the_same_pictures_as_one(
    shape: tuple[int, int, int], odd: float | None, colormap: Colormap, scale: Scale, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = activation(*shape)
    if odd is not None:
        values[0, 0, 0] = values[-1, -1, -1] = odd
    expected = draw_all(values, colormap, scale)
    monkeypatch.setattr(colormaps, "_BLOCK", 20)
    monkeypatch.setattr(grids, "_STRIP_ROWS", 2)
    assert draw_all(values, colormap, scale) == expected


@pytest.mark.parametrize("shape", SHAPES)
def test_many_blocks_have_the_extremes_of_one(shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    values = activation(*shape)
    monkeypatch.setattr(colormaps, "_BLOCK", 20)
    extremes = find_extremes(values)
    np.testing.assert_array_equal(extremes.low, values.min(axis=(0, 1)))
    np.testing.assert_array_equal(extremes.high, values.max(axis=(0, 1)))


def test_a_difference_is_that_of_its_activations() -> None:
    first, second = activation(5, 4, 3, seed=1), activation(5, 4, 3, seed=2)
    expected = draw_grids([first - second, second - first], Colormap.BERLIN)
    assert draw_grids([Difference(first, second), Difference(second, first)], Colormap.BERLIN) == expected


CALLS: dict[str, tuple[tuple[int, ...], Callable[[NDArray[np.float32]], object]]] = {
    "extremes": ((512, 512, 32), find_extremes),
    "extremes of single cells": ((1, 1, 2**23), find_extremes),
    "a grid": ((512, 512, 32), draw_grid),
    "a grid of many maps": ((128, 128, 512), draw_grid),
    "a grid of one map": ((2896, 2896, 1), draw_grid),
    "each map by itself": ((512, 512, 32), lambda values: draw_grid(values, Colormap.BERLIN, Scale.MAP)),
    "some maps": ((512, 512, 32), lambda values: draw_grid(values, first=8, count=8)),
    "grids": ((512, 512, 32), lambda values: draw_grids([values, values])),
    "differences": ((512, 512, 32), lambda values: draw_grids([Difference(values, values)])),
    "one map": ((512, 512, 32), lambda values: draw_map(values, 3)),
    "a strip": ((2**23,), draw_strip),
    "some units": ((2**23,), lambda values: draw_strip(values, first=1024, count=1024)),
}


@pytest.mark.parametrize("odd", [None, np.nan])
@pytest.mark.parametrize("name", CALLS)
def test_a_large_layer_needs_little_memory_beside_its_picture(
    name: str, odd: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape, call = CALLS[name]
    values = large(*shape)
    if odd is not None:
        values[(0,) * values.ndim] = odd
    rows: list[int] = []

    def encode(pixel_rows: NDArray[np.uint8], *_: object, **__: object) -> bytes:
        rows.append(pixel_rows.nbytes)
        return b""

    monkeypatch.setattr(grids, "encode_palette_rows", encode)
    call(values)
    picture = max(rows, default=0)
    assert values.nbytes >= 32 * MEGABYTE
    assert peak_of(lambda: call(values)) < picture + FEW_MEGABYTES


def test_a_thinned_activation_has_every_so_many_rows_and_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    values = activation(50, 31, 3)
    thinned = thin(values, 200)
    expected = values[::3, ::3]
    assert thinned.shape == expected.shape
    np.testing.assert_array_equal(thinned[slice(None), slice(None), slice(None)], expected)
    np.testing.assert_array_equal(thinned[slice(2, 5), slice(1, 4), slice(1, 2)], expected[2:5, 1:4, 1:2])
    monkeypatch.setattr(colormaps, "_BLOCK", 20)
    assert draw_map(thinned, 1) == draw_map(expected, 1)
    assert thin(values, 50 * 31) is values
