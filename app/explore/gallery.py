"""Real digits to look at."""

from ..datasets.digits import DigitSet
from ..imaging.encoding import encode_levels


class UnknownDigit(LookupError):
    """The set has no digit of this number."""


def draw_digit(digit_set: DigitSet, number: int) -> bytes:
    """Draw a digit as a PNG, black on white, of 28×28 pixels. Raises: UnknownDigit."""
    images = digit_set.load().images
    if not 0 <= number < len(images):
        raise UnknownDigit(f"The {digit_set} set has the digits 0 to {len(images) - 1:,}. Received: {number:,}.")
    return encode_levels(255 - images[number])
