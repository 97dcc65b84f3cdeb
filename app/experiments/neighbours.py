"""What neighbouring cells tell of each other, in digits and in feature maps."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..cnn.kinds import Layer
from ..cnn.network import Network
from ..explore.evaluation import run_on_digit
from .chart import Chart, Kind, Panel, Point, Scale, Series
from .experiment import Conclusion, Experiment, Fact, Subject, Trial, Verdict
from .rows import Row, Unit, column
from .words import listed, number, percent

MOST_LAYERS = 12
_PICTURE = "the picture"
_MUCH = 0.5
_POOLED = "a pooling"


@dataclass(frozen=True)
class NeighboursRow(Row):
    """The cells of one layer's maps, or of the picture that the network sees."""

    layer: str = column("Layer", Unit.TEXT)
    read_by: str = column("Read by", Unit.TEXT)
    size: str = column("Maps", Unit.TEXT)
    across: float | None = column("Correlation, side by side", Unit.NUMBER)
    down: float | None = column("Correlation, one above the other", Unit.NUMBER)
    flat: float | None = column("2×2 windows of four equal values")
    clear: float | None = column("Others whose largest stands clear")


class Neighbours(Experiment):
    """Correlation of neighbours, and how clearly the largest of four wins."""

    name = "neighbours"
    question = "Do neighbouring cells say the same?"
    claim = (
        "What matters is seldom in pixels that touch, so that a pooling may pick one out of four, and the largest is "
        "the one to pick."
    )
    method = (
        "The network runs on each digit as it was trained. In the picture that it sees and in each layer's maps, the "
        "values of neighbouring cells are correlated (Pearson): of each map over all digits and places, and then the "
        "mean of all maps; maps that never change have none. Of each 2×2 window whose values differ, it is asked "
        "whether the largest stands clear: whether it is farther from the second than half of the window's range."
    )
    criterion = (
        f"It holds if neighbours have a correlation of at least {_MUCH}, across and down, in the picture and wherever "
        "a pooling reads; then three of the four tell little that the fourth does not."
    )
    row = NeighboursRow

    def count(self, subject: Subject) -> int:
        return len(subject.digits)

    def measure(self, trial: Trial) -> Sequence[NeighboursRow]:
        network = trial.network
        layers = chosen_layers(network)
        counts: dict[str | None, CellCounts] = {}
        for digit in trial.digits.images:
            forward = run_on_digit(network, digit)
            values = {None: forward.image} | {layer.name: forward.activations[layer.name] for layer in layers}
            for name, maps in values.items():
                if name not in counts:
                    counts[name] = CellCounts(maps.shape)
                counts[name].add(maps)
            trial.advance()
        return [_row(network, name, found) for name, found in counts.items()]

    def draw(self, rows: Sequence[NeighboursRow]) -> Chart:
        ticks = tuple((float(place), row.layer) for place, row in enumerate(rows))
        correlations = (
            Series("side by side", tuple(Point(place, row.across) for place, row in enumerate(rows))),
            Series("one above the other", tuple(Point(place, row.down) for place, row in enumerate(rows))),
        )
        return Chart((Panel(correlations, ticks),), "Layer", "Correlation of neighbours", Kind.BARS, Scale.NUMBER)

    def conclude(self, network: Network, rows: Sequence[NeighboursRow], facts: Sequence[Fact]) -> Conclusion:
        picture, *others = rows
        pooled = [row for row in others if row.read_by == _POOLED]
        asked = [picture, *(pooled or others)]
        holds = [_is_alike(row) for row in asked]
        verdict = Verdict.HOLDS if all(holds) else Verdict.PARTLY if any(holds) else Verdict.FAILS
        said = listed([f"{_mean(row)} in {row.layer}" for row in asked[1:]])
        clear = [row for row in asked if row.clear is not None]
        stands = listed([f"{percent(row.clear or 0)} in {row.layer}" for row in clear])
        where = "where a pooling reads" if pooled else "in the maps"
        maps = f", and {where} {said}" if said else ""
        return Conclusion(
            verdict,
            f"Neighbours in the picture that “{network.name}” sees have a correlation of {_mean(picture)}{maps}. Of "
            f"windows whose four values differ, the largest stands clear in {stands or 'none'}; in the others a second "
            "value comes near it.",
        )


class CellCounts:
    """Sums over maps that come one after the other, from which correlations and shares follow."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        """shape: height, width and channels of the maps."""
        self.shape = shape
        self._pairs = {"across": _Pairs(shape[-1]), "down": _Pairs(shape[-1])}
        self._windows = self._flat = self._clear = 0

    def add(self, maps: NDArray[np.float32]) -> None:
        """Count one picture's maps, (height, width, channels)."""
        values = maps.astype(np.float64)
        self._pairs["across"].add(values[:, :-1], values[:, 1:])
        self._pairs["down"].add(values[:-1], values[1:])
        height, width, channels = values.shape
        rows, columns = height // 2, width // 2
        windows = values[: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2, channels)
        cells = np.sort(windows.transpose(0, 2, 4, 1, 3).reshape(-1, 4), axis=1)
        spread = cells[:, 3] - cells[:, 0]
        self._windows += len(cells)
        self._flat += int((spread == 0).sum())
        self._clear += int(((cells[:, 3] - cells[:, 2] > spread / 2) & (spread > 0)).sum())

    def correlation(self, direction: str) -> float | None:
        """Return the mean over all maps of the correlation of neighbours, across or down; None where none changes."""
        return self._pairs[direction].correlation()

    @property
    def flat(self) -> float | None:
        """The share of 2×2 windows whose values are all equal; None without any window."""
        return self._flat / self._windows if self._windows else None

    @property
    def clear(self) -> float | None:
        """The share of the other windows whose largest value is farther from the second than half of their range."""
        others = self._windows - self._flat
        return self._clear / others if others else None


class _Pairs:
    """Sums over pairs of values, for each map by itself."""

    def __init__(self, channels: int) -> None:
        self._count = 0
        self._sums = np.zeros((5, channels))  # x, y, x², y², xy

    def add(self, first: NDArray[np.float64], second: NDArray[np.float64]) -> None:
        """Add pairs, (height, width, channels) each."""
        x, y = (each.reshape(-1, each.shape[-1]) for each in (first, second))
        self._count += len(x)
        self._sums += [x.sum(0), y.sum(0), (x * x).sum(0), (y * y).sum(0), (x * y).sum(0)]

    def correlation(self) -> float | None:
        if not self._count:
            return None
        x, y, xx, yy, xy = self._sums / self._count
        variances = np.maximum(xx - x * x, 0) * np.maximum(yy - y * y, 0)
        varies = variances > 1e-18 * np.maximum(xx * yy, 1e-300)
        if not varies.any():
            return None
        return float(((xy - x * y)[varies] / np.sqrt(variances[varies])).mean())


def chosen_layers(network: Network) -> list[Layer]:
    """Return the convolutions and poolings with maps, some evenly chosen of many."""
    layers = [layer for layer in network.feature_map_layers if layer.is_picture]
    count = len(layers)
    return layers if count <= MOST_LAYERS else [layers[place * count // MOST_LAYERS] for place in range(MOST_LAYERS)]


def _row(network: Network, name: str | None, found: CellCounts) -> NeighboursRow:
    readers = [layer for layer in network.layers if name in layer.sources]
    read_by = _POOLED if any(layer.is_pooling for layer in readers) else ", ".join(layer.name for layer in readers)
    height, width, channels = found.shape
    return NeighboursRow(
        name or _PICTURE,
        read_by or "nothing",
        f"{channels} of {height}×{width}",
        found.correlation("across"),
        found.correlation("down"),
        found.flat,
        found.clear,
    )


def _is_alike(row: NeighboursRow) -> bool:
    return row.across is not None and row.down is not None and min(row.across, row.down) >= _MUCH


def _mean(row: NeighboursRow) -> str:
    known = [each for each in (row.across, row.down) if each is not None]
    return number(sum(known) / len(known)) if known else "none"
