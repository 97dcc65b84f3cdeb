"""HTML for notebooks. They keep style sheets and scripts out of what is shown, so every style is inline."""

import base64
from collections.abc import Iterable, Sequence
from html import escape

_BAR = "display:inline-block;height:0.7em;background:#3b6ea8;margin-right:0.5em;width:{width:.2f}em"
_PIXELATED = "image-rendering:pixelated;max-width:100%"
_LEFT = "style='text-align:left'"
_LONGEST_BAR = 8  # em


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table; all words in it are text."""
    head = "".join(f"<th {_LEFT}>{escape(each)}</th>" for each in heads)
    body = _body([escape(str(cell)) for cell in row] for row in rows)
    return f"<table><thead><tr>{head}</tr></thead>{body}</table>"


def bars(rows: Sequence[tuple[str, float]], is_share: bool, note: str | None) -> str:
    """Return a table of names and numbers, shares of 1 with a bar, and a note below it."""
    below = f"<p>{escape(note)}</p>" if note else ""
    return f"<table>{_body([escape(name), _bar(value, is_share)] for name, value in rows)}</table>{below}"


def _body(rows: Iterable[Sequence[str]]) -> str:
    """Return the body of a table; its cells are HTML."""
    lines = ("".join(f"<td {_LEFT}>{cell}</td>" for cell in row) for row in rows)
    return f"<tbody>{''.join(f'<tr>{line}</tr>' for line in lines)}</tbody>"


def _bar(value: float, is_share: bool) -> str:
    if not is_share:
        return f"{value:.4g}"
    width = _LONGEST_BAR * min(1.0, max(0.0, value))
    return f"<span style='{_BAR.format(width=width)}'></span>{value:.1%}"


def figure(png: bytes, caption: str, width: int) -> str:
    """Return a picture with words below it, `width` CSS pixels wide, its own pixels sharp."""
    source = base64.b64encode(png).decode("ascii")
    return (
        f"<figure style='margin:0.5em 0'><img src='data:image/png;base64,{source}' alt='{escape(caption)}' "
        f"width='{width}' style='{_PIXELATED}'><figcaption>{escape(caption)}</figcaption></figure>"
    )
