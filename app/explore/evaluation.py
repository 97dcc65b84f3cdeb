"""A network's answers to real digits whose labels are known."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from ..cnn.card import Answer, Card
from ..cnn.kinds.activation_functions import shifted_exponentials
from ..cnn.network import ForwardPass, Network
from ..cnn.types import Array, PoolingMode
from ..datasets.digits import Digits
from ..imaging.drawing import NothingDrawn
from ..imaging.encoding import encode_levels
from ..imaging.resize import scale_sheet
from .calibration import BINS, bin_by_confidence, calibration_error
from .forward_passes import paint, preprocess, swap_ink_and_paper, to_seen
from .held import NOTHING, fill_inputs

DIGITS = [str(digit) for digit in range(10)]
PARITY = [["even", "odd"][digit % 2] for digit in range(10)]
_AT_ONCE = 32  # digits between two reports of progress, at which a computation may be asked to wait
_QUICK = 0.005  # seconds that they may take
_SMALLEST = 1e-30  # a probability that float32 has rounded to 0

# Told how many digits are done; what it raises ends the evaluation.
Progress = Callable[[int], None]


class NotForDigits(ValueError):
    """A network's answer or its input is not one of digits, so its answers cannot be right or wrong."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"The model “{name}” cannot be tried on digits: {reason}.")


@dataclass(frozen=True)
class Evaluation:
    """What a network in one pooling mode answered to each of some digits."""

    classes: tuple[str, ...]
    expected: NDArray[np.intp]  # (n,), the index of the right class
    probabilities: NDArray[np.float64]  # (n, classes), each row sums to 1 unless the outputs stand by themselves
    temperature: float = 1.0  # what the logits are divided by for the confidence; 1 where it was not fitted

    @cached_property
    def answers(self) -> NDArray[np.intp]:
        """The index of the likeliest class of each digit, (n,)."""
        return np.asarray(self.probabilities.argmax(axis=1))

    @cached_property
    def confidences(self) -> NDArray[np.float64]:
        """How sure the network is of that class, (n,): its probability at the temperature."""
        if self.temperature == 1:
            return np.asarray(self.probabilities.max(axis=1))
        logits = np.log(np.maximum(self.probabilities, _SMALLEST))
        return np.asarray(1 / np.exp((logits - logits.max(axis=1, keepdims=True)) / self.temperature).sum(axis=1))

    @cached_property
    def is_right(self) -> NDArray[np.bool_]:
        """Whether each digit was read as what it is, (n,)."""
        return np.asarray(self.answers == self.expected)

    @property
    def accuracy(self) -> float:
        """The share of digits that were read as what they are, from 0 to 1."""
        return float(self.is_right.mean())

    @cached_property
    def confusion(self) -> NDArray[np.intp]:
        """How many digits of each class, by row, were read as each class, by column: (classes, classes)."""
        count = len(self.classes)
        return np.bincount(self.expected * count + self.answers, minlength=count**2).reshape(count, count)

    def calibration_error(self, bins: int = BINS) -> float:
        """Return the expected calibration error, from 0 to 1, over bins of equal width (Guo et al. 2017)."""
        return calibration_error(bin_by_confidence(self.confidences, self.is_right, bins))


def evaluate(
    network: Network,
    digits: Digits,
    pooling: PoolingMode | None = None,
    invert: bool = False,
    progress: Progress | None = None,
) -> Evaluation:
    """Run a network on digits. pooling: None is as trained. invert: swap ink and paper before the network.

    digits: their images may be of any number type, from 0 to 255. Raises: NotForDigits, WrongImageSize, RunFailed.
    """
    right_labels(network)  # what has none is not run
    outputs = run_on_digits(network, digits.images, pooling, invert, progress)
    return judge(network, digits, outputs, pooling)


def judge(network: Network, digits: Digits, outputs: Array, pooling: PoolingMode | None = None) -> Evaluation:
    """Compare a network's outputs for digits, (n, outputs), with what they are. Raises: NotForDigits."""
    labels = right_labels(network)
    if not np.isfinite(outputs).all():
        reason = "the edits make its weights overflow" if network.is_edited else "its weights are broken, or overflow"
        raise NotForDigits(network.name, f"its answer is not always a number, since {reason}")
    probabilities = to_probabilities(outputs, network.card.answer)
    classes = tuple(network.card.classes or DIGITS)
    index = np.array([classes.index(label) for label in labels])
    is_as_trained = not network.is_edited and (pooling in (None, network.card.pooling) or not network.pools)
    return Evaluation(classes, index[digits.labels], probabilities, network.card.temperature if is_as_trained else 1.0)


def right_labels(network: Network) -> Sequence[str]:
    """Return the class that a network should name for each digit, 0 to 9. Raises: NotForDigits."""
    card, outputs = network.card, network.layers[-1].output_shape[-1] or 0
    if card.takes_numbers:
        raise NotForDigits(network.name, "it starts from numbers, and nothing is drawn")
    if network.answers_with_picture or card.answer is Answer.VALUES or len(network.layers[-1].output_shape) != 1:
        raise NotForDigits(network.name, "its answer is not one of several classes")
    classes = card.classes or [str(number) for number in range(outputs)]
    if len(classes) == max(outputs, 2):
        for labels in (DIGITS, PARITY):
            if set(labels) <= set(classes):
                return labels
    raise NotForDigits(network.name, "its classes are not the digits 0 to 9. Name them on its card if they are")


def reads_digits(network: Network) -> bool:
    """Whether the network names each digit, so that it can be tried on real ones."""
    try:
        right_labels(network)
    except NotForDigits:
        return False
    return True


def run_on_digits(
    network: Network,
    images: NDArray[np.generic],
    pooling: PoolingMode | None = None,
    invert: bool = False,
    progress: Progress | None = None,
) -> Array:
    """Return a network's outputs for images of digits. images: (n, 28, 28), 0 is paper, 255 the strongest ink.

    Returns: (n, outputs). Raises: RunFailed.
    """
    (outputs,) = run_side_by_side([network], images, pooling, invert, progress)
    return outputs


def run_side_by_side(
    networks: Sequence[Network],
    images: NDArray[np.generic],
    pooling: PoolingMode | None = None,
    invert: bool = False,
    progress: Progress | None = None,
) -> list[Array]:
    """Return what networks of one card answer to images of digits. Each has a core to itself, where there are as many.

    images: (n, 28, 28), 0 is paper, 255 the strongest ink. Returns: (n, outputs) of each. Raises: RunFailed.
    """
    card = networks[0].card
    made = [np.empty((len(images), each.layers[-1].output_shape[-1] or 0), np.float32) for each in networks]

    def answer(network: Network, outputs: Array, inputs: Sequence[Array], start: int) -> None:
        for number, image in enumerate(inputs, start):
            held = fill_inputs(network, NOTHING, image, _prepare_nothing)
            outputs[number] = network.answer(image, pooling, held).ravel()

    start, at_once = 0, 1
    with ThreadPoolExecutor(max(1, len(networks) - 1)) as others:
        while start < len(images):
            began = perf_counter()
            inputs = [to_image(digit, card) for digit in images[start : start + at_once]]
            if invert:
                inputs = [swap_ink_and_paper(image, card) for image in inputs]
            tasks = [others.submit(answer, *each, inputs, start) for each in zip(networks[1:], made[1:], strict=True)]
            answer(networks[0], made[0], inputs, start)
            for task in tasks:
                task.result()
            start += len(inputs)
            # Handing work to a thread pays for several digits at once; a slow network reports after each.
            at_once = min(2 * at_once, _AT_ONCE) if len(networks) > 1 and perf_counter() - began < _QUICK else 1
            if progress is not None:
                progress(start)
    return made


def run_on_digit(
    network: Network, digit: NDArray[np.generic], pooling: PoolingMode | None = None, invert: bool = False
) -> ForwardPass:
    """Run a network on one digit, (28, 28); 0 is paper, 255 the strongest ink. Raises: RunFailed."""
    image = to_image(digit, network.card)
    return run_on_image(network, swap_ink_and_paper(image, network.card) if invert else image, pooling)


def run_on_image(network: Network, image: Array, pooling: PoolingMode | None = None) -> ForwardPass:
    """Run a network on an input of its own, as to_image makes it; other inputs hold what its card says.

    Raises: WrongImageSize, RunFailed.
    """
    return network.run(image, pooling, fill_inputs(network, NOTHING, image, _prepare_nothing))


def to_image(digit: NDArray[np.generic], card: Card) -> Array:
    """Make a network's input of a digit as MNIST has it. digit: (28, 28), 0 is paper, 255 the strongest ink.

    Where the input has another size, the sheet is scaled to its shorter side. Where it may have any size, the digit is
    sent as a drawing.
    Returns: (height, width, channels) float32.
    """
    height, width, _ = card.picture_shape
    if height is None or width is None:
        return _send(digit, card)
    shape = (height, width)
    return to_seen(paint(np.asarray(scale_sheet(digit, shape), np.float32), card), card)


def _send(digit: NDArray[np.generic], card: Card) -> Array:
    """Make a network's input of a digit as of a drawing, black on white."""
    levels = 255 - np.rint(np.asarray(digit, np.float64)).astype(np.uint8)
    try:
        return preprocess(encode_levels(levels), card)
    except NothingDrawn:
        return preprocess(None, card)


def _prepare_nothing(picture: bytes, card: Card) -> Array:
    raise AssertionError("no picture is held")


def to_probabilities(outputs: Array, answer: Answer) -> NDArray[np.float64]:
    """Turn outputs, (n, outputs), into the probability of each class, (n, classes).

    A lone output is the probability, or the logit, of the second of two classes.
    """
    scores = outputs.astype(np.float64)
    if scores.shape[1] == 1:
        second = 1 / (1 + np.exp(-np.clip(scores, -500, 500))) if answer is Answer.LOGITS else scores
        return np.concatenate([1 - second, second], axis=1)
    if answer is not Answer.LOGITS:
        return scores
    exponentials = shifted_exponentials(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))
