"""The state of the page that a step stands beside: one of its addresses."""

from collections.abc import Container
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from ..cnn.types import PoolingMode
from ..imaging.drawing import SAMPLES
from .errors import Fault

LESSON = "lesson"  # in the query: what stands beside the page, as NAME.STEP; “step” alone is a page's own word
MOST_CHARACTERS = 8000  # of an address


@dataclass(frozen=True)
class Place:
    """An address of the page, taken apart."""

    path: str
    query: tuple[tuple[str, str], ...] = ()
    fragment: str = ""

    @classmethod
    def parse(cls, text: str, pages: Container[str]) -> Self:
        """Read an address, as it is copied from the address bar: the name of the server is left out.

        pages: the paths of the app's pages. Raises: Fault.
        """
        if len(text) > MOST_CHARACTERS:
            raise Fault(f"An address has at most {MOST_CHARACTERS:,} characters; this one has {len(text):,}.")
        try:
            parts = urlsplit(text)
        except ValueError:
            raise Fault("This is no address of the page.") from None
        if parts.scheme not in {"", "http", "https"} or (parts.netloc and not parts.scheme):
            raise Fault("A step leads to an address of the page, which begins with “/”.")
        if parts.path not in pages:
            raise Fault(
                f"There is no page “{parts.path[:80]}”. An address is one of the app's own, such as /?model=digits."
            )
        query = tuple((name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != LESSON)
        place = cls(parts.path, query, parts.fragment)
        place._check()
        return place

    def _check(self) -> None:
        """Raise a Fault where the query's own choices are none."""
        if self.get("sample") is not None and self.get("sample") not in SAMPLES:
            raise Fault(f"There is no sample “{self.get('sample')}”. There is: {', '.join(SAMPLES)}.")
        modes = list(PoolingMode)
        if self.get("pooling") and self.get("pooling") not in modes:
            raise Fault(f"There is no pooling mode “{self.get('pooling')}”. There is: {', '.join(modes)}.")
        for name in ("channel", "row", "column"):
            value = self.get(name)
            if value is not None and not (value.isascii() and value.isdecimal() and len(value) < 8):
                raise Fault(f"“{name}” is a whole number, and not “{value[:40]}”.")

    def get(self, name: str) -> str | None:
        """Return a choice of the query."""
        return dict(self.query).get(name)

    def number(self, name: str) -> int | None:
        value = self.get(name)
        return None if value is None else int(value)

    @property
    def brings_drawing(self) -> bool:
        """Its drawing is its own, and not one that the person goes on with."""
        return bool(self.get("sample") or self.fragment)

    def address(self, lesson: str, step: int) -> str:
        """Return the address with a step of a lesson beside it."""
        query = urlencode([*self.query, (LESSON, f"{lesson}.{step}")])
        return f"{self.path}?{query}" + (f"#{quote(self.fragment, safe=_FRAGMENT)}" if self.fragment else "")


_FRAGMENT = "!$&'()*+,;=:@/?-._~%"
