"""Blots: ink without a shape, such as the dot that a single tap of the pen leaves."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

_INKED = 128  # of 255: ink and paper lie on either side
# The ink's area, as a share of the filled ellipse with the same second moments. It is 1 for a disc, 0.95 for a square
# and 0.97 for a short line with round ends, however they are stretched; less for what has a hole, a bend or a branch.
_SOLID_DOT, _SOLID_LINE = 0.92, 0.95  # a dot of few pixels is none too round
# How many times longer than broad. A line that lies is no digit; one that stands may be a 1.
_DOT, _LINE = 1.35, 3.0
_SPARSE = 0.4  # of its bounding box; a slanted line of that length fills half of its own


def is_blot(levels: NDArray[Any]) -> bool:
    """Return whether a drawing is a dot, a blot or a very short level line: no one could tell what it should be.

    levels: (height, width) from 0 to 255, as normalise() places a drawing. The corners are paper, bright or dark.
    """
    inked = levels >= _INKED
    corners = int(inked[0, 0]) + int(inked[0, -1]) + int(inked[-1, 0]) + int(inked[-1, -1])
    if corners == 4:
        inked = ~inked
    if corners not in {0, 4}:
        return False
    in_rows, in_columns = inked.sum(1), inked.sum(0)
    area, box = int(in_rows.sum()), np.count_nonzero(in_rows) * np.count_nonzero(in_columns)
    if area <= _SPARSE * box:  # as most digits are; this is asked at every move of the pen
        return False
    down, across = np.arange(len(in_rows)), np.arange(len(in_columns))
    down, across = down - (down @ in_rows) / area, across - (across @ in_columns) / area
    # A pixel is a square, whose own second moment is a twelfth.
    tall, broad = float(down**2 @ in_rows) / area + 1 / 12, float(across**2 @ in_columns) / area + 1 / 12
    shared = float(down @ inked @ across) / area
    # The eigenvalues of the moments' matrix lie that far from their mean.
    mean, spread = (tall + broad) / 2, math.hypot((tall - broad) / 2, shared)
    shortest, longest = math.sqrt(max(1 / 12, mean - spread)), math.sqrt(mean + spread)
    solidity, elongation = area / (4 * math.pi * shortest * longest), longest / shortest
    is_dot = solidity > _SOLID_DOT and elongation < _DOT
    lies = broad > tall and solidity > _SOLID_LINE and elongation < _LINE
    return bool(is_dot or lies)
