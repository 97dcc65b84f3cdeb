"""A digit of each kind, drawn by hand for this page: what is on the pad before anyone has drawn."""

import json
from pathlib import Path

from app.imaging.png import encode_image
from app.imaging.strokes import Stroke, draw_strokes

SAMPLES: dict[str, list[Stroke]] = json.loads(Path(__file__).with_name("samples.json").read_text(encoding="ascii"))

FIRST = "7"


def draw_sample(digit: str) -> bytes:
    """The sample as the page's canvas would send it: a PNG. Raises: KeyError."""
    return encode_image(draw_strokes(SAMPLES[digit]))
