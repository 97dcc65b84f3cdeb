"""From a drawing to its ink, and from ink to the digit that MNIST would hold."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

from app.imaging.drawing import MOST_READ, MostRead, NothingDrawn, decode, reduce_to

MAX_SIDE = 1024  # pixels of a picture's longer side, as ink is looked for in it

# Ink must differ from its paper by this much of the way from black to white; less is paper's own noise.
MIN_CONTRAST = 16 / 255

Ink = Image.Image  # in mode L: 0 is paper, 255 the strongest ink


def read_ink(data: bytes, most: MostRead = MOST_READ) -> Ink:
    """The ink in a PNG, JPEG, WebP, GIF or BMP file, whatever its colours.

    Transparency is paper. Whether ink is darker or brighter than paper is decided from the picture itself.

    Returns: a picture in mode L, 0 where paper is, 255 where the strongest ink is. One larger than 1024 pixels a side
    is reduced by a whole factor.
    Raises: InvalidDrawing (not such a file, or a broken one), DrawingTooLarge, NothingDrawn.
    """
    return find_ink(reduce_to(decode(data, most), MAX_SIDE))


def find_ink(picture: Image.Image) -> Ink:
    """What of a picture in mode L, LA, RGB or RGBA is ink, and how strong.

    Returns: a picture in mode L, from 0 (paper) to 255 (the strongest ink).
    Raises: NothingDrawn.
    """
    luminance = picture.convert("L")
    if not picture.mode.endswith("A"):
        return _ink_on_paper(luminance)
    alpha = picture.getchannel("A")
    if _extremes(alpha) == (255, 255):
        return _ink_on_paper(luminance)
    darkest, brightest = _extremes(luminance)
    return _ink_of_one_tone(alpha, darkest) if darkest == brightest else _see_through_ink(luminance, alpha)


def _extremes(channel: Image.Image) -> tuple[int, int]:
    """The lowest and the highest level of a picture of one channel."""
    low, high = channel.getextrema()
    assert isinstance(low, int) and isinstance(high, int)
    return low, high


def _ink_of_one_tone(alpha: Image.Image, tone: int) -> Ink:
    """Ink without paper, such as the pad's: the paper is whatever contrasts with it, and alpha is how strong it is."""
    strongest = _extremes(alpha)[1]
    if strongest * max(tone, 255 - tone) < MIN_CONTRAST * 255**2:
        raise NothingDrawn
    return _stretch(alpha, 0, strongest)


def _see_through_ink(luminance: Image.Image, alpha: Image.Image) -> Ink:
    """The ink of a picture of several tones that is see-through somewhere.

    If it is nearly of one colour, it is ink without paper: the paper is whatever contrasts with it. One of several
    colours, a cut-out photograph say, brings its own paper: what lies around it is cut away, what is see-through inside
    takes the tone that most of it has.
    """
    opaque = np.asarray(alpha) >= 128
    if not opaque.any():  # all of it is faint
        opaque = np.asarray(alpha) > 0
    # Where transparency is all or nothing, the rim of a stroke is blended with a paper that is not there any more.
    inner = _inside(opaque)
    tones = np.asarray(luminance)[inner if inner.any() else opaque]
    if tones.size == 0:
        raise NothingDrawn
    darkest, tone, brightest = (int(level) for level in np.percentile(tones, (5, 50, 95)))
    if brightest - darkest < 64:
        paper = 0 if tone >= 128 else 255
        return _ink(Image.composite(luminance, Image.new("L", luminance.size, paper), alpha), paper)
    filled = Image.composite(luminance, Image.new("L", luminance.size, tone), alpha)
    left, top, right, bottom = _bounds(Image.fromarray(opaque))
    return _ink_on_paper(filled.crop((left, top, right, bottom)), opaque[top:bottom, left:right])


def _ink_on_paper(luminance: Image.Image, opaque: NDArray[np.bool_] | None = None) -> Ink:
    """The ink of a picture in mode L, where paper is what most of the border is, or most of its opaque part."""
    border = _border(np.asarray(luminance))
    if opaque is not None:
        border = border[_border(opaque)]
    paper = _median(border)
    noise = _median(np.abs(border - np.int16(paper)))
    if noise > 0:  # a photograph or a scan: specks would stretch the ink's box
        luminance = luminance.filter(ImageFilter.MedianFilter(3))
    return _ink(luminance, paper, noise)


def _ink(luminance: Image.Image, paper: int, noise: int = 0) -> Ink:
    """How far each pixel of a picture in mode L is from its paper. paper, noise: levels from 0 to 255."""
    low, high = _extremes(luminance)
    if high <= paper or (low < paper and np.asarray(luminance).mean() <= paper):  # more of it is darker than brighter
        luminance, paper, high = ImageChops.invert(luminance), 255 - paper, 255 - low
    contrast = high - paper
    if contrast < MIN_CONTRAST * 255:
        raise NothingDrawn
    floor = paper + min(4 * noise, contrast / 2)
    return _stretch(luminance, floor, high)


def _stretch(picture: Image.Image, paper: float, strongest: int) -> Ink:
    """The ink in a picture in mode L: none up to one level, full strength from another on."""
    if (paper, strongest) == (0, 255):
        return picture
    strengths = (np.arange(256) - paper) / (strongest - paper)
    return picture.point(np.rint(np.clip(strengths, 0, 1) * 255).astype(np.uint8).tolist())


def _median(values: NDArray[Any]) -> int:
    """The middle one; of an even number the higher of two. Several times as fast as NumPy's for a few hundred."""
    middle = values.size // 2
    return int(np.partition(values, middle)[middle])


def _inside(mask: NDArray[np.bool_], margin: int = 2) -> NDArray[np.bool_]:
    """What of a mask lies further than the margin from its edge, along its rows and columns."""
    inner = mask.copy()
    inner[margin:] &= mask[:-margin]
    inner[:-margin] &= mask[margin:]
    inner[:, margin:] &= mask[:, :-margin]
    inner[:, :-margin] &= mask[:, margin:]
    return inner


def _border(array: NDArray[Any]) -> NDArray[Any]:
    """All values along the four edges."""
    return np.concatenate([array[0], array[-1], array[:, 0], array[:, -1]])


def normalise(ink: Ink, field: tuple[int, int] = (28, 28)) -> NDArray[np.uint8]:
    """The digit as MNIST would hold it (LeCun, Cortes and Burges, http://yann.lecun.com/exdb/mnist/).

    The ink's box is scaled, keeping its aspect ratio and anti-aliased, to fit 20 of every 28 pixels of the field,
    and placed so that its centre of mass lies at the field's centre. What this returns, normalised again, stays
    as it is.

    ink: a picture in mode L, 0 is paper. field: height and width of the result.
    Returns: uint8 in the field's shape, 0 is paper, 255 the strongest ink.
    Raises: NothingDrawn where there is no ink at all.
    """
    digit = _fit(ink, max(1, round(min(field) * 20 / 28)))
    placed = np.zeros(field, dtype=np.uint8)
    top, left = (
        # MNIST's own centres of mass lie in the pixel right below the middle: (14, 14) of 28, counted from 0.
        min(max(0, round(size // 2 + 0.5 - centre)), size - length)
        for size, length, centre in zip(field, digit.shape, _centre_of_mass(digit), strict=True)
    )
    placed[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return placed


def _fit(ink: Ink, side: int) -> NDArray[np.uint8]:
    """The ink's box scaled so that its longer side is `side`. A speck that vanishes in scaling is not in the box."""
    left, top, right, bottom = _bounds(ink)
    while True:
        width, height = right - left, bottom - top
        scale = side / max(width, height)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        resampling = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
        # In floating point, since what is left of a hairline is to become the strongest ink again.
        scaled = np.asarray(ink.crop((left, top, right, bottom)).convert("F").resize(size, resampling))
        digit: NDArray[np.uint8] = np.rint(scaled * (255 / scaled.max())).astype(np.uint8)
        kept = _bounds(Image.fromarray(digit))
        if kept == (0, 0, *size):
            return digit
        first, end = _trim(kept[0], kept[2], size[0], width)
        left, right = left + first, left + end
        first, end = _trim(kept[1], kept[3], size[1], height)
        top, bottom = top + first, top + end


def _trim(first: int, end: int, scaled: int, length: int) -> tuple[int, int]:
    """Which part of an axis of this length to keep where, scaled, first to end of it shows: less, if not all shows."""
    before, after = first * length // scaled, (scaled - end) * length // scaled
    return max(before, int(first > 0)), length - max(after, int(end < scaled))


def _bounds(picture: Image.Image) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is not 0. Raises: NothingDrawn where everything is."""
    if (box := picture.getbbox()) is None:
        raise NothingDrawn
    return box


def _centre_of_mass(digit: NDArray[np.uint8]) -> tuple[float, float]:
    """Row and column of the centre of mass, counted from the top left corner, so a lone pixel's is (0.5, 0.5)."""
    mass = digit.sum(dtype=np.int64)
    rows, columns = digit.sum(axis=1, dtype=np.int64), digit.sum(axis=0, dtype=np.int64)
    return (
        float(rows @ np.arange(rows.size)) / float(mass) + 0.5,
        float(columns @ np.arange(columns.size)) / float(mass) + 0.5,
    )
