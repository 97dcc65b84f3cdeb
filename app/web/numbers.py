"""Numbers as text, rounded so that the numbers shown add up."""

import math
from collections.abc import Sequence
from decimal import Decimal

DECIMALS = 4
MINUS = "\N{MINUS SIGN}"
FULL_DIGITS = 9  # enough to distinguish all float32 values


def fixed(value: float, decimals: int = DECIMALS) -> str:
    """Format a value with this many decimals and a true minus sign, never as minus zero."""
    if not math.isfinite(value):
        return str(value)
    text = f"{value:.{decimals}f}"
    return text.replace("-", MINUS) if float(text) else text.lstrip("-")


def full(value: float) -> str:
    """Format a value with all the digits of a float32."""
    return f"{value:.{FULL_DIGITS}g}".replace("-", MINUS)


def add_up(parts: Sequence[float], total: float, decimals: int = DECIMALS) -> list[float]:
    """Round the parts to this many decimals so that they add up to the rounded total exactly.

    Rounded one by one, they miss it by a few units of the last digit. By the largest remainder method, these units go
    to the parts whose rounding error was largest in that direction, at most one each if there are enough parts.
    The parts must add up to the total to about as many decimals. If a value is not finite, the parts stay as they are.
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
