"""Numbers in the text of edits."""

import math
import re

import numpy as np

from ..errors import InvalidEdit

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?")
_WHOLE = re.compile(r"\d{1,9}")


def read_number(text: str) -> float:
    """Return the float32 that is nearest to this decimal number. Raises: InvalidEdit."""
    if not _NUMBER.fullmatch(text):
        raise InvalidEdit(f"“{text[:40]}” is no number. Send one such as 0.25, -1 or 1e-3.")
    with np.errstate(over="ignore"):
        number = float(np.float32(float(text)))
    if not math.isfinite(number):
        raise InvalidEdit(f"“{text[:40]}” is more than a float32 holds: at most 3.4e38, or -3.4e38 at least.")
    return number


def write_number(number: float) -> str:
    """Return the fewest digits that are this float32 and no other."""
    return str(np.float32(number)).removesuffix(".0").replace("e+", "e")


def read_whole(text: str) -> int | None:
    """Return a whole number from 0; None for anything else."""
    return int(text) if _WHOLE.fullmatch(text) else None
