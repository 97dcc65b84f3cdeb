"""Each pooling against NumPy, window by window, and the usual three against TensorFlow."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from app.lab.chain import OPERATIONS
from app.lab.gathered_pooling import StochasticPooling, sorting_network
from app.lab.operation import Operation
from app.lab.steady_pooling import BlurredMaxPooling, PolyphasePooling
from tests.lab.windows import Values, pool

SIZES = [(12, 14), (13, 17), (9, 9)]
WINDOWS = [(2, None), (3, 2), (2, 3), (5, 1), (4, 4), (7, 2)]
PADDINGS = ["valid", "same"]


def make(name: str, **settings: Any) -> Operation:
    return OPERATIONS[name](**settings)


def picture(size: tuple[int, int], channels: int = 2, seed: int = 0, low: float = 0.0) -> NDArray[np.float32]:
    values = np.random.default_rng(seed).uniform(low, 1, (channels, *size))
    return values.astype(np.float32)


def lp(p: float) -> Callable[[Values], float]:
    return lambda cells: float((np.abs(cells) ** p).mean() ** (1 / p))


def soft(beta: float) -> Callable[[Values], float]:
    return lambda cells: float((np.exp(beta * cells) * cells).sum() / np.exp(beta * cells).sum())


REFERENCES: list[tuple[str, dict[str, float], Callable[[Values], float]]] = [
    ("max", {}, np.max),
    ("average", {}, np.mean),
    ("min", {}, np.min),
    ("median", {}, np.median),
    ("mixed", {"share": 0.3}, lambda cells: 0.3 * cells.max() + 0.7 * cells.mean()),
    ("mixed", {"share": 1}, np.max),
    ("lp", {"p": 1}, lp(1)),
    ("lp", {"p": 3.5}, lp(3.5)),
    ("lp", {"p": 64}, lp(64)),
    ("soft", {"beta": 0}, np.mean),
    ("soft", {"beta": 1}, soft(1)),
    ("soft", {"beta": 20}, soft(20)),
]


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize(("window", "stride"), WINDOWS)
@pytest.mark.parametrize(("name", "settings", "reference"), REFERENCES)
def test_a_pooling_is_what_numpy_makes_of_each_window(
    name: str, settings: dict[str, float], reference: Callable[[Values], float], window: int, stride: int, padding: str
) -> None:
    for size in SIZES:
        planes = picture(size, low=-0.6)
        step = make(name, window=window, stride=stride, padding=padding, **settings)
        made, expected = step.compute(planes), pool(planes, window, stride or window, padding, reference)
        assert made.dtype == np.float32 and made.shape[1:] == step.output_size(size)
        np.testing.assert_allclose(made, expected, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize(("window", "stride"), WINDOWS)
def test_max_and_average_are_tensorflows(window: int, stride: int | None, padding: str) -> None:
    planes = picture((13, 17), low=-1)
    image = planes.transpose(1, 2, 0)[None]
    for name, compute in (("max", tf.nn.max_pool2d), ("average", tf.nn.avg_pool2d)):
        expected = compute(image, window, stride or window, padding.upper()).numpy()[0].transpose(2, 0, 1)
        made = make(name, window=window, stride=stride, padding=padding).compute(planes)
        np.testing.assert_allclose(made, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("window", [31, 64])
def test_a_wide_window_is_put_together_from_blocks(window: int) -> None:
    planes = picture((70, 90), low=-1)
    for name, reference in (("max", np.max), ("min", np.min), ("average", np.mean)):
        made = make(name, window=window, stride=3, padding="same").compute(planes)
        np.testing.assert_allclose(made, pool(planes, window, 3, "same", reference), rtol=1e-5, atol=1e-5)


def test_min_pooling_of_a_picture_is_max_pooling_of_its_negative() -> None:
    """Ink and paper swapped, as one says of a drawing."""
    planes = picture((12, 14))
    swapped = make("swap").compute(planes)
    again = make("swap").compute(make("max").compute(swapped))
    np.testing.assert_allclose(make("min").compute(planes), again, atol=1e-6)


def test_a_fixed_cell_is_a_slice() -> None:
    planes = picture((13, 17))
    made = make("cell", window=4, stride=3, row=2, column=4).compute(planes)
    expected = np.stack([[row[1 + 3 * i : 2 + 3 * i, 3:17:3][0][:5] for i in range(4)] for row in planes])
    np.testing.assert_array_equal(made, expected)


@pytest.mark.parametrize("count", range(1, 30))
def test_the_sorting_network_sorts(count: int) -> None:
    for seed in range(5):
        values = np.random.default_rng(seed).integers(0, 9, count).tolist()
        ordered = list(values)
        for low, high in sorting_network(count):
            if ordered[low] > ordered[high]:
                ordered[low], ordered[high] = ordered[high], ordered[low]
        assert ordered == sorted(values)


class TestStochastic:
    def test_it_draws_what_is_in_the_window(self) -> None:
        planes = picture((12, 12))
        made = StochasticPooling(window=3).compute(planes)
        for channel, row, column in np.ndindex(made.shape):
            window = planes[channel, 3 * row : 3 * row + 3, 3 * column : 3 * column + 3]
            assert made[channel, row, column] in window

    def test_a_value_is_drawn_as_often_as_its_share(self) -> None:
        window = np.array([[0.1, 0.2], [0.3, 0.4]], np.float32)
        made = StochasticPooling(seed=5).compute(np.tile(window, (1, 200, 200)))
        for value in window.ravel():
            share = (made == value).mean()
            assert abs(share - value) < 5 * math.sqrt(value * (1 - value) / made.size)

    def test_values_below_zero_are_never_drawn_beside_others(self) -> None:
        window = np.array([[-5, 0.5], [-0.1, 0]], np.float32)
        made = StochasticPooling().compute(np.tile(window, (1, 20, 20)))
        assert set(np.unique(made)) == {np.float32(0.5)}

    def test_without_a_value_above_zero_the_largest_is_taken(self) -> None:
        window = np.array([[-5, -0.5], [-0.1, -2]], np.float32)
        assert StochasticPooling().compute(window[None]).tolist() == [[[np.float32(-0.1)]]]

    @pytest.mark.parametrize("padding", PADDINGS)
    def test_the_same_seed_draws_the_same(self, padding: str) -> None:
        planes = picture((13, 17), low=-0.5)
        first, second, other = (
            make("stochastic", window=3, stride=2, padding=padding, seed=seed).compute(planes) for seed in (1, 1, 2)
        )
        np.testing.assert_array_equal(first, second)
        assert (first != other).any() and np.isfinite(first).all()


class TestBlurred:
    @pytest.mark.parametrize("blur", range(1, 8))
    @pytest.mark.parametrize("padding", PADDINGS)
    def test_it_is_the_maximum_then_a_binomial_blur(self, blur: int, padding: str) -> None:
        planes = picture((13, 17), low=-1)
        maxima = pool(planes, 2, 1, padding, np.max)
        row = np.array([math.comb(blur - 1, each) for each in range(blur)]) / 2 ** (blur - 1)
        padded = np.pad(maxima, [(0, 0), *[((blur - 1) // 2, blur // 2)] * 2], mode="reflect")
        slides = np.lib.stride_tricks.sliding_window_view(padded, (blur, blur), axis=(1, 2))
        expected = (slides * np.outer(row, row)).sum(axis=(-1, -2))[:, ::2, ::2]
        step = BlurredMaxPooling(blur=blur, padding=padding)  # type: ignore[arg-type]
        made = step.compute(planes)
        assert made.shape[1:] == step.output_size((13, 17))
        np.testing.assert_allclose(made, expected, rtol=1e-5, atol=1e-6)


class TestPolyphase:
    def test_it_keeps_the_grid_of_the_largest_norm(self) -> None:
        planes = picture((12, 14))
        wrapped = np.pad(planes, [(0, 0), (0, 1), (0, 1)], mode="wrap")
        maxima = pool(wrapped, 2, 1, "valid", np.max)
        grids = {(i, j): maxima[:, i::2, j::2] for i in range(2) for j in range(2)}
        best = max(grids.values(), key=lambda grid: float(np.linalg.norm(grid)))
        np.testing.assert_allclose(PolyphasePooling().compute(planes), best)

    @pytest.mark.parametrize("norm", ["l1", "l2"])
    @pytest.mark.parametrize("shift", [(0, 1), (1, 0), (1, 1), (2, 3)])
    def test_a_picture_that_moves_round_gives_the_same_values(self, norm: str, shift: tuple[int, int]) -> None:
        planes = picture((12, 16), seed=4)
        step = make("polyphase", norm=norm)
        before, after = step.compute(planes), step.compute(np.roll(planes, shift, (1, 2)))
        moved = [np.roll(before, (down, across), (1, 2)) for down in range(-2, 3) for across in range(-2, 3)]
        assert any(np.array_equal(after, each) for each in moved)

    def test_max_pooling_does_not(self) -> None:
        planes = picture((12, 16), seed=4)
        before, after = (make("max").compute(each) for each in (planes, np.roll(planes, 1, 2)))
        assert not any(np.array_equal(after, np.roll(before, across, 2)) for across in range(-2, 3))
