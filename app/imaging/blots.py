"""Blots: ink without a shape, such as the dot that a single tap of the pen leaves."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_INKED = 128  # of 255: ink and paper lie on either side
# The ink's area, as a share of the filled ellipse with the same second moments. It is 1 for a disc, 0.95 for a square
# and 0.97 for a short line with round ends, however they are stretched; less for what has a hole, a bend or a branch.
_SOLID_DOT, _SOLID_LINE = 0.92, 0.95  # a dot of few pixels is none too round
# How many times longer than broad. A line that lies is no digit; one that stands may be a 1.
_DOT, _LINE = 1.35, 3.0


def is_blot(levels: NDArray[Any]) -> bool:
    """Return whether a drawing is a dot, a blot or a very short level line: no one could tell what it should be.

    levels: (height, width) from 0 to 255, as normalise() places a drawing. The corners are paper, bright or dark.
    """
    inked = levels >= _INKED
    corners = inked[[0, 0, -1, -1], [0, -1, 0, -1]]
    if corners.all():
        inked = ~inked
    if corners.any() != corners.all() or not inked.any():
        return False
    rows, columns = np.nonzero(inked)
    # A pixel is a square, whose own second moment is a twelfth.
    tall, broad = rows.var() + 1 / 12, columns.var() + 1 / 12
    shared = float(((rows - rows.mean()) * (columns - columns.mean())).mean())
    shortest, longest = np.sqrt(np.linalg.eigvalsh([[tall, shared], [shared, broad]]))
    solidity, elongation = rows.size / (4 * np.pi * shortest * longest), longest / shortest
    is_dot = solidity > _SOLID_DOT and elongation < _DOT
    lies = broad > tall and solidity > _SOLID_LINE and elongation < _LINE
    return bool(is_dot or lies)
