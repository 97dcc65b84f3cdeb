"""Numbers in the sentences that experiments close with."""

from collections.abc import Sequence


def percent(share: float) -> str:
    """Write a share in percent with one decimal; only 0 and 1 read 0 and 100."""
    if share in (0, 1):
        return f"{100 * share:.0f} %"
    return f"{min(max(100 * share, 0.1), 99.9):.1f} %" if 0 < share < 1 else f"{100 * share:.1f} %"


def points(difference: float) -> str:
    """Write the size of a difference of two shares in percentage points."""
    size = abs(100 * difference)
    return f"{size:.1f} point{'' if f'{size:.1f}' == '1.0' else 's'}"


def number(value: float) -> str:
    """Write a number between -1 and 1 with two decimals and a true minus sign."""
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "\N{MINUS SIGN}")


def listed(parts: Sequence[str], joint: str = "and") -> str:
    """Join parts with commas, and the last one with a word."""
    return f" {joint} ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)
