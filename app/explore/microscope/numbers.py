"""Numbers in the colours that they have in their pictures."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...imaging.colormap import Colormap, Scale, colours, quantise

_HUGE = 1e38  # stands for infinity when a value is given a colour


@dataclass(frozen=True)
class ColouredNumber:
    """A value with the colour that it has in its picture. NaN is padding that does not count."""

    value: float
    fill: str  # #rrggbb
    ink: str  # black or white, whichever is more legible on it


def colour_numbers(
    values: NDArray[np.float64], ends: tuple[float, float], colormap: Colormap
) -> list[list[ColouredNumber]]:
    """Give values, (rows, columns), the colours that they have on a scale with these ends."""
    if values.size == 0:  # no input reaches this cell
        return []
    finite = np.nan_to_num(values, posinf=_HUGE, neginf=-_HUGE).astype(np.float32)
    levels, _, _ = quantise(
        np.append(finite.ravel(), np.array(ends, dtype=np.float32))[:, None, None], colormap, Scale.LAYER
    )
    table = colours(colormap)[levels.ravel()[:-2]]
    return [
        [
            ColouredNumber(float(value), "#" + bytes(colour).hex(), _readable_ink(colour))
            for value, colour in zip(row, line, strict=True)
        ]
        for row, line in zip(values, table.reshape(*values.shape, 3), strict=True)
    ]


def _readable_ink(colour: NDArray[np.uint8]) -> str:
    """Choose black or white by the background's luma (ITU-R BT.601)."""
    red, green, blue = (int(part) for part in colour)
    return "#000000" if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else "#ffffff"
