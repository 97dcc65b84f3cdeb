"""A setting as a person sees it: what it may be now, and why no more."""

from dataclasses import dataclass, replace
from typing import Any, Literal

MAX_SIDE = 64  # of a window, and of a stride


@dataclass(frozen=True)
class Control:
    """One setting of an operation, with its limits for a picture of one size.

    low, high: of a number; reason: why it can be no more, low_reason: why no less. choices: of the others, each with
    its words.
    """

    name: str
    label: str
    value: Any
    form: Literal["whole", "number", "choice", "kernel"] = "whole"
    low: float = 0
    high: float = 0
    step: float = 1
    reason: str = ""
    low_reason: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    follows: str = ""  # words for a value that follows from another setting; "" where it cannot
    is_following: bool = False

    @property
    def is_number(self) -> bool:
        return self.form in {"whole", "number"}

    def limited(self, high: int, reason: str) -> "Control":
        """Return the control with a lower limit above, if it is lower."""
        return self if high >= self.high else replace(self, high=max(high, self.low), reason=reason)

    def complain(self) -> str | None:
        """Return what is wrong with the value, as a clause; None if nothing is."""
        if not self.is_number:
            return None
        if self.value > self.high:
            return f"its {self.label} is {self.value:g}, and can be {self.high:g} at most: {self.reason}"
        if self.value < self.low:
            why = f": {self.low_reason}" if self.low_reason else ""
            return f"its {self.label} is {self.value:g}, and must be at least {self.low:g}{why}"
        return None


def window_control(name: str, label: str, value: int, size: tuple[int, int], most: int = MAX_SIDE) -> Control:
    """Return the control of a window's side, which may not be longer than the picture's shorter one."""
    side, words = min((size[0], "rows"), (size[1], "columns"), key=lambda each: each[0])
    few = words.removesuffix("s") if side == 1 else words
    if side <= most:
        return Control(name, label, value, low=1, high=side, reason=f"its input has {side} {few}")
    return Control(name, label, value, low=1, high=most, reason="the largest in the lab")
