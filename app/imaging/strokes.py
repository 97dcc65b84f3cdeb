"""Pen strokes to a picture, drawn as the page's canvas draws them: round caps, round joins, anti-aliased."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from app.imaging.encoding import encode_image

Point = tuple[float, float]  # x to the right, y down, in pixels of the picture
Stroke = Sequence[Point]

CANVAS_SIDE = 280
PEN_WIDTH = 18

# One digit of each class, drawn by hand for the page.
SAMPLES: dict[str, list[Stroke]] = json.loads(Path(__file__).with_name("samples.json").read_text(encoding="ascii"))
FIRST_SAMPLE = "7"  # on the canvas before anyone has drawn

_SUPERSAMPLING = 3


def draw_strokes(strokes: Iterable[Stroke], side: int = CANVAS_SIDE, pen_width: float = PEN_WIDTH) -> Image.Image:
    """Draw black strokes on white paper: side × side pixels, mode L. A stroke of one point is a dot."""
    scale = _SUPERSAMPLING
    paper = Image.new("L", (side * scale, side * scale), 255)
    pen = ImageDraw.Draw(paper)
    radius = pen_width * scale / 2
    for stroke in strokes:
        points = [(x * scale, y * scale) for x, y in stroke]
        pen.line(points, fill=0, width=max(1, round(pen_width * scale)))
        for x, y in points:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=0)
    return paper.reduce(scale)


def draw_sample(digit: str) -> bytes:
    """Return a sample as the PNG that the page's canvas would send. Raises: KeyError."""
    return encode_image(draw_strokes(SAMPLES[digit]))
