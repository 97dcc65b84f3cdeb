"""Accuracy against the number of feature maps that a layer keeps."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from ..cnn.edits import Edits
from ..cnn.errors import CannotMute
from ..cnn.kinds import Layer
from ..cnn.network import Network
from ..datasets.digits import Digits, load_training_digits
from ..explore.evaluation import Evaluation
from .chart import Chart, Panel, Point, Series, number_ticks
from .experiment import (
    FEW,
    Conclusion,
    Experiment,
    Fact,
    NotForExperiment,
    Subject,
    Trial,
    Verdict,
    difference,
    standard_error,
    too_weak,
)
from .pictures import SEED
from .rows import Row, Unit, column
from .words import listed, percent

RANKING_DIGITS = 200
MOST_LAYERS, MOST_MAPS = 6, 128
_LEAST = 1e-7  # a probability that is less counts as this one
_IMPORTANT, _RANDOM = "most important first", "at random"


@dataclass(frozen=True)
class MapsRow(Row):
    """One layer with so many of its maps."""

    layer: str = column("Layer", Unit.TEXT)
    order: str = column("Kept", Unit.TEXT)
    kept: int = column("Maps kept", Unit.COUNT)
    maps: int = column("Maps of the layer", Unit.COUNT)
    accuracy: float = column("Accuracy")
    error: float = column("Standard error, points", Unit.DIFFERENCE)
    lost: float = column("Less than with all maps, points", Unit.DIFFERENCE)
    lost_error: float = column("Its standard error, points", Unit.DIFFERENCE)


class Maps(Experiment):
    """Feature maps muted, a layer at a time."""

    name = "maps"
    question = "How many of its feature maps does a layer need?"
    claim = "Each map is one of many views of the picture, and the last layers pick out those that matter."
    method = (
        "In one convolution at a time, only some feature maps are kept. The weights and the bias that make the others "
        "become zero, and so do these maps; nothing is trained again. Maps are kept in the order of their importance, "
        "or in one random order. A map's importance is how much less likely the right classes of "
        f"{RANKING_DIGITS} training digits become when it alone is muted: the mean logarithm of their probability."
    )
    criterion = "It holds for a layer that loses at most one point with the more important half of its maps."
    row = MapsRow

    def check(self, subject: Subject) -> None:
        super().check(subject)
        if not chosen_layers(subject.network):
            raise NotForExperiment(
                f"The model “{subject.network.name}” has no convolution with 2 to {MOST_MAPS} feature maps that zeros "
                "among its weights would mute."
            )

    def count(self, subject: Subject) -> int:
        layers = [_count_maps(layer) for layer in chosen_layers(subject.network)]
        ranking = RANKING_DIGITS * (1 + sum(layers))
        steps = sum(2 * len(_steps(maps)) - 1 for maps in layers)  # without any map, the order does not matter
        return ranking + len(subject.digits) * (1 + steps)

    def measure(self, trial: Trial) -> Sequence[MapsRow]:
        digits = load_training_digits()
        digits = digits.take(np.arange(RANKING_DIGITS) * len(digits) // RANKING_DIGITS)
        ranked, whole = trial.evaluate(digits=digits), trial.evaluate()
        rows: list[MapsRow] = []
        for layer in chosen_layers(trial.network):
            likelihoods = [
                log_likelihood(_mute(trial, layer, {number}, digits)) for number in range(_count_maps(layer))
            ]
            importance = log_likelihood(ranked) - np.array(likelihoods)
            orders = {
                _IMPORTANT: np.argsort(-importance, kind="stable"),
                _RANDOM: np.random.default_rng(SEED).permutation(len(likelihoods)),
            }
            silent = _mute(trial, layer, range(len(likelihoods)))
            for name, order in orders.items():
                found = {0: silent, len(order): whole}
                found |= {kept: _mute(trial, layer, order[kept:].tolist()) for kept in _steps(len(order)) if kept}
                rows += [_row(layer, name, kept, found[kept], whole) for kept in sorted(found)]
        return rows

    def find_facts(self, trial: Trial) -> Sequence[Fact]:
        chosen = chosen_layers(trial.network)
        left_out = [each.name for each in trial.network.layers if each.is_convolution and each not in chosen]
        return (Fact("Convolutions left out", ", ".join(left_out)),) if left_out else ()

    def draw(self, rows: Sequence[MapsRow]) -> Chart:
        panels = []
        for layer in dict.fromkeys(row.layer for row in rows):
            chosen = [row for row in rows if row.layer == layer]
            series = tuple(
                Series(order, tuple(Point(row.kept, row.accuracy, row.error) for row in chosen if row.order == order))
                for order in (_IMPORTANT, _RANDOM)
            )
            maps = chosen[0].maps
            ticks = number_ticks(sorted({0, maps // 4, maps // 2, maps}))
            panels.append(Panel(series, ticks, layer))
        return Chart(tuple(panels), "Maps kept", "Accuracy")

    def conclude(self, network: Network, rows: Sequence[MapsRow], facts: Sequence[Fact]) -> Conclusion:
        whole = next(row.accuracy for row in rows if row.kept == row.maps)
        if weak := too_weak(network, whole):
            return weak
        enough, at_random, halves, silent = [], [], [], []
        for layer in dict.fromkeys(row.layer for row in rows):
            chosen = [row for row in rows if row.layer == layer]
            kept, maps = _enough(chosen, _IMPORTANT), chosen[0].maps
            enough.append(f"{kept} of the {maps} maps of {layer}")
            at_random.append(str(_enough(chosen, _RANDOM)))
            halves.append(2 * kept <= maps)
            silent.append(next(row.accuracy for row in chosen if row.kept == 0))
        verdict = Verdict.HOLDS if all(halves) else Verdict.PARTLY if any(halves) else Verdict.FAILS
        return Conclusion(
            verdict,
            f"“{network.name}” reads {percent(whole)} with all maps. Of the numbers tried, the smallest that lose at "
            f"most one point are {listed(enough)}, the most important ones; in the random order, {listed(at_random)}. "
            f"With a layer's maps all muted, {percent(max(silent))} {'or less ' if len(silent) > 1 else ''}is read.",
        )


def chosen_layers(network: Network) -> list[Layer]:
    """Return the convolutions to mute maps of: those that zeros mute, with few maps; some evenly chosen of many."""
    fitting = [layer for layer in network.layers[:-1] if layer.is_convolution and _can_mute(network, layer)]
    count = len(fitting)
    return fitting if count <= MOST_LAYERS else [fitting[place * count // MOST_LAYERS] for place in range(MOST_LAYERS)]


def _enough(rows: Sequence[MapsRow], order: str) -> int:
    """Return the smallest number of maps from which on, in this order, at most one point is lost."""
    # Few maps may by chance read what more do not.
    tried = [row for row in rows if row.order == order]
    return next(row.kept for row in tried if all(more.lost <= FEW for more in tried if more.kept >= row.kept))


def log_likelihood(evaluation: Evaluation) -> float:
    """Return the mean logarithm of the right classes' probabilities."""
    right = evaluation.probabilities[np.arange(len(evaluation.expected)), evaluation.expected]
    return float(np.log(np.maximum(right, _LEAST)).mean())


def _can_mute(network: Network, layer: Layer) -> bool:
    try:
        layer.mute(network.weights(layer), [])
    except CannotMute:
        return False
    return layer.is_picture and 2 <= _count_maps(layer) <= MOST_MAPS


def _count_maps(layer: Layer) -> int:
    return layer.output_shape[-1] or 0


def _steps(maps: int) -> list[int]:
    """Return how many maps to keep: none, a few, and some eighths of all; never all."""
    return sorted({0, *(few for few in (1, 2, 4) if few < maps), *(part * maps // 8 for part in (1, 2, 3, 4, 6))})


def _mute(trial: Trial, layer: Layer, maps: Collection[int], digits: Digits | None = None) -> Evaluation:
    """Evaluate the trial's network with these maps of a layer muted."""
    network = trial.network.edited(Edits.muting({layer.name: maps}))
    try:
        return trial.evaluate(network=network, digits=digits)
    finally:
        network.engine.close()


def _row(layer: Layer, order: str, kept: int, found: Evaluation, whole: Evaluation) -> MapsRow:
    lost, lost_error = difference(whole.is_right, found.is_right)
    error = standard_error(found.accuracy, len(found.expected))
    return MapsRow(layer.name, order, kept, _count_maps(layer), found.accuracy, error, lost, lost_error)
