"""Colour maps, as tables of 256 colours."""

import json
from enum import StrEnum
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.imaging.encoding import encode_palette

# Matplotlib's tables (viridis, magma: Smith and van der Walt, CC0; cividis: Nuñez, Anderton and Renslow, CC0; gray;
# berlin: Crameri, MIT), 256 RGB colours each in hexadecimal.
_TABLES: dict[str, str] = json.loads(Path(__file__).with_name("colormaps.json").read_text(encoding="ascii"))

LEVELS = 255  # colours of a picture; a palette has 256, and one of them is for the gaps


class Colormap(StrEnum):
    """Perceptually uniform colour maps. All are sequential but berlin: diverging, dark at 0, blue below, red above."""

    VIRIDIS = "viridis"
    CIVIDIS = "cividis"
    MAGMA = "magma"
    GRAY = "gray"
    BERLIN = "berlin"

    @property
    def diverging(self) -> bool:
        return self is Colormap.BERLIN


@cache
def colours(colormap: Colormap) -> NDArray[np.uint8]:
    """Return the colour of each level, lowest first: (LEVELS, 3) uint8, RGB."""
    table: NDArray[np.uint8] = np.frombuffer(bytes.fromhex(_TABLES[colormap]), dtype=np.uint8).reshape(256, 3)
    levels: NDArray[np.uint8] = table[np.round(np.linspace(0, 255, LEVELS)).astype(int)]
    return levels


@cache
def legend(colormap: Colormap) -> bytes:
    """Return a PNG of all levels in one row, lowest at the left: LEVELS × 1 pixels."""
    levels = np.arange(LEVELS, dtype=np.uint8)[np.newaxis]
    return encode_palette(levels, colours(colormap).tobytes())
