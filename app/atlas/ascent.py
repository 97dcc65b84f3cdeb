"""Gradient ascent on an image, with penalties that keep it from becoming noise which no camera or pen would make.

Without them an image reaches any value by high frequencies that mean nothing to anybody (Olah, Mordvintsev and
Schubert, "Feature Visualization", Distill, 2017). Two things are asked of it here: that its frequencies be as in
pictures, by gradients in a basis where low frequencies count for more (the same) and by its total variation (Mahendran
and Vedaldi, "Understanding Deep Image Representations by Inverting Them", 2015); and that it keep its value when it is
moved by a pixel or a few, by another random shift in each step (Mordvintsev, Olah and Tyka, "Inceptionism", 2015).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..cnn.card import Card, Ink
from ..cnn.network import ForwardPass
from ..cnn.preprocessing import colour_channels, to_level_gradient, to_values
from ..cnn.types import Array
from .goals import Goal

FEWEST_STEPS, USUAL_STEPS, MOST_STEPS = 1, 128, 512
LARGEST_SHIFT = 16  # pixels
_WHITE = 255.0
_STEP = 0.05 * _WHITE  # by which the levels change in the first step, root mean square; later ones get shorter
_NOISE = 0.04 * _WHITE  # standard deviation, of the image that is begun with
_SEES_A_SHIFT = 8  # pixels along a side of a receptive field, for each by which the image is moved
_SMOOTHED = 1e-3  # of a white pixel, added to differences so that their absolute value has a slope at zero

Levels = NDArray[np.float64]  # (height, width, channels), of the network's input, 0 to 255
Run = Callable[[Array], ForwardPass]
Report = Callable[[int], None]


@dataclass(frozen=True)
class Penalties:
    """What keeps an image from being noise."""

    smoothness: float = 0.1  # weight of the gradient of its total variation, beside the goal's of root mean square 1
    low_frequencies: bool = True  # whether they count for more
    shift: int = 2  # pixels by which the image is moved in a step, at most, along each side


NO_PENALTIES = Penalties(0, False, 0)


@dataclass(frozen=True)
class Ascent:
    """An image on its way up."""

    goal: Goal
    card: Card
    run: Run  # the network on an image
    sight: int  # pixels along a side of what the goal depends on, its receptive field
    penalties: Penalties = field(default_factory=Penalties)
    steps: int = USUAL_STEPS
    seed: int = 0

    def climb(self, start: Levels, report: Report | None = None) -> Levels:
        """Return the levels after all steps. start: those that are begun with. Raises: NoGradient, RunFailed.

        Levels stay from 0 to 255, and so the image within the value range of its card. Alpha stays as it is.
        """
        rng = np.random.default_rng(self.seed)
        levels = start.copy()
        for step in range(self.steps):
            direction = self.find_direction(levels, rng)
            if not direction.any():  # nothing to climb, as where all of ReLU's cells are off: look elsewhere
                direction = rng.standard_normal(levels.shape)
            length = _STEP * (1 - step / self.steps)
            colours = colour_channels(levels.shape[2])
            levels[..., :colours] += length * _unit(direction)[..., :colours]
            np.clip(levels, 0, _WHITE, out=levels)
            if report is not None:
                report(step + 1)
        return levels

    def find_direction(self, levels: Levels, rng: np.random.Generator) -> Levels:
        """Return where the levels are to go: (height, width, channels), of root mean square 1 before the penalty."""
        # What sees a few pixels alone is no other feature for being moved by one.
        shift = _choose_shift(min(self.penalties.shift, self.sight // _SEES_A_SHIFT), rng)
        forward = self.run(to_values(_move(levels, shift), self.card))
        gradient = to_level_gradient(self.goal.gradient(forward).astype(np.float64), self.card)
        forward.release_pages()
        np.nan_to_num(gradient, copy=False, posinf=0, neginf=0)
        gradient = _move(gradient, (-shift[0], -shift[1]))
        if self.penalties.low_frequencies:
            gradient = _favour_low_frequencies(gradient, self.sight)
        if not gradient.any():
            return gradient
        if not self.penalties.smoothness:
            return _unit(gradient)
        return _unit(gradient) - self.penalties.smoothness * total_variation_gradient(levels / _WHITE)


def make_start(shape: tuple[int, ...], card: Card, seed: int) -> Levels:
    """Return the levels of an image to begin with: paper, or grey where no ink is looked for, and faint noise."""
    rng = np.random.default_rng(seed)
    paper = (0.0 if card.ink is Ink.BRIGHT else _WHITE) if card.finds_ink else _WHITE / 2
    levels = np.full(shape, _WHITE)
    colours = colour_channels(shape[2])
    noise = rng.standard_normal((*shape[:2], colours)) * _NOISE
    levels[..., :colours] = paper + (np.abs(noise) * (1 if paper < _WHITE else -1) if card.finds_ink else noise)
    return levels


def total_variation_gradient(values: Levels) -> Levels:
    """Return the gradient of the sum of smoothed absolute differences of neighbours, sqrt(d² + ε²), for each value."""
    gradient = np.zeros_like(values)
    for axis in (0, 1):
        differences = np.diff(values, axis=axis)
        slopes = differences / np.sqrt(differences**2 + _SMOOTHED)
        before, after = [slice(None)] * 3, [slice(None)] * 3
        before[axis], after[axis] = slice(None, -1), slice(1, None)
        gradient[tuple(before)] -= slopes
        gradient[tuple(after)] += slopes
    return gradient


def _favour_low_frequencies(gradient: Levels, sight: int) -> Levels:
    """Divide each part of a gradient by its frequency, as amplitudes fall in pictures.

    sight: pixels. What is longer than these counts as if it were as long.
    """
    height, width = gradient.shape[:2]
    frequencies = np.hypot(np.fft.fftfreq(height)[:, np.newaxis], np.fft.rfftfreq(width))
    scale = 1 / np.maximum(frequencies, 1 / sight)
    spectrum = np.fft.rfft2(gradient, axes=(0, 1)) * scale[..., np.newaxis]
    return np.asarray(np.fft.irfft2(spectrum, s=(height, width), axes=(0, 1)))


def _choose_shift(most: int, rng: np.random.Generator) -> tuple[int, int]:
    """Return the rows and columns by which the image is moved, so many at most."""
    if not most:
        return 0, 0
    down, right = rng.integers(-most, most + 1, 2).tolist()
    return down, right


def _move(levels: Levels, shift: tuple[int, int]) -> Levels:
    """Move a picture down and to the right; what comes in is as at its edges."""
    if shift == (0, 0):
        return levels
    rows, columns = (
        np.clip(np.arange(side) - by, 0, side - 1) for side, by in zip(levels.shape[:2], shift, strict=True)
    )
    return np.asarray(levels[rows[:, np.newaxis], columns])


def _unit(direction: Levels) -> Levels:
    """Return it with a root mean square of 1."""
    size = float(np.sqrt(np.mean(direction**2)))
    return direction / size if size else direction
