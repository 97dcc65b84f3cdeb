"""Pictures to find the outline of, and the outline that a network should find."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image

from app.training.mnist import SIDE, Digits

PATCH = 40  # pixels a side: a kernel sees 3, five of them see 11

# From MNIST's own size to that of a large canvas. A thin line is the hardest, so many stay at their own size.
_SCALES = (1.0, 10.0)
_AT_OWN_SIZE = 0.3

Patch = NDArray[np.float32]  # (PATCH, PATCH), 0 is paper, 1 the strongest ink


def outline(images: Any) -> Any:
    """The morphological gradient: dilation minus erosion, both 3 by 3.

    images: (n, height, width, 1) from 0 to 1. Returns: as images; 1 wherever ink meets paper, 0 inside and outside.
    """
    dilated = tf.nn.max_pool2d(images, 3, 1, "SAME")
    eroded = -tf.nn.max_pool2d(-images, 3, 1, "SAME")
    return dilated - eroded


def draw_patches(digits: Digits, count: int, seed: int) -> NDArray[np.float32]:
    """Random parts of digits at random scales. Returns: (count, PATCH, PATCH, 1) from 0 to 1."""
    rng = np.random.default_rng(seed)
    chosen = rng.integers(len(digits), size=count)
    return np.stack([_cut(_enlarge(digits.images[index], rng), rng) for index in chosen])[..., None]


def _enlarge(image: NDArray[np.uint8], rng: np.random.Generator) -> Patch:
    """The digit at a random scale, its edge as sharp as a pen's on a canvas: one pixel wide."""
    scale = 1.0 if rng.uniform() < _AT_OWN_SIZE else float(np.exp(rng.uniform(*np.log(_SCALES))))
    side = round(SIDE * scale)
    larger = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
    ink = np.asarray(larger, dtype=np.float32) / np.float32(255)
    if scale > 1.5:
        ink = np.clip((ink - 0.5) * scale + 0.5, 0, 1).astype(np.float32)
    return ink


def _cut(ink: Patch, rng: np.random.Generator) -> Patch:
    """A part of the picture, with some ink at or near its middle."""
    rows, columns = np.nonzero(ink > 0.5) if (ink > 0.5).any() else np.nonzero(ink >= 0)
    chosen = rng.integers(len(rows))
    top, left = (int(at[chosen] + rng.integers(-PATCH // 3, PATCH // 3)) for at in (rows, columns))
    padded = np.pad(ink, PATCH)
    top, left = top + PATCH // 2, left + PATCH // 2
    return padded[top : top + PATCH, left : left + PATCH]
