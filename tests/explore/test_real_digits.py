"""A real digit that is sent as a picture is seen as the very pixels that MNIST has."""

import io
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from app.datasets.digits import DigitSet
from app.explore.evaluation import to_image
from app.explore.forward_passes import preprocess
from app.explore.gallery import draw_digit
from tests.small_models import build_digits, card


@pytest.mark.slow
@pytest.mark.parametrize("digit_set", DigitSet)
def test_every_digit_is_seen_as_it_is(digit_set: DigitSet) -> None:
    facts = card(build_digits())
    images = digit_set.load().images
    changed = [
        number
        for number, digit in enumerate(images)
        if not np.array_equal(preprocess(draw_digit(digit_set, number), facts), to_image(digit, facts))
    ]
    assert changed == []


@pytest.mark.parametrize(
    ("shape", "facts"),
    [
        ((28, 28, 1), {}),
        ((28, 28, 3), {"fit": "fit", "ink": "dark", "value_range": (-1, 1)}),
        ((28, 28, 1), {"fit": "stretch", "ink": "bright", "transposed": True}),
        ((32, 32, 1), {}),
        ((40, 56, 3), {"fit": "digit", "ink": "dark"}),
        ((None, None, 1), {"fit": "original"}),
        ((None, None, 3), {"fit": "original"}),
        ((None, 32, 3), {"fit": "fit", "ink": "dark"}),
    ],
)
def test_for_models_of_other_inputs_too(shape: tuple[int | None, int | None, int], facts: dict[str, Any]) -> None:
    model = keras.Sequential([keras.Input(shape), layers.Conv2D(2, 3), layers.GlobalMaxPooling2D(), layers.Dense(10)])
    its_card = card(model, **{"fit": "digit", **facts})
    for number in (0, 5, 7, 115):  # of two of them, the strongest pixel is 254
        expected = to_image(DigitSet.TEST.load().images[number], its_card)
        assert np.array_equal(preprocess(draw_digit(DigitSet.TEST, number), its_card), expected)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("is_bright", [False, True])
def test_in_any_kind_of_picture(mode: str, is_bright: bool) -> None:
    digit = DigitSet.TEST.load().images[5]
    picture, png = Image.fromarray(digit if is_bright else 255 - digit).convert(mode), io.BytesIO()
    picture.save(png, "PNG")
    seen = preprocess(png.getvalue(), card(build_digits()))
    assert np.array_equal(seen[..., 0], digit / np.float32(255))


def test_a_drawing_of_that_size_is_still_scaled_and_centred() -> None:
    digit = DigitSet.TEST.load().images[1]
    moved, png = np.roll(digit, 3, axis=0), io.BytesIO()
    Image.fromarray(255 - moved).save(png, "PNG")
    seen = preprocess(png.getvalue(), card(build_digits()))
    assert np.array_equal(seen[..., 0], digit / np.float32(255))
