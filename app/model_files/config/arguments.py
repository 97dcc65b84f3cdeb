"""Checks for one setting of a layer: each takes a value out of a file and returns it clean, or raises ValueError."""

import math
from collections.abc import Callable
from typing import Any

from app.model_files.limits import PARAMETERS, WINDOW
from app.model_files.names import words

Check = Callable[[Any], Any]

ACTIVATIONS = words(
    "celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu linear "
    "log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus "
    "sparse_sigmoid sparsemax squareplus swish tanh tanh_shrink"
)


def whole(least: int, most: int) -> Check:
    """A whole number; 2.0 and 2 are the same one."""

    def check(value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"a whole number from {least:,} to {most:,}")
        return value

    return check


def real(value: Any) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(float(value)):
        raise ValueError("a number")
    return float(value)


def flag(value: Any) -> bool:
    if value not in (True, False):
        raise ValueError("true or false")
    return bool(value)


def one_of(*choices: Any) -> Check:
    def check(value: Any) -> Any:
        for choice in choices:
            if value == choice and isinstance(value, bool) == isinstance(choice, bool):
                return choice
        raise ValueError("one of " + ", ".join(map(str, choices)))

    return check


def optional(check: Check) -> Check:
    """The same, or nothing."""
    return lambda value: None if value is None else check(value)


def several(check: Check, length: int | None = None, most: int = 64) -> Check:
    """A list of such values, as a tuple."""

    def check_all(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or len(value) > most or (length is not None and len(value) != length):
            raise ValueError(f"a list of {length}" if length is not None else "a short list")
        return tuple(check(entry) for entry in value)

    return check_all


def either(*checks: Check) -> Check:
    """The first check that passes."""

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
    """A number for rows and one for columns, or one for both."""
    number = whole(least, most)

    def check(value: Any) -> tuple[int, int]:
        rows, columns = several(number, 2)(value) if isinstance(value, list | tuple) else (number(value),) * 2
        return rows, columns

    return check


def margins(value: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """Rows above and below, columns left and right; or one number for each two; or one for all."""
    number = whole(0, WINDOW)
    rows, columns = (
        several(either(pair(0), number), 2)(value) if isinstance(value, list | tuple) else (number(value),) * 2
    )
    return pair(0)(rows), pair(0)(columns)


def activation(value: Any) -> str:
    """The name of an activation function of Keras; nothing is linear."""
    name = "linear" if value is None else value
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise ValueError("an activation function of Keras")
    return name


def amounts(value: Any) -> Any:
    """A number, or lists of numbers within each other."""
    return [amounts(entry) for entry in value] if isinstance(value, list | tuple) else real(value)


axis = whole(-8, 8)
size = whole(-1, PARAMETERS)
