"""Pictures of what excites a map."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.atlas.examples import Examples
from app.atlas.patch_pictures import draw_patch
from app.cnn.windows import Region
from app.datasets.digits import load_test_digits
from tests.small_models import build_digits, card

CARD = card(build_digits(), pooling="max")
DIGIT = load_test_digits().images[Examples(100).numbers[3]]
SEEN = Examples(100).image(3, CARD)


def draw(region: Region) -> NDArray[np.uint8]:
    """Return a region's levels and alpha: (height, width, 2)."""
    return np.asarray(Image.open(io.BytesIO(draw_patch(SEEN, CARD, region))).convert("LA"))


def test_it_is_the_digit_dark_on_white_cut_to_the_region() -> None:
    shown = draw(Region(8, 10, 15, 20))
    expected = 255 - DIGIT[8:15, 10:20].astype(int)
    assert shown.shape == (7, 10, 2) and (shown[..., 1] == 255).all()
    assert np.abs(shown[..., 0] - expected).max() <= 255 / 31 / 2 + 1


def test_padding_is_transparent_and_a_region_that_is_larger_than_the_input_is_cut_to_it() -> None:
    shown = draw(Region(-2, 26, 3, 31))
    assert shown.shape == (5, 5, 2)
    inside = np.zeros((5, 5), bool)
    inside[2:, :2] = True
    assert np.array_equal(shown[..., 1] == 255, inside)
    assert np.array_equal(draw(Region(-5, -5, 40, 40)), draw(Region(0, 0, 28, 28)))
