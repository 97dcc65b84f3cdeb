"""An end to what takes longer than was reckoned: an explanation is not to hold a worker."""

from dataclasses import dataclass, field
from math import inf
from time import monotonic


class RanOutOfTime(ValueError):
    """An explanation took longer than one answer may, and was ended."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"This explanation took more than {seconds:g} seconds, and was ended. Ask for fewer steps, a longer stride "
            "or a smaller model, leave the check out, or have the limit raised with LAYERGLASS_RUN_SECONDS."
        )


@dataclass(frozen=True)
class Deadline:
    """The seconds that are given, from when it was made."""

    seconds: float
    begun: float = field(default_factory=lambda: monotonic())

    def check(self) -> None:
        """Go on only while there is time. Raises: RanOutOfTime."""
        if monotonic() - self.begun > self.seconds:
            raise RanOutOfTime(self.seconds)


NEVER = Deadline(inf)
