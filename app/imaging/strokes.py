"""Pen strokes to a picture, as the page's canvas draws them: round caps, round joins, anti-aliased."""

from collections.abc import Iterable, Sequence

from PIL import Image, ImageDraw

Point = tuple[float, float]  # x to the right, y down, in pixels of the picture
Stroke = Sequence[Point]

CANVAS_SIDE = 280
PEN_WIDTH = 18

_SUPERSAMPLING = 3


def draw_strokes(strokes: Iterable[Stroke], side: int = CANVAS_SIDE, pen_width: float = PEN_WIDTH) -> Image.Image:
    """Black strokes on white paper, side × side pixels, mode L. A stroke of one point is a dot."""
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
