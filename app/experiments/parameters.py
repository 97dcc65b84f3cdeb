"""Fully connected layers against convolutions: weights, counted, and what they read."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..cnn.network import Network
from ..explore.evaluation import NotForDigits, right_labels
from ..library.library import UnknownModel
from .chart import Chart, Panel, Point, Scale, Series
from .experiment import Conclusion, Experiment, Fact, NotForExperiment, Subject, Trial, Verdict, standard_error
from .rows import Row, Unit, column
from .words import percent

DENSE, CONVOLUTIONAL = "five-layer-dense", "five-layer-convolutional"
_CLAIMED = (98_500, 45, 5)  # weights of the one, weights and biases of the other
_SIZES = ((28, 28), (600, 800), (1200, 1600))  # height and width of pictures


@dataclass(frozen=True)
class ParametersRow(Row):
    """One design, for pictures of one size."""

    model: str = column("Model", Unit.TEXT)
    picture: str = column("Picture", Unit.TEXT)
    weights: int = column("Weights", Unit.COUNT)
    biases: int = column("Biases", Unit.COUNT)
    reads: str = column("Answers with", Unit.TEXT)
    accuracy: float | None = column("Accuracy")
    error: float | None = column("Standard error, points", Unit.DIFFERENCE)


class Parameters(Experiment):
    """Five fully connected layers against five convolutions."""

    name = "parameters"
    question = "How many weights does a network need?"
    claim = (
        "Five fully connected layers of 100 neurons have 98,500 weights; five convolutions of one 3×3 kernel each "
        "have 45 and 5 biases, whatever the size of the picture."
    )
    method = (
        f"Weights and biases are counted in the layers of the models “{DENSE}” and “{CONVOLUTIONAL}”, and of the model "
        "that is chosen. For a larger picture the first fully connected layer needs as many more weights as there "
        "are pixels more; a convolution needs none. What names classes reads the digits here; what answers with a "
        "picture has no accuracy."
    )
    criterion = "It holds if the counts are these, and those of the convolutions the same at each size."
    row = ParametersRow

    def check(self, subject: Subject) -> None:
        if subject.network.name not in {network.name for network in _find_pair(subject)}:
            right_labels(subject.network)

    def count(self, subject: Subject) -> int:
        return len(subject.digits) * _count_readers(_compared(subject))

    def measure(self, trial: Trial) -> Sequence[ParametersRow]:
        rows = []
        for network in _compared(trial.subject):
            accuracy, error, reads = None, None, "a picture"
            if _count_readers([network]):
                accuracy = trial.evaluate(network=network).accuracy
                error = standard_error(accuracy, len(trial.digits))
                reads = f"{len(set(right_labels(network)))} classes"
            weights = sum(layer.parameters - layer.biases for layer in network.layers)
            biases = sum(layer.biases for layer in network.layers)
            sizes = _SIZES if network.name in (DENSE, CONVOLUTIONAL) else [_own_size(network)]
            for height, width in sizes:
                is_own = (height, width) == _own_size(network)
                more = _more_weights(network, height * width)
                rows.append(
                    ParametersRow(
                        network.name,
                        f"{height}×{width}",
                        weights + more,
                        biases,
                        reads,
                        accuracy if is_own else None,
                        error if is_own else None,
                    )
                )
        return rows

    def draw(self, rows: Sequence[ParametersRow]) -> Chart:
        pictures = list(dict.fromkeys(row.picture for row in rows))
        series = tuple(
            Series(
                model,
                tuple(Point(pictures.index(row.picture), float(row.weights)) for row in rows if row.model == model),
            )
            for model in dict.fromkeys(row.model for row in rows)
        )
        ticks = tuple((float(place), name) for place, name in enumerate(pictures))
        return Chart((Panel(series, ticks),), "Picture, height × width", "Weights", scale=Scale.LOGARITHMIC)

    def conclude(self, network: Network, rows: Sequence[ParametersRow], facts: Sequence[Fact]) -> Conclusion:
        dense = [row for row in rows if row.model == DENSE]
        convolutional = [row for row in rows if row.model == CONVOLUTIONAL]
        small, large, kernels = dense[0], dense[-1], convolutional[0]
        is_same = len({(row.weights, row.biases) for row in convolutional}) == 1
        agrees = (small.weights, kernels.weights, kernels.biases) == _CLAIMED and is_same
        reads = (
            f", which read {percent(small.accuracy)} of the digits as {small.reads.split()[0]} classes"
            if (small.accuracy is not None)
            else ""
        )
        others = [row for row in rows if row.model not in (DENSE, CONVOLUTIONAL) and row.accuracy is not None]
        chosen = (
            f" “{others[0].model}” has {others[0].weights:,}, and reads {percent(others[0].accuracy or 0)} as "
            f"{others[0].reads}."
            if others
            else ""
        )
        return Conclusion(
            Verdict.HOLDS if agrees else Verdict.FAILS,
            f"Counted: {small.weights:,} weights fully connected{reads}, and {kernels.weights:,} weights and "
            f"{kernels.biases:,} biases in the convolutions, {round(small.weights / kernels.weights):,} times fewer. "
            f"At {large.picture} pixels the first would be {large.weights:,} and the convolutions still "
            f"{convolutional[-1].weights:,}. They do not do the same: the convolutions answer with a picture, so they "
            f"have no accuracy.{chosen}",
        )


def _find_pair(subject: Subject) -> list[Network]:
    """Return the two networks of five layers. Raises: NotForExperiment, ModelError."""
    try:
        return [subject.library.network(name) for name in (DENSE, CONVOLUTIONAL)]
    except UnknownModel as error:
        raise NotForExperiment(
            f"The models “{DENSE}” and “{CONVOLUTIONAL}” came with Layerglass, and are not there. {error}"
        ) from error


def _compared(subject: Subject) -> list[Network]:
    pair = _find_pair(subject)
    return pair if subject.network.name in (DENSE, CONVOLUTIONAL) else [*pair, subject.network]


def _count_readers(networks: Sequence[Network]) -> int:
    """Return how many of these networks read digits."""
    count = 0
    for network in networks:
        try:
            right_labels(network)
            count += 1
        except NotForDigits:
            pass
    return count


def _own_size(network: Network) -> tuple[int, int]:
    height, width, _ = network.card.input_shape
    return height or _SIZES[0][0], width or _SIZES[0][1]


def _more_weights(network: Network, pixels: int) -> int:
    """Return how many more weights the design has for a picture of so many pixels: those of its first dense layer."""
    height, width = _own_size(network)
    first = next((layer for layer in network.layers if layer.parameters), None)
    if first is None or first.is_convolution:
        return 0
    units = first.output_shape[-1] or 0
    return units * (pixels - height * width)
