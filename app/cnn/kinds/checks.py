"""Settings of a layer: each has the check that a value out of a file must pass, and Keras' default.

A check takes a value and returns it clean, or raises ValueError with what was expected, as in "a whole number from 1 to
1,024".
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from typing import Any

SIDE = 4_096  # pixels of an image's height or width
UNITS = 65_536  # neurons or filters of a layer
WINDOW = 1_024  # rows or columns of a kernel, a stride, a dilation
PARAMETERS = 50_000_000  # of a model

Check = Callable[[Any], Any]


def setting(check: Check, default: Any = MISSING, *, compare: bool = True) -> Any:
    """Declare a setting of a layer as a dataclass field; one without a default is required."""
    return field(default=default, compare=compare, metadata={"check": check})


@dataclass(frozen=True, kw_only=True)
class Configurable:
    """What a file gives settings of, each a field: see `setting`."""

    @classmethod
    @cache
    def checks(cls) -> Mapping[str, Check]:
        """Return the check for each setting that a file may give."""
        return {each.name: each.metadata["check"] for each in fields(cls) if "check" in each.metadata}


def whole(least: int, most: int) -> Check:
    """Check for a whole number; 2.0 and 2 are the same one."""

    def check(value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"a whole number from {least:,} to {most:,}")
        return value

    return check


def real(value: Any) -> float:
    """Check for a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(float(value)):
        raise ValueError("a number")
    return float(value)


def between(least: float, most: float = math.inf) -> Check:
    """Check for a finite number within these bounds."""

    def check(value: Any) -> float:
        number = real(value)
        if not least <= number <= most:
            raise ValueError(f"a number from {least:g}" + ("" if most == math.inf else f" to {most:g}"))
        return number

    return check


def flag(value: Any) -> bool:
    """Check for true or false."""
    if value not in (True, False):
        raise ValueError("true or false")
    return bool(value)


def one_of(*choices: Any) -> Check:
    """Check for one of these values."""

    def check(value: Any) -> Any:
        for choice in choices:
            if value == choice and isinstance(value, bool) == isinstance(choice, bool):
                return choice
        raise ValueError("one of " + ", ".join(map(str, choices)))

    return check


def optional(check: Check) -> Check:
    """Accept null as well."""
    return lambda value: None if value is None else check(value)


def several(check: Check, length: int | None = None, most: int = 64) -> Check:
    """Check for a list of such values; it becomes a tuple."""

    def check_all(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or len(value) > most or (length is not None and len(value) != length):
            raise ValueError(f"a list of {length}" if length is not None else "a short list")
        return tuple(check(entry) for entry in value)

    return check_all


def either(*checks: Check) -> Check:
    """Take the first check that passes."""

    def check_either(value: Any) -> Any:
        expected = []
        for check in checks:
            try:
                return check(value)
            except ValueError as error:
                expected.append(str(error))
        raise ValueError(" or ".join(expected))

    return check_either


def pair(least: int, most: int = WINDOW) -> Check:
    """Check for a number for rows and one for columns, or one for both."""
    number = whole(least, most)

    def check(value: Any) -> tuple[int, int]:
        rows, columns = several(number, 2)(value) if isinstance(value, list | tuple) else (number(value),) * 2
        return rows, columns

    return check


def margins(value: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """Check for rows above and below, columns left and right; or one number for each two; or one for all."""
    number = whole(0, WINDOW)
    rows, columns = (
        several(either(pair(0), number), 2)(value) if isinstance(value, list | tuple) else (number(value),) * 2
    )
    return pair(0)(rows), pair(0)(columns)


def numbers(value: Any) -> Any:
    """Check for a number, or lists of numbers within each other."""
    return [numbers(entry) for entry in value] if isinstance(value, list | tuple) else real(value)


axis_number = whole(-8, 8)
axis_numbers = either(axis_number, several(axis_number, most=8))
size_number = whole(-1, PARAMETERS)
