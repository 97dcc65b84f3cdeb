"""Drawings to their ink, and ink to a digit as MNIST has it."""

from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

from .digits import find_digits
from .drawing import DEFAULT_LIMITS, Box, DrawingLimits, NothingDrawn, crop, decode
from .frames import remove_frames
from .photograph import find_digit_ink
from .resize import scale_sheet

MAX_SIDE = 1024  # pixels; a larger picture is reduced before its ink is looked for

# The least difference of ink from its paper, where black and white differ by 1; less is the paper's noise.
MIN_CONTRAST = 16 / 255

# A drawing's border is paper, but for ink that reaches it in a few places. A photograph's paper has noise.
_SAME_PAPER = 2  # levels by which paper may differ from itself
_MOST_INK_ON_BORDER, _MOST_CROSSINGS = 0.1, 8
_LEAST_PAPER = 0.2  # of a drawing's pixels
_SAMPLED = 64  # of them, along each side

MNIST_SIDE = 28  # pixels of a digit's picture in MNIST
_MNIST_BOX = (19, 20)  # of the longer side of its ink's bounding box
_MNIST_STRONGEST = 254  # the least that its strongest pixel may be

InkImage = Image.Image  # in mode L: 0 is paper, 255 the strongest ink


def read_ink(data: bytes, limits: DrawingLimits = DEFAULT_LIMITS, region: Box | None = None) -> InkImage:
    """Find the ink in a picture file, or in a region of its picture, whatever its colours.

    Transparency is paper. The picture itself decides whether ink is darker or brighter than paper.

    Returns: a picture in mode L, from 0 (paper) to 255 (the strongest ink). One with a side of more than MAX_SIDE
    pixels is reduced by a whole factor.
    Raises: InvalidDrawing (another format, or a broken file), DrawingTooLarge, InvalidRegion,
    NothingDrawn.
    """
    return find_ink(_reduce(decode(data, limits, region))[0])


class Writing(NamedTuple):
    """The ink of one digit, and where each digit is if the picture holds several of them."""

    ink: InkImage
    boxes: tuple[Box, ...]  # in pixels of the picture, from left to right; empty for one digit


def read_digit(data: bytes, limits: DrawingLimits = DEFAULT_LIMITS, region: Box | None = None) -> Writing:
    """Find the ink of a digit in a picture file: of the leftmost one, if there are several side by side.

    region: the part of the picture to look at. The box of one of several digits gives the ink of that one alone,
    without what reaches into its box.
    Raises: InvalidDrawing (another format, or a broken file), DrawingTooLarge, InvalidRegion, NothingDrawn.
    """
    picture = decode(data, limits)
    if region is None:
        return _find_writing(picture)
    part = crop(picture, region)
    with suppress(NothingDrawn):
        digits = _find_digits(picture)[1]
        if region in digits:
            return Writing(digits[region], tuple(digits))
    ink, boxes = _find_writing(part)
    left, top = region[:2]
    return Writing(ink, tuple(Box(a + left, b + top, c + left, d + top) for a, b, c, d in boxes))


def _find_writing(picture: Image.Image) -> Writing:
    """Find the ink of the leftmost digit. Raises: NothingDrawn."""
    if (digit := _read_mnist(picture)) is not None:
        return Writing(digit, ())
    ink, digits = _find_digits(picture)
    return Writing(next(iter(digits.values())) if digits else ink, tuple(digits))


def _read_mnist(picture: Image.Image) -> InkImage | None:
    """Return the ink of a picture that shows a digit just as MNIST has it, on black or on white; None of any other."""
    if picture.size != (MNIST_SIDE, MNIST_SIDE):
        return None
    if picture.mode.endswith("A") and _extremes(picture.getchannel("A")) != (255, 255):
        return None
    luminance = picture.convert("L")
    ink = luminance if luminance.getpixel((0, 0)) == 0 else ImageChops.invert(luminance)
    return ink if is_as_in_mnist(ink) else None


def is_as_in_mnist(ink: InkImage) -> bool:
    """Return whether ink is scaled and centred to the pixel as MNIST's digits are, so that nothing is to be changed."""
    if ink.size != (MNIST_SIDE, MNIST_SIDE) or _extremes(ink)[1] < _MNIST_STRONGEST:
        return False
    levels = np.asarray(ink)
    if levels[:: MNIST_SIDE - 1, :: MNIST_SIDE - 1].any():  # the corners
        return False
    left, top, right, bottom = _bounds(ink)
    is_centred = all(
        side // 2 <= centre < side // 2 + 1 for side, centre in zip(ink.size, _centre_of_mass(levels), strict=True)
    )
    return is_centred and max(right - left, bottom - top) in _MNIST_BOX


def _find_digits(picture: Image.Image) -> tuple[InkImage, dict[Box, InkImage]]:
    """Find the ink of a picture, and that of each digit by its box, if there are several. Raises: NothingDrawn."""
    reduced, factor = _reduce(picture)
    ink = find_ink(reduced)
    if ink.size != reduced.size:  # a cut-out photograph
        return ink, {}
    return ink, {_enlarge(digit.box, factor, picture.size): digit.ink for digit in find_digits(ink)}


def _reduce(picture: Image.Image) -> tuple[Image.Image, int]:
    """Reduce a large picture by a whole factor, and return it with the factor."""
    factor = -(-max(picture.size) // MAX_SIDE)
    return (picture.reduce(factor) if factor > 1 else picture), factor


def _enlarge(box: Box, factor: int, size: tuple[int, int]) -> Box:
    """Return the box in a picture of this size, of which a reduced one was made."""
    width, height = size
    return Box(box.left * factor, box.top * factor, min(width, box.right * factor), min(height, box.bottom * factor))


def find_ink(picture: Image.Image) -> InkImage:
    """Find the ink of a picture in mode L, LA, RGB or RGBA.

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
    return _ink_of_one_tone(alpha, darkest) if darkest == brightest else _transparent_ink(luminance, alpha)


def _extremes(channel: Image.Image) -> tuple[int, int]:
    """Return the lowest and the highest level of a picture of one channel."""
    low, high = channel.getextrema()
    assert isinstance(low, int) and isinstance(high, int)
    return low, high


def _ink_of_one_tone(alpha: Image.Image, tone: int) -> InkImage:
    """Take the alpha of a picture of one tone, such as the page's canvas, as ink: the paper contrasts with the tone."""
    strongest = _extremes(alpha)[1]
    if strongest * max(tone, 255 - tone) < MIN_CONTRAST * 255**2:
        raise NothingDrawn
    return _stretch(alpha, 0, strongest)


def _transparent_ink(luminance: Image.Image, alpha: Image.Image) -> InkImage:
    """Find the ink of a picture of several tones that is partly transparent.

    If its tones are nearly the same, it is ink without paper: the paper is what contrasts with it. If not, as in a
    cut-out photograph, it brings its own paper: the transparent surroundings are cropped, and holes are filled with the
    median tone.
    """
    opaque = np.asarray(alpha) >= 128
    if not opaque.any():  # everything is faint
        opaque = np.asarray(alpha) > 0
    # Where alpha is all or nothing, the rim of a stroke is still blended with a paper that is gone.
    inner = _erode(opaque)
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


def _ink_on_paper(luminance: Image.Image, opaque: NDArray[np.bool_] | None = None) -> InkImage:
    """Find the ink of a picture in mode L, whose paper is the median of its border, or of the border's opaque part."""
    border = _border(np.asarray(luminance))
    if opaque is not None:
        border = border[_border(opaque)]
    paper = _median(border)
    noise = _median(np.abs(border - np.int16(paper)))
    if opaque is None and not _is_plain(luminance, border, paper) and _has_contrast(luminance):
        found = find_digit_ink(luminance)
        if found is not None:
            return found
    if noise > 0:  # a photograph or a scan, whose specks would widen the ink's bounding box
        luminance = luminance.filter(ImageFilter.MedianFilter(3))
    return remove_frames(_ink(luminance, paper, noise))


def _is_plain(luminance: Image.Image, border: NDArray[Any], paper: int) -> bool:
    """Return whether a picture is ink on one paper and nothing else, by its border, which ink may reach."""
    is_ink = np.abs(border - np.int16(paper)) > _SAME_PAPER
    crossings = np.count_nonzero(is_ink[1:] != is_ink[:-1])
    if is_ink.mean() > _MOST_INK_ON_BORDER or crossings > _MOST_CROSSINGS:
        return False
    # Of a window, the border may be another tone than all within. Some of the pixels tell.
    levels = luminance.resize((_SAMPLED, _SAMPLED), Image.Resampling.NEAREST).histogram()
    same = sum(levels[max(0, paper - _SAME_PAPER) : paper + _SAME_PAPER + 1])
    return same > _LEAST_PAPER * sum(levels)


def _has_contrast(luminance: Image.Image) -> bool:
    low, high = _extremes(luminance)
    return high - low >= MIN_CONTRAST * 255


def _ink(luminance: Image.Image, paper: int, noise: int = 0) -> InkImage:
    """Return how far each pixel of a picture in mode L is from its paper. paper, noise: levels from 0 to 255."""
    low, high = _extremes(luminance)
    if high <= paper or (low < paper and np.asarray(luminance).mean() <= paper):  # more of it is darker than brighter
        luminance, paper, high = ImageChops.invert(luminance), 255 - paper, 255 - low
    contrast = high - paper
    if contrast < MIN_CONTRAST * 255:
        raise NothingDrawn
    floor = paper + min(4 * noise, contrast / 2)
    return _stretch(luminance, floor, high)


def _stretch(picture: Image.Image, paper: float, strongest: int) -> InkImage:
    """Map levels up to paper to 0, and those from strongest on to 255; between them linearly."""
    if (paper, strongest) == (0, 255):
        return picture
    strengths = (np.arange(256) - paper) / (strongest - paper)
    return picture.point(np.rint(np.clip(strengths, 0, 1) * 255).astype(np.uint8).tolist())


def _median(values: NDArray[Any]) -> int:
    """Return the median, the higher one of an even number. Several times as fast as np.median for a few hundred."""
    middle = values.size // 2
    return int(np.partition(values, middle)[middle])


def _erode(mask: NDArray[np.bool_], margin: int = 2) -> NDArray[np.bool_]:
    """Keep the part of a mask that lies further than the margin from its edge, along rows and columns."""
    inner = mask.copy()
    inner[margin:] &= mask[:-margin]
    inner[:-margin] &= mask[margin:]
    inner[:, margin:] &= mask[:, :-margin]
    inner[:, :-margin] &= mask[:, margin:]
    return inner


def _border(array: NDArray[Any]) -> NDArray[Any]:
    """Return all values along the four edges."""
    return np.concatenate([array[0], array[-1], array[:, 0], array[:, -1]])


def normalise(ink: InkImage, shape: tuple[int, int] = (28, 28)) -> NDArray[np.uint8]:
    """Scale and centre a digit as in MNIST (LeCun, Cortes and Burges, http://yann.lecun.com/exdb/mnist/).

    The ink's bounding box is scaled, keeping its aspect ratio and anti-aliased, to fit 20 of every 28 pixels, and
    placed so that its centre of mass lies at the centre. Normalising the result again does not change it. Nor is a
    digit of MNIST changed, whose boxes and strongest pixels differ a little.

    ink: a picture in mode L, 0 is paper. shape: height and width of the result.
    Returns: uint8 of this shape, 0 is paper, 255 the strongest ink.
    Raises: NothingDrawn if there is no ink at all.
    """
    if is_as_in_mnist(ink):
        return scale_sheet(np.asarray(ink), shape)
    digit = _fit(ink, max(1, round(min(shape) * 20 / 28)))
    placed = np.zeros(shape, dtype=np.uint8)
    top, left = (
        # MNIST's own centres of mass lie in the pixel right below the middle: (14, 14) of 28, counted from 0.
        min(max(0, round(size // 2 + 0.5 - centre)), size - length)
        for size, length, centre in zip(shape, digit.shape, _centre_of_mass(digit), strict=True)
    )
    placed[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return placed


def _fit(ink: InkImage, side: int) -> NDArray[np.uint8]:
    """Scale the ink's bounding box to this longer side. A speck that vanishes in scaling is left out of the box."""
    left, top, right, bottom = _bounds(ink)
    while True:
        width, height = right - left, bottom - top
        scale = side / max(width, height)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        resampling = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
        # In floating point, so that a faded hairline can be stretched to full strength again.
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
    """Trim an axis to its ink, on each side by at least a pixel where the scaled ink does not reach the edge.

    first, end: of the ink on the axis scaled to `scaled` pixels. Returns: the same on the axis of `length` pixels.
    """
    before, after = first * length // scaled, (scaled - end) * length // scaled
    return max(before, int(first > 0)), length - max(after, int(end < scaled))


def _bounds(picture: Image.Image) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of all that is not 0. Raises: NothingDrawn if there is nothing."""
    if (box := picture.getbbox()) is None:
        raise NothingDrawn
    return box


def _centre_of_mass(digit: NDArray[np.uint8]) -> tuple[float, float]:
    """Return row and column of the centre of mass, from the top left corner: a lone pixel's is (0.5, 0.5)."""
    mass = digit.sum(dtype=np.int64)
    rows, columns = digit.sum(axis=1, dtype=np.int64), digit.sum(axis=0, dtype=np.int64)
    return (
        float(rows @ np.arange(rows.size)) / float(mass) + 0.5,
        float(columns @ np.arange(columns.size)) / float(mass) + 0.5,
    )
