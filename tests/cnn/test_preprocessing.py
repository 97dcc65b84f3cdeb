"""Levels of colour to a model's values, and back."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from app.cnn.card import Card
from app.cnn.preprocessing import channel_names, colour_channels, to_levels, to_values
from tests.small_models import build_logistic, card


def coloured(channels: int = 3, **facts: Any) -> Card:
    return card(build_logistic(), input_shape=(4, 4, channels), **facts)


def every_level(channels: int) -> NDArray[np.uint8]:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    return np.concatenate([np.roll(levels, channel, axis=0) for channel in range(channels)], axis=2)


def test_bytes_stay_the_numbers_that_they_are() -> None:
    values = to_values(every_level(3), coloured(value_range=(0, 255)))
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, every_level(3))


@pytest.mark.parametrize("value_range", [(0, 1), (1, 0), (-1, 1), (0.1, 0.7), (-1e6, 1e6)])
def test_black_and_white_become_the_ends_of_the_range(value_range: tuple[float, float]) -> None:
    values = to_values(every_level(1), coloured(1, value_range=value_range)).ravel()
    assert (values[0], values[-1]) == tuple(np.array(value_range, np.float32))
    low, high = value_range
    np.testing.assert_allclose(values, low + np.arange(256) / 255 * (high - low), rtol=1e-6, atol=1e-7)


def test_mean_and_std_belong_to_the_channels_as_the_model_has_them() -> None:
    levels = np.full((1, 1, 3), (10, 20, 30), dtype=np.uint8)
    facts: dict[str, Any] = {"value_range": (0, 255), "mean": [1, 2, 3], "std": [1, 2, 4]}
    assert to_values(levels, coloured(**facts))[0, 0].tolist() == [9, 9, 6.75]
    assert to_values(levels, coloured(**facts, channel_order="bgr"))[0, 0].tolist() == [29, 9, 1.75]


def test_alpha_is_the_last_in_either_order() -> None:
    levels = np.full((1, 1, 4), (10, 20, 30, 40), dtype=np.uint8)
    card_of_four = coloured(4, value_range=(0, 255), channel_order="bgr")
    assert to_values(levels, card_of_four)[0, 0].tolist() == [30, 20, 10, 40]


@pytest.mark.parametrize("order", ["rgb", "bgr"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
def test_levels_come_back(order: str, channels: int) -> None:
    facts = {"value_range": (-1, 1), "mean": [0.4] * channels, "std": [0.1 + c for c in range(channels)]}
    own = coloured(channels, channel_order=order, **facts)
    np.testing.assert_allclose(to_levels(to_values(every_level(channels), own), own), every_level(channels), atol=1e-3)


def test_channels_by_name() -> None:
    assert channel_names(coloured(3)) == ["red", "green", "blue"]
    assert channel_names(coloured(4, channel_order="bgr")) == ["blue", "green", "red", "alpha"]
    assert len(channel_names(coloured(1))) == 1
    assert channel_names(coloured(5))[4] == "channel 4"


def test_alpha_is_no_colour() -> None:
    assert [colour_channels(channels) for channels in range(1, 7)] == [1, 1, 3, 3, 5, 6]
