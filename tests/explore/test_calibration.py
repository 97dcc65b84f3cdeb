"""Confidence against accuracy, in bins."""

import numpy as np
import pytest

from app.explore.calibration import bin_by_confidence, calibration_error


def test_each_answer_is_in_the_bin_of_its_confidence() -> None:
    bins = bin_by_confidence(np.array([0.0, 0.49, 0.5, 1.0]), np.array([False, True, True, True]), 2)
    assert [(each.low, each.high, each.count) for each in bins] == [(0, 0.5, 2), (0.5, 1, 2)]
    assert bins[0].confidence == pytest.approx(0.245) and bins[0].accuracy == 0.5
    assert bins[1].confidence == pytest.approx(0.75) and bins[1].accuracy == 1
    assert calibration_error(bins) == pytest.approx(0.5 * 0.255 + 0.5 * 0.25)


def test_an_empty_bin_has_no_confidence_and_what_is_no_probability_goes_to_the_ends() -> None:
    low, middle, high = bin_by_confidence(np.array([-0.5, 7.0]), np.array([True, True]), 3)
    assert (low.count, middle.count, high.count) == (1, 0, 1)
    assert middle.confidence is None and middle.accuracy is None and middle.gap == 0
