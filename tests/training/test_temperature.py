"""The temperature of a network's answers, on answers whose own is known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from app.training.temperature import cross_entropy, fit_temperature, to_logits

RANDOM = np.random.default_rng(0)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


def draw_classes(shares: NDArray[np.float64]) -> NDArray[np.intp]:
    """One class of each row, drawn by its shares: so these shares are calibrated."""
    return np.asarray((RANDOM.uniform(size=(len(shares), 1)) > shares.cumsum(axis=1)).sum(axis=1))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_it_finds_what_divided_the_logits(temperature: float) -> None:
    logits = RANDOM.normal(scale=3, size=(40_000, 4))
    targets = draw_classes(softmax(logits))
    outputs = softmax(logits * temperature).astype(np.float32)
    assert fit_temperature(outputs, targets) == pytest.approx(temperature, rel=0.03)


def test_a_lone_neuron_answers_with_the_second_of_two_classes() -> None:
    logits = RANDOM.normal(scale=3, size=40_000)
    targets = (RANDOM.uniform(size=logits.size) < 1 / (1 + np.exp(-logits))).astype(np.intp)
    outputs = (1 / (1 + np.exp(-2 * logits)))[:, None].astype(np.float32)
    assert fit_temperature(outputs, targets) == pytest.approx(2, rel=0.03)


def test_no_other_temperature_has_a_lower_cross_entropy() -> None:
    outputs = softmax(RANDOM.normal(scale=2, size=(500, 3))).astype(np.float32)
    targets = draw_classes(outputs**0.5 / (outputs**0.5).sum(axis=1, keepdims=True))
    best = fit_temperature(outputs, targets)
    losses = {t: cross_entropy(to_logits(outputs) / t, targets) for t in (best, best * 0.9, best * 1.1, 1.0)}
    assert min(losses, key=lambda t: losses[t]) == best


def test_cross_entropy_is_the_mean_negative_logarithm_of_what_is_right() -> None:
    logits = np.log([[0.5, 0.5], [0.9, 0.1]])
    assert cross_entropy(logits, np.array([0, 1])) == pytest.approx(-(np.log(0.5) + np.log(0.1)) / 2)


def test_probabilities_that_were_rounded_to_zero_do_no_harm() -> None:
    outputs = np.array([[1, 0], [0, 1], [1, 0]], np.float32)
    assert 0.05 <= fit_temperature(outputs, np.array([0, 1, 1])) <= 20
