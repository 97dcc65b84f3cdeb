"""When an answer is not to be trusted, and why."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..cnn.card import Answer, Card, Fit
from ..cnn.network import ForwardPass, Network
from ..cnn.types import Array

UNKNOWN = "Unlike any digit it was trained on: not to be trusted."
SURE = 0.75  # of a confidence; below it, the second guess is told as well
RELIABLE = 0.9  # share of test digits; a network that reads fewer in a pooling mode is doubted in it

_SMALLEST = 1e-30  # a probability that float32 has rounded to 0


def measure_novelty(network: Network, forward: ForwardPass) -> float | None:
    """Return how unlike all that it was trained on a drawing is to a network: more than 0 is beyond its limit.

    None where it has no detector for the pooling mode, or its activations are no numbers.
    """
    if network.detector is None:
        return None
    novelty = network.detector.score(forward.image, forward.activations, forward.pooling)
    return novelty if math.isfinite(novelty) else None


def measure_confidence(output: Array, card: Card) -> float:
    """Return the likeliest class's share of an answer whose logits are divided by the card's temperature.

    As trained, so many of such answers are right. In another pooling mode the temperature was not fitted, and the share
    only tells how close the second guess is. output: (units,), finite, the shares of one whole or their logits.
    """
    logits = to_logits(output, card.answer)
    return float(1 / np.exp((logits - logits.max()) / card.temperature).sum())


def to_logits(output: Array, answer: Answer) -> NDArray[np.float64]:
    """Return scores whose softmax is a network's answer, (classes,); a lone neuron's are those of two classes."""
    values = output.astype(np.float64)
    if values.size == 1:
        score = (
            values
            if answer is Answer.LOGITS
            else np.log(np.maximum(values, _SMALLEST) / np.maximum(1 - values, _SMALLEST))
        )
        return np.concatenate([np.zeros(1), score])
    return values if answer is Answer.LOGITS else np.log(np.maximum(values, _SMALLEST))


def find_doubt(
    card: Card, pooling: object, novelty: float | None, confidence: float | None, likeliest: Sequence[str]
) -> str | None:
    """Return why an answer is not to be trusted, in a sentence; None where nothing speaks against it.

    pooling: the mode that the network ran in. confidence: of the first of the likeliest classes.
    """
    if card.fit is Fit.DIGIT and (share := _share_read(card, pooling)) is not None and share < RELIABLE:
        mode = "" if pooling in (None, card.pooling) else f"With {pooling} pooling, "
        words = f"{mode}it reads {share * 100:.0f} % of test digits: not to be trusted."
        return words[0].upper() + words[1:]
    if novelty is not None and novelty > 0:
        return UNKNOWN
    if card.fit is Fit.DIGIT and confidence is not None and confidence < SURE and len(likeliest) > 1:
        return f"Not sure: {likeliest[0]} or {likeliest[1]}."
    return None


def _share_read(card: Card, pooling: object) -> float | None:
    """Return the share of test digits that a model reads in this mode, by its card."""
    for mode, share in card.test_accuracy_by_pooling.items():
        if mode == pooling:
            return share
    return card.test_accuracy if pooling == card.pooling else None
