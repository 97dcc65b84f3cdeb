"""`python -m benchmarks.photographs [KIND ...] [--strokes FILE] [--mnist FILE] [--held-out]`: photographs read rightly.

Pictures of many kinds are made from handwriting: photographs with shadows, ruled paper, a table around it, boxes,
windows, dark mode, and plain drawings. For each kind: how many digits are read rightly, of those that are when they are
drawn plainly, and how long reading takes. Without files, the handwriting is the page's ten samples, moved a little.
--held-out: with looks that nobody has tuned the app for.
"""

import argparse
import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from app.cnn.network import Network
from app.explore.forward_passes import preprocess
from app.explore.prediction import predict
from app.imaging.drawing import SAMPLES, InvalidDrawing
from app.library.library import Library
from app.settings import Settings
from app.training.mnist import load_mnist
from app.training.pen import read_pen_digits, split_by_writer

Grey = NDArray[np.float64]  # (height, width), 0 to 1
Random = np.random.Generator


@dataclass(frozen=True)
class Handwriting:
    """One digit: its strokes on a square of side 1, or its picture, (28, 28) from 0 to 1."""

    label: str
    strokes: tuple[NDArray[np.float64], ...] | None = None
    picture: Grey | None = None

    def draw(self, side: int, pen: float) -> Grey:
        """Draw it so that its longer side has this many pixels: the share of each pixel that is covered."""
        margin = int(pen) + 2
        if self.strokes is None:
            assert self.picture is not None
            rows, columns = np.nonzero(self.picture > 0.2)
            tight = self.picture[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
            scale = side / max(tight.shape)
            size = (max(3, round(tight.shape[1] * scale)), max(3, round(tight.shape[0] * scale)))
            large = Image.fromarray((tight * 255).astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
            sharp = np.clip((np.asarray(large) / 255 - 0.5) * max(1.5, scale / 3) + 0.5, 0, 1)
            return np.pad(sharp, margin)
        points = np.concatenate(self.strokes)
        low, high = points.min(axis=0), points.max(axis=0)
        scale = side / max((high - low).max(), 1e-6)
        width, height = (int(length) + 2 * margin for length in (high - low) * scale)
        fine = 3
        sheet = Image.new("L", (width * fine, height * fine))
        brush, radius = ImageDraw.Draw(sheet), pen * fine / 2
        for stroke in self.strokes:
            path = [tuple(point) for point in (((stroke - low) * scale + margin) * fine).tolist()]
            brush.line(path, fill=255, width=max(1, round(pen * fine)))
            for x, y in path:
                brush.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
        return np.asarray(sheet.reduce(fine)) / 255


class Look(NamedTuple):
    """The ranges that a picture's parameters are drawn from."""

    sizes: tuple[tuple[int, int], ...]  # width, height
    pen: tuple[float, float]  # width as a share of the digit's longer side
    digit: tuple[float, float]  # longer side as a share of the picture's shorter one
    paper: tuple[tuple[int, int, int], ...]
    ink: tuple[tuple[int, int, int], ...]
    shadow: tuple[float, float]  # the light that is left
    blur: tuple[float, float]  # pixels of a picture 1000 wide
    noise: tuple[float, float]
    quality: tuple[int, int]
    turn: tuple[float, float]  # degrees


TUNED = Look(
    sizes=((1200, 900), (900, 1200), (800, 600), (1600, 1200)),
    pen=(0.04, 0.09),
    digit=(0.2, 0.5),
    paper=((236, 232, 224), (225, 222, 216), (245, 245, 245), (214, 208, 196)),
    ink=((36, 36, 60), (30, 30, 34), (30, 40, 110), (60, 60, 66)),
    shadow=(0.4, 0.65),
    blur=(0.3, 1.5),
    noise=(1, 4),
    quality=(70, 92),
    turn=(-6, 6),
)
HELD_OUT = Look(
    sizes=((1280, 720), (720, 1280), (1000, 1000), (2048, 1536), (640, 480)),
    pen=(0.035, 0.11),
    digit=(0.17, 0.6),
    paper=((250, 240, 200), (215, 228, 232), (200, 200, 204), (255, 255, 255), (240, 222, 214)),
    ink=((140, 30, 40), (20, 90, 60), (80, 80, 84), (10, 10, 12), (40, 60, 160)),
    shadow=(0.35, 0.75),
    blur=(0.2, 2.2),
    noise=(0.5, 6),
    quality=(55, 95),
    turn=(-10, 10),
)


class Scene:
    """A picture in the making: its light is multiplied in, and its ink is laid over what is there."""

    def __init__(self, random: Random, look: Look, size: tuple[int, int] | None = None) -> None:
        self.random, self.look = random, look
        self.width, self.height = size or look.sizes[random.integers(len(look.sizes))]
        paper = np.array(look.paper[random.integers(len(look.paper))], float)
        self.pixels = np.broadcast_to(paper, (self.height, self.width, 3)).copy()
        self.free = (0, 0, self.width, self.height)  # left, top, right, bottom of where a digit may be
        self.unit = max(self.width, self.height) / 1000

    def between(self, low: float, high: float) -> float:
        return float(self.random.uniform(low, high))

    def lay(self, coverage: Grey, colour: tuple[float, ...], left: int = 0, top: int = 0) -> None:
        """Cover pixels with a colour, from this corner on."""
        height, width = coverage.shape
        part = self.pixels[top : top + height, left : left + width]
        share = coverage[: part.shape[0], : part.shape[1], np.newaxis]
        part += (np.array(colour) - part) * share

    def write(
        self, digit: Handwriting, ink: tuple[float, ...] | None = None, share: float | None = None
    ) -> tuple[int, ...]:
        """Write a digit somewhere, and return its box: left, top, right, bottom."""
        left, top, right, bottom = self.free
        side = int(min(right - left, bottom - top) * (share or self.between(*self.look.digit)))
        drawn = digit.draw(side, max(1.2, side * self.between(*self.look.pen)))
        height, width = drawn.shape
        x = int(self.between(left, max(left + 1, right - width)))
        y = int(self.between(top, max(top + 1, bottom - height)))
        self.lay(drawn, ink or self.look.ink[self.random.integers(len(self.look.ink))], x, y)
        return x, y, x + width, y + height

    def keep_off_edges(self, share: float = 0.06) -> None:
        left, top, right, bottom = self.free
        margin = int(min(right - left, bottom - top) * share)
        self.free = (left + margin, top + margin, right - margin, bottom - margin)

    def distance_to_line(self) -> Grey:
        """Distance from a line somewhere through the middle, in shares of the longer side: (height, width)."""
        rows, columns = np.mgrid[: self.height, : self.width] / max(self.width, self.height)
        angle = self.between(0, 2 * np.pi)
        x, y = self.between(0.25, 0.75) * self.width, self.between(0.25, 0.75) * self.height
        side = max(self.width, self.height)
        return np.asarray((columns - x / side) * np.cos(angle) + (rows - y / side) * np.sin(angle))

    def shade(self, softness: float) -> None:
        """Throw a shadow with an edge across. softness: width of the edge, in shares of the longer side."""
        left = self.between(*self.look.shadow)
        light = left + (1 - left) / (1 + np.exp(-np.clip(self.distance_to_line() / softness * 4, -50, 50)))
        self.pixels *= light[..., np.newaxis]

    def fall_off(self, strength: float) -> None:
        """Let the light fall off from one side to the other."""
        distance = self.distance_to_line()
        self.pixels *= (1 - strength * (distance - distance.min()) / np.ptp(distance))[..., np.newaxis]

    def darken_corners(self, strength: float) -> None:
        rows, columns = np.mgrid[: self.height, : self.width]
        x = (columns - self.width / 2) / (self.width / 2)
        y = (rows - self.height / 2) / (self.height / 2)
        radius = (x**2 + y**2) / 2
        self.pixels *= (1 - strength * radius ** self.between(0.7, 1.5))[..., np.newaxis]

    def photograph(self) -> bytes:
        """Blur, grain and compress it as a camera does."""
        look, size = self.look, (self.width, self.height)
        grain = self.random.normal(0, 1, (self.height, self.width, 1)) + self.random.normal(
            0, 0.4, (self.height, self.width, 3)
        )
        pixels = self.pixels + grain * self.between(*look.noise) * 1.5
        picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
        picture = picture.filter(ImageFilter.GaussianBlur(self.between(*look.blur) * self.unit))
        fine = self.random.normal(0, self.between(*look.noise), (self.height, self.width, 3))
        picture = Image.fromarray(np.clip(np.asarray(picture) + fine, 0, 255).astype(np.uint8))
        assert picture.size == size
        return encode(picture, "JPEG", quality=int(self.random.integers(*look.quality)))

    def as_it_is(self) -> bytes:
        return encode(Image.fromarray(np.clip(np.rint(self.pixels), 0, 255).astype(np.uint8)), "PNG")


def encode(picture: Image.Image, format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, format, **options)
    return file.getvalue()


def plain(random: Random, look: Look, digit: Handwriting) -> bytes:
    """A pad's drawing: what every other kind is compared with."""
    scene = Scene(np.random.default_rng(1), TUNED, (280, 280))
    scene.pixels[:] = 255
    drawn = digit.draw(200, 18)
    height, width = drawn.shape
    scene.lay(drawn, (0, 0, 0), (280 - width) // 2, max(0, (280 - height) // 2))
    return scene.as_it_is()


def _on_pad(random: Random, look: Look, digit: Handwriting, ink: tuple[int, int, int], paper: int) -> Scene:
    scene = Scene(random, look, (280, 280))
    scene.pixels[:] = paper
    drawn = digit.draw(int(scene.between(150, 210)), scene.between(12, 20))
    height, width = drawn.shape
    scene.lay(drawn, ink, max(0, (280 - width) // 2), max(0, (280 - height) // 2))
    return scene


def dark_corners(random: Random, look: Look, digit: Handwriting) -> bytes:
    scene = _on_pad(random, look, digit, (36, 36, 36), 235)
    scene.darken_corners(scene.between(0.4, 0.8))
    return scene.as_it_is()


def shadow_edge(random: Random, look: Look, digit: Handwriting) -> bytes:
    scene = _on_pad(random, look, digit, (36, 36, 36), 235)
    scene.shade(float(np.exp(scene.between(np.log(0.005), np.log(0.3)))))
    return scene.as_it_is()


def _photograph(random: Random, look: Look, digit: Handwriting, *lights: Callable[[Scene], None]) -> bytes:
    scene = Scene(random, look)
    scene.keep_off_edges()
    scene.write(digit)
    for light in lights:
        light(scene)
    return scene.photograph()


def light_falls_off(random: Random, look: Look, digit: Handwriting) -> bytes:
    return _photograph(random, look, digit, lambda scene: scene.fall_off(scene.between(0.3, 0.75)))


def photo_vignette(random: Random, look: Look, digit: Handwriting) -> bytes:
    return _photograph(random, look, digit, lambda scene: scene.darken_corners(scene.between(0.3, 0.8)))


def soft_shadow(random: Random, look: Look, digit: Handwriting) -> bytes:
    return _photograph(random, look, digit, lambda scene: scene.shade(scene.between(0.08, 0.4)))


def hard_shadow(random: Random, look: Look, digit: Handwriting) -> bytes:
    return _photograph(random, look, digit, lambda scene: scene.shade(scene.between(0.004, 0.05)))


def two_shadows(random: Random, look: Look, digit: Handwriting) -> bytes:
    def shade(scene: Scene) -> None:
        scene.shade(scene.between(0.01, 0.2))
        scene.shade(scene.between(0.01, 0.2))
        scene.fall_off(scene.between(0, 0.3))

    return _photograph(random, look, digit, shade)


def _rule(scene: Scene, squared: bool) -> None:
    """Rule the paper with printed lines, slightly turned."""
    gap = scene.between(0.04, 0.1) * max(scene.width, scene.height)
    thickness = max(1.0, scene.between(0.0012, 0.003) * max(scene.width, scene.height))
    angle = np.deg2rad(scene.between(*scene.look.turn) / 3)
    rows, columns = np.mgrid[: scene.height, : scene.width].astype(float)
    colour = [(150, 170, 205), (165, 165, 170), (190, 160, 165), (170, 195, 190)][scene.random.integers(4)]
    strength = scene.between(0.4, 0.95)
    directions = [rows * np.cos(angle) + columns * np.sin(angle)]
    if squared:
        directions.append(columns * np.cos(angle) - rows * np.sin(angle))
    for along in directions:
        offset = np.abs((along + scene.between(0, gap)) % gap - gap / 2)
        scene.lay(np.clip(thickness / 2 + 0.5 - offset, 0, 1) * strength, colour)
    if not squared and scene.random.random() < 0.3:
        place = np.abs(columns - scene.between(0.05, 0.2) * scene.width)
        scene.lay(np.clip(thickness / 2 + 0.5 - place, 0, 1) * strength, (205, 120, 125))


def _on_ruled(random: Random, look: Look, digit: Handwriting, squared: bool) -> bytes:
    scene = Scene(random, look)
    scene.keep_off_edges()
    _rule(scene, squared)
    scene.write(digit)
    scene.fall_off(scene.between(0, 0.35))
    return scene.photograph()


def ruled(random: Random, look: Look, digit: Handwriting) -> bytes:
    return _on_ruled(random, look, digit, squared=False)


def squared(random: Random, look: Look, digit: Handwriting) -> bytes:
    return _on_ruled(random, look, digit, squared=True)


def _table(scene: Scene) -> None:
    """Cover the picture with a table: one tone or planks, with a grain."""
    tones = [(96, 62, 40), (60, 60, 64), (130, 95, 60), (35, 40, 48)]
    if scene.look is HELD_OUT:
        tones = [(170, 140, 105), (20, 20, 22), (120, 40, 35), (70, 95, 80), (190, 180, 170)]
    scene.pixels[:] = tones[scene.random.integers(len(tones))]
    coarse = scene.random.normal(0, 1, (scene.height // 3 + 1, scene.width // 3 + 1))
    grain = np.kron(coarse, np.ones((3, 3)))[: scene.height, : scene.width, np.newaxis]
    scene.pixels += grain * scene.between(2, 10)
    if scene.random.random() < 0.4:
        rows = np.arange(scene.height)[:, np.newaxis]
        stripes = np.sin(
            rows / scene.between(4, 30) / scene.unit
            + np.cumsum(scene.random.normal(0, 0.1, scene.height))[:, np.newaxis]
        )
        scene.pixels += (stripes * scene.between(4, 14))[..., np.newaxis]


def _put_paper(scene: Scene, whole: bool = True) -> None:
    """Put a turned sheet on what is there. whole: all of it is in the picture."""
    low, high = (0.5, 0.85) if whole else (0.8, 1.1)
    width, height = scene.between(low, high) * scene.width, scene.between(low, high) * scene.height
    if whole:
        x, y = (
            scene.between(0.52 * each, size - 0.52 * each)
            for each, size in ((width, scene.width), (height, scene.height))
        )
    else:
        x, y = scene.between(0.3, 0.7) * scene.width, scene.between(0.3, 0.7) * scene.height
    angle = np.deg2rad(scene.between(*scene.look.turn))
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (width / 2, height / 2)
    if scene.look is HELD_OUT:
        corners *= scene.random.uniform(0.93, 1.03, (4, 2))
    turn = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])
    placed = corners @ turn + (x, y)
    sheet = Image.new("L", (scene.width, scene.height))
    ImageDraw.Draw(sheet).polygon([tuple(corner) for corner in placed.tolist()], fill=255)
    paper = scene.look.paper[scene.random.integers(len(scene.look.paper))]
    if scene.random.random() < 0.5:  # the sheet's own shadow
        shadow = np.asarray(sheet.filter(ImageFilter.GaussianBlur(6 * scene.unit))) / 255
        offset = round(5 * scene.unit)
        scene.pixels *= 1 - 0.5 * np.roll(shadow, (offset, offset), (0, 1))[..., np.newaxis]
    scene.lay(np.asarray(sheet) / 255, paper)
    inner = min(width, height) * 0.36
    left, top = max(0, x - inner), max(0, y - inner)
    right, bottom = min(scene.width, x + inner), min(scene.height, y + inner)
    scene.free = (int(left), int(top), int(right), int(bottom))


def paper_on_table(random: Random, look: Look, digit: Handwriting) -> bytes:
    scene = Scene(random, look)
    _table(scene)
    _put_paper(scene)
    scene.write(digit, share=scene.between(0.4, 0.9))
    scene.fall_off(scene.between(0, 0.35))
    return scene.photograph()


def edge_of_paper(random: Random, look: Look, digit: Handwriting) -> bytes:
    """Paper that reaches out of the picture on some sides, the table visible on others."""
    scene = Scene(random, look)
    _table(scene)
    _put_paper(scene, whole=False)
    scene.write(digit, share=scene.between(0.3, 0.8))
    scene.fall_off(scene.between(0, 0.35))
    return scene.photograph()


def finger(random: Random, look: Look, digit: Handwriting) -> bytes:
    """A finger or a hand reaches into the picture."""
    scene = Scene(random, look)
    scene.keep_off_edges()
    left, top, right, bottom = scene.write(digit)
    corners = [(0, 0), (scene.width, 0), (0, scene.height), (scene.width, scene.height)]
    middle = np.array([(left + right) / 2, (top + bottom) / 2])
    start = np.array(max(corners, key=lambda corner: float(np.hypot(*(middle - corner)))), float)
    reach = np.hypot(*(middle - start)) - np.hypot(right - left, bottom - top) / 2
    end = start + (middle - start) / np.hypot(*(middle - start)) * reach * scene.between(0.3, 0.7)
    thickness = int(scene.between(0.08, 0.2) * min(scene.width, scene.height))
    sheet = Image.new("L", (scene.width, scene.height))
    brush, radius = ImageDraw.Draw(sheet), thickness / 2
    brush.line([tuple(start.tolist()), tuple(end.tolist())], fill=255, width=thickness)
    brush.ellipse((*(end - radius).tolist(), *(end + radius).tolist()), fill=255)
    tones = [(205, 160, 130), (150, 105, 80), (95, 62, 45)]
    shape = sheet.filter(ImageFilter.GaussianBlur(2 * scene.unit))
    scene.lay(np.asarray(shape) / 255, tones[scene.random.integers(3)])
    scene.fall_off(scene.between(0, 0.35))
    return scene.photograph()


def _frame(scene: Scene, box: tuple[int, ...], ink: tuple[int, ...], pen: float, wobble: float) -> None:
    """Draw a box around another one."""
    left, top, right, bottom = box
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], float)
    path = np.concatenate([np.linspace(start, end, 12)[:-1] for start, end in pairwise(corners)])
    path = np.concatenate([path, path[:1]]) + scene.random.normal(0, wobble, (45, 2))
    path[-1] = path[0] + (scene.random.normal(0, 2 * wobble, 2) if wobble else 0)
    sheet = Image.new("L", (scene.width * 3, scene.height * 3))
    ImageDraw.Draw(sheet).line(
        [tuple(point) for point in (path * 3).tolist()], 255, max(1, round(pen * 3)), joint="curve"
    )
    scene.lay(np.asarray(sheet.reduce(3)) / 255, ink)


def boxed(random: Random, look: Look, digit: Handwriting) -> bytes:
    """A pad's drawing with a box around it."""
    scene = Scene(random, look, (280, 280))
    scene.pixels[:] = 255
    side = int(scene.between(120, 190))
    drawn = digit.draw(side, scene.between(10, 18))
    height, width = drawn.shape
    left, top = (280 - width) // 2, (280 - height) // 2
    scene.lay(drawn, (0, 0, 0), left, top)
    inset, gap = int(scene.between(5, 28)), int(scene.between(4, 26))
    around = (left - gap, top - gap, left + width + gap, top + height + gap)
    box = (inset, inset, 280 - inset, 280 - inset) if random.random() < 0.5 else around
    tone = int(scene.between(0, 110))
    _frame(scene, box, (tone, tone, tone), scene.between(1, 7), scene.between(0, 1.5) if look is HELD_OUT else 0)
    return scene.as_it_is()


def boxed_photo(random: Random, look: Look, digit: Handwriting) -> bytes:
    """A box drawn by hand around the digit, photographed."""
    scene = Scene(random, look)
    scene.keep_off_edges(0.15)
    ink = look.ink[random.integers(len(look.ink))]
    left, top, right, bottom = scene.write(digit, ink, scene.between(0.3, 0.6))
    gap = scene.between(0.15, 0.4) * (bottom - top)
    box = (
        int(max(8, left - gap)),
        int(max(8, top - gap)),
        int(min(scene.width - 8, right + gap)),
        int(min(scene.height - 8, bottom + gap)),
    )
    _frame(scene, box, ink, scene.between(3, 9) * scene.unit, scene.between(0, 3) * scene.unit)
    scene.fall_off(scene.between(0, 0.35))
    return scene.photograph()


def _window(scene: Scene, ground: int, bar: int, text: int) -> None:
    """Turn the picture into a window with a title bar."""
    scene.pixels[:] = (ground, ground, min(255, ground + 4))
    height = int(scene.between(0.05, 0.12) * scene.height)
    scene.pixels[:height] = (bar, bar, min(255, bar + 4))
    words = Image.new("L", (scene.width, scene.height))
    brush, size = ImageDraw.Draw(words), max(9, int(height * 0.45))
    font = ImageFont.load_default(size)
    title = ["Untitled - Notes", "Paint", "Sketch 3 (unsaved)", "drawing.png - Viewer"][scene.random.integers(4)]
    brush.text((scene.between(4, scene.width * 0.4), height * 0.25), title, 255, font)
    if scene.look is HELD_OUT:
        brush.text((6, height * 1.25), "File   Edit   View   Help", 200, font)
        if scene.random.random() < 0.5:
            brush.text((6, scene.height - height), "100 %    Ln 1, Col 1", 200, font)
        height *= 2
    scene.lay(np.asarray(words) / 255, (text, text, text))
    for number, colour in enumerate([(237, 85, 78), (245, 190, 79), (98, 197, 84)][: scene.random.integers(1, 4)]):
        dot = Image.new("L", (scene.width, scene.height))
        x, radius = scene.width - (number + 1) * size * 1.4, size * 0.35
        ImageDraw.Draw(dot).ellipse((x - radius, size - radius, x + radius, size + radius), fill=255)
        scene.lay(np.asarray(dot) / 255, colour)
    if scene.random.random() < 0.3:
        scene.pixels[[0, -1]] = scene.pixels[:, [0, -1]] = (bar + text) // 2
    scene.free = (4, int(height * 1.1), scene.width - 4, scene.height - (height if scene.look is HELD_OUT else 4))
    scene.keep_off_edges()


_WINDOWS = ((600, 500), (800, 600), (1024, 768))


def window(random: Random, look: Look, digit: Handwriting) -> bytes:
    """A screenshot: dark ink in a bright window with a title bar."""
    scene = Scene(random, look, _WINDOWS[random.integers(3)])
    _window(scene, int(scene.between(235, 256)), int(scene.between(195, 235)), 60)
    scene.write(digit, (int(scene.between(0, 60)),) * 3, scene.between(0.3, 0.8))
    return scene.as_it_is()


def dark_window(random: Random, look: Look, digit: Handwriting) -> bytes:
    """A screenshot in dark mode: bright ink in a dark window with a title bar."""
    scene = Scene(random, look, _WINDOWS[random.integers(3)])
    ground = int(scene.between(10, 50))
    _window(scene, ground, ground + int(scene.between(8, 40)), 200)
    scene.write(digit, (int(scene.between(200, 256)),) * 3, scene.between(0.3, 0.8))
    return scene.as_it_is()


def turned(random: Random, look: Look, digit: Handwriting) -> bytes:
    """Ruled paper that lies slightly turned in the picture, the digit with it."""
    scene = Scene(random, look)
    scene.keep_off_edges(0.12)
    _rule(scene, squared=random.random() < 0.3)
    scene.write(digit)
    paper = tuple(int(each) for each in scene.pixels[0, 0])
    whole = Image.fromarray(np.clip(scene.pixels, 0, 255).astype(np.uint8))
    whole = whole.rotate(scene.between(*look.turn), Image.Resampling.BICUBIC, fillcolor=paper)
    scene.pixels = np.asarray(whole).astype(float)
    scene.fall_off(scene.between(0, 0.35))
    return scene.photograph()


def blackboard(random: Random, look: Look, digit: Handwriting) -> bytes:
    """Chalk on a board, or a bright pen on dark paper."""
    scene = Scene(random, look)
    scene.pixels[:] = [(40, 60, 50), (30, 30, 34), (25, 35, 70)][random.integers(3)]
    scene.keep_off_edges()
    scene.write(digit, [(225, 225, 220), (240, 235, 180), (255, 255, 255)][random.integers(3)])
    scene.fall_off(scene.between(0, 0.4))
    return scene.photograph()


def hairline(random: Random, look: Look, digit: Handwriting) -> bytes:
    scene = Scene(random, look, (280, 280))
    scene.pixels[:] = 255
    scene.keep_off_edges(0.05)
    drawn = digit.draw(int(scene.between(150, 240)), 1.0 if digit.strokes else 0)
    scene.lay(drawn, (0, 0, 0), 8, 8)
    return scene.as_it_is()


def thick_marker(random: Random, look: Look, digit: Handwriting) -> bytes:
    scene = Scene(random, look, (280, 280))
    scene.pixels[:] = 255
    scene.lay(digit.draw(200, scene.between(26, 36)), (0, 0, 0), 4, 4)
    return scene.as_it_is()


def low_contrast(random: Random, look: Look, digit: Handwriting) -> bytes:
    paper = int(random.integers(60, 230))
    ink = paper + int(random.choice([-1, 1])) * int(random.integers(22, 45))
    return _on_pad(random, look, digit, (ink,) * 3, paper).as_it_is()


def jpeg_10(random: Random, look: Look, digit: Handwriting) -> bytes:
    picture = Image.open(io.BytesIO(_on_pad(random, look, digit, (0, 0, 0), 255).as_it_is()))
    return encode(picture, "JPEG", quality=10)


def noisy(random: Random, look: Look, digit: Handwriting) -> bytes:
    scene = _on_pad(random, look, digit, (30, 30, 30), 225)
    scene.pixels += random.normal(0, random.uniform(4, 20), scene.pixels.shape)
    return scene.as_it_is()


def off_centre(random: Random, look: Look, digit: Handwriting) -> bytes:
    scene = Scene(random, look, (280, 280))
    scene.pixels[:] = 255
    drawn = digit.draw(int(scene.between(50, 130)), scene.between(4, 12))
    height, width = drawn.shape
    x, y = (int(random.choice([0, 280 - each])) for each in (width, height))
    scene.lay(drawn, (0, 0, 0), x, y)
    return scene.as_it_is()


def faint_pencil(random: Random, look: Look, digit: Handwriting) -> bytes:
    """A pencil's light grey, photographed."""
    scene = Scene(random, look)
    scene.keep_off_edges()
    tone = int(scene.between(120, 165))
    scene.write(digit, (tone, tone, tone + 3))
    scene.fall_off(scene.between(0, 0.3))
    return scene.photograph()


KINDS: list[Callable[[Random, Look, Handwriting], bytes]] = [
    *(light_falls_off, soft_shadow, hard_shadow, two_shadows, shadow_edge, dark_corners, photo_vignette),
    *(ruled, squared, turned, paper_on_table, edge_of_paper, finger, boxed, boxed_photo, window, dark_window),
    *(blackboard, faint_pencil, plain, hairline, thick_marker, low_contrast, jpeg_10, noisy, off_centre),
]


def read_handwriting(strokes: Path | None, mnist: Path | None, random: Random) -> list[Handwriting]:
    """Return digits of many hands: those of the test, or the page's samples."""
    digits: list[Handwriting] = []
    if strokes:
        digits += [
            Handwriting(str(each.label), each.strokes) for each in split_by_writer(read_pen_digits(strokes)).test
        ]
    if mnist:
        test = load_mnist(mnist).test
        chosen = random.permutation(len(test.labels))[: len(digits) or 1000]
        digits += [Handwriting(str(test.labels[index]), picture=test.images[index] / 255.0) for index in chosen]
    if not digits:
        for label, sample in [*SAMPLES.items()] * 30:
            slant = np.array([(1, 0), (random.normal(0, 0.15), 1)])
            moved = [(np.array(stroke) + random.normal(0, 2, np.shape(stroke))) @ slant for stroke in sample]
            digits.append(Handwriting(label, tuple(moved)))
    return [digits[index] for index in random.permutation(len(digits))]


def read(network: Network, picture: bytes) -> str:
    try:
        return predict(network, network.run(preprocess(picture, network.card))).label
    except InvalidDrawing as error:
        return type(error).__name__


def choose_readable(network: Network, digits: list[Handwriting], random: Random) -> Iterator[Handwriting]:
    """Yield those that the network reads rightly when they are drawn plainly."""
    return (digit for digit in digits if read(network, plain(random, TUNED, digit)) == digit.label)


def main() -> None:
    """Print a line for each kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*")
    parser.add_argument("--strokes", type=Path)
    parser.add_argument("--mnist", type=Path)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", default="digits")
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--keep", type=Path, help="a folder for the pictures that are misread")
    options = parser.parse_args()
    random, look = np.random.default_rng(options.seed), HELD_OUT if options.held_out else TUNED
    network = Library(Settings().built_in_models).network(options.model)
    digits = read_handwriting(options.strokes, options.mnist, random)[: options.count * 2]
    readable = list(choose_readable(network, digits, random))[: options.count]
    for kind in KINDS:
        if options.kinds and kind.__name__ not in options.kinds:
            continue
        right, seconds = 0, []
        for number, digit in enumerate(readable):
            picture = kind(np.random.default_rng((options.seed, number)), look, digit)
            start = time.perf_counter()
            label = read(network, picture)
            seconds.append(time.perf_counter() - start)
            right += label == digit.label
            if label != digit.label and options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                (options.keep / f"{kind.__name__}_{number:03}_is{digit.label}_read{label}.png").write_bytes(picture)
        share = 100 * right / len(readable)
        print(
            f"{kind.__name__:16} {right:4} of {len(readable)} ({share:.1f} %), {np.median(seconds) * 1000:.1f} ms",
            flush=True,
        )


if __name__ == "__main__":
    main()
