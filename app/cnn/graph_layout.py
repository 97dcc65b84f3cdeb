"""The way of the data from layer to layer, as lanes beside the list of layers: what `git log --graph` draws."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One layer's part of the picture: a node, and the lines between the row's top edge and its bottom edge.

    A line keeps its lane from the layer that made it to the last one that reads it, so that a lane at the bottom of a
    row is the same line as that lane at the top of the next one.
    """

    lane: int  # where the node is; 0 is the leftmost
    passing: tuple[int, ...]  # lines from top to bottom, for a layer further down
    incoming: tuple[int, ...]  # lines from the top to the node: what this layer reads; one may pass on as well
    is_read: bool  # a line goes from the node to the bottom


def lay_lanes(inputs: Mapping[str, Sequence[str]]) -> tuple[Row, ...]:
    """A row for each layer, in the given order.

    inputs: what each layer reads, by name; layers come after those that they read. A layer takes the leftmost lane of
    those whose line ends with it, else the leftmost that is free.
    """
    last_readers = {name: reader for reader, names in inputs.items() for name in names}
    lines: dict[str, int] = {}  # the lane of each output that is still to be read
    rows = []
    for name, read in inputs.items():
        incoming = tuple(sorted({lines[each] for each in read if each in lines}))
        ending = [each for each in lines if last_readers[each] == name]
        passing = {each: lane for each, lane in lines.items() if each not in ending}
        lane = min((lines[each] for each in ending), default=_first_free(passing.values()))
        is_read = name in last_readers
        rows.append(Row(lane, tuple(sorted(passing.values())), incoming, is_read))
        lines = passing | ({name: lane} if is_read else {})
    return tuple(rows)


def count_lanes(rows: Iterable[Row]) -> int:
    """How many lanes there are side by side."""
    return 1 + max(lane for row in rows for lane in (row.lane, *row.passing, *row.incoming))


def _first_free(taken: Iterable[int]) -> int:
    occupied = set(taken)
    return next(lane for lane in range(len(occupied) + 1) if lane not in occupied)
