"""Numbers as text and in JSON, in such a way that what is shown adds up."""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator

DECIMALS = 4
MINUS = "\N{MINUS SIGN}"
FULL_DIGITS = 9  # enough to tell every float32 from its neighbours


def finite(value: Any) -> Any:
    """The value, or None in place of NaN and infinity, which JSON has not."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


Number = Annotated[float | None, BeforeValidator(finite)]  # a float that may be NaN or infinite: null in JSON


def fixed(value: float, decimals: int = DECIMALS) -> str:
    """A value with this many decimals, with a true minus sign, and never minus zero."""
    if not math.isfinite(value):
        return str(value)
    text = f"{value:.{decimals}f}"
    return text.replace("-", MINUS) if float(text) else text.lstrip("-")


def full(value: float) -> str:
    """A value with all the digits that a float32 has."""
    return f"{value:.{FULL_DIGITS}g}".replace("-", MINUS)


def add_up(parts: Sequence[float], total: float, decimals: int = DECIMALS) -> list[float]:
    """The parts rounded to this many decimals so that they add up to the rounded total, exactly.

    Rounded one by one they miss it by a few units of the last digit. Those units go to the parts whose own rounding
    was the furthest off in that direction, at most one each where there are enough parts ("largest remainder").
    The parts' true sum and the total must agree to about as many decimals. Where one of them is not finite, nothing
    adds up: the parts are given as they are.
    """
    if not all(math.isfinite(each) for each in (*parts, total)):
        return list(parts)
    unit = Decimal(1).scaleb(-decimals)
    exact = [Decimal(part) for part in parts]
    rounded = [part.quantize(unit) for part in exact]
    missing = int((Decimal(total).quantize(unit) - sum(rounded, Decimal(0))) / unit)
    step = unit if missing > 0 else -unit
    by_error = sorted(range(len(parts)), key=lambda index: (rounded[index] - exact[index]) * (1 if missing > 0 else -1))
    for turn in range(abs(missing)):
        rounded[by_error[turn % len(parts)]] += step
    return [float(part) for part in rounded]
