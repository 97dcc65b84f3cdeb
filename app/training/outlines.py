"""Training patches for the outline network, and their outlines as its targets."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image

from app.training.mnist import SIDE, Digits

PATCH = 40  # pixels a side; the receptive field of five 3×3 kernels has 11

# From MNIST's size to that of a large canvas. Thin lines are the hardest, so a share is left at its own size.
_SCALES = (1.0, 10.0)
_UNSCALED = 0.3

Patch = NDArray[np.float32]  # (PATCH, PATCH), 0 is paper, 1 the strongest ink


def outline(images: Any) -> Any:
    """Return the morphological gradient: 3×3 dilation minus 3×3 erosion.

    images: (n, height, width, 1) from 0 to 1. Returns: the same shape; 1 where ink meets paper, 0 inside and outside.
    """
    dilated = tf.nn.max_pool2d(images, 3, 1, "SAME")
    eroded = -tf.nn.max_pool2d(-images, 3, 1, "SAME")
    return dilated - eroded


def draw_patches(digits: Digits, count: int, seed: int) -> NDArray[np.float32]:
    """Cut random patches of digits at random scales. Returns: (count, PATCH, PATCH, 1) from 0 to 1."""
    rng = np.random.default_rng(seed)
    chosen = rng.integers(len(digits), size=count)
    return np.stack([_cut(_enlarge(digits.images[index], rng), rng) for index in chosen])[..., None]


def _enlarge(image: NDArray[np.uint8], rng: np.random.Generator) -> Patch:
    """Enlarge a digit by a random scale, with an edge as sharp as a pen's on a canvas: one pixel wide."""
    scale = 1.0 if rng.uniform() < _UNSCALED else float(np.exp(rng.uniform(*np.log(_SCALES))))
    side = round(SIDE * scale)
    larger = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
    ink = np.asarray(larger, dtype=np.float32) / np.float32(255)
    if scale > 1.5:
        ink = np.clip((ink - 0.5) * scale + 0.5, 0, 1).astype(np.float32)
    return ink


def _cut(ink: Patch, rng: np.random.Generator) -> Patch:
    """Cut a patch with some ink at or near its middle."""
    rows, columns = np.nonzero(ink > 0.5) if (ink > 0.5).any() else np.nonzero(ink >= 0)
    chosen = rng.integers(len(rows))
    top, left = (int(at[chosen] + rng.integers(-PATCH // 3, PATCH // 3)) for at in (rows, columns))
    padded = np.pad(ink, PATCH)
    top, left = top + PATCH // 2, left + PATCH // 2
    return padded[top : top + PATCH, left : left + PATCH]
