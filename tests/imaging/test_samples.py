import io

import numpy as np
import pytest
from PIL import Image

from app.imaging.ink import normalise, read_ink
from app.imaging.samples import FIRST, SAMPLES, draw_sample
from app.imaging.strokes import CANVAS_SIDE


def test_there_is_a_sample_of_each_digit() -> None:
    assert sorted(SAMPLES) == list("0123456789")
    assert FIRST in SAMPLES


@pytest.mark.parametrize("digit", "0123456789")
def test_a_sample_lies_on_the_canvas(digit: str) -> None:
    points = np.array([point for stroke in SAMPLES[digit] for point in stroke])
    assert points.shape[1] == 2
    assert points.min() >= 0
    assert points.max() <= CANVAS_SIDE


@pytest.mark.parametrize("digit", "0123456789")
def test_a_sample_is_a_drawing_that_can_be_read(digit: str) -> None:
    png = draw_sample(digit)
    assert Image.open(io.BytesIO(png)).size == (CANVAS_SIDE, CANVAS_SIDE)
    assert normalise(read_ink(png)).max() == 255


def test_samples_differ_from_each_other() -> None:
    assert len({draw_sample(digit) for digit in SAMPLES}) == 10
