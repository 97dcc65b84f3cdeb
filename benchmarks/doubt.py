"""`python -m benchmarks.doubt STROKES.jsonl.gz [--model digits] [--pooling max] [--fonts FOLDER]`: what is trusted.

How sure a model is, and what it says of pictures that show no digit: on MNIST's test digits, on drawings by writers
that no training has seen, and on pictures from benchmarks/no_digits.py, which shares nothing with the training.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.cnn.network import ForwardPass, Network
from app.cnn.types import PoolingMode
from app.datasets.digits import load_test_digits
from app.explore.doubt import measure_novelty
from app.explore.evaluation import evaluate, to_image
from app.explore.forward_passes import ForwardPasses
from app.explore.prediction import predict
from app.imaging.drawing import CANVAS_SIDE, NothingDrawn, draw_strokes
from app.library.library import Library
from app.training.pen import PenDigit, read_pen_digits, split_by_writer
from app.training.rendering import draw_as_written
from benchmarks import no_digits

SEED = 77
Drawing = Image.Image | NDArray[np.uint8]  # on the canvas, or (28, 28) levels that a network is given as they are
FONTS = [Path("/usr/share/fonts")]
PENS = (8, 18, 26)  # pixels of the canvas


class Answer(NamedTuple):
    """What a network says of one picture."""

    is_doubted: bool  # with a doubt, or with a word that there are several digits
    novelty: float


class Reader:
    """Has a network read pictures, as the page would."""

    def __init__(self, network: Network, pooling: PoolingMode | None) -> None:
        self.network, self.pooling = network, pooling
        self._passes = ForwardPasses()

    def read(self, picture: Drawing) -> Answer:
        """Return what the network says of a drawing."""
        try:
            return self._judge(self._run(picture))
        except NothingDrawn:  # the page says so
            return Answer(True, float("inf"))

    def _run(self, picture: Drawing) -> ForwardPass:
        if isinstance(picture, Image.Image):
            return self._passes.run(self.network, no_digits.to_png(picture), self.pooling)
        return self.network.run(to_image(picture, self.network.card), self.pooling)

    def _judge(self, forward: ForwardPass) -> Answer:
        prediction = predict(self.network, forward)
        novelty = float("nan") if prediction.novelty is None else prediction.novelty
        return Answer(prediction.doubt is not None or bool(prediction.regions), novelty)


def draw_kinds(
    digits: list[PenDigit], fonts: list[Path], photographs: list[Path], count: int
) -> Iterator[tuple[str, Iterator[Drawing]]]:
    """Yield each kind of picture: so many of it, or all letters of each font. Those in brackets may be digits."""
    rng, mnist = np.random.default_rng(SEED), load_test_digits()

    def repeat(draw: Callable[..., Drawing], *values: Any) -> Iterator[Drawing]:
        return (draw(*values, rng) for _ in range(count))

    def choose(draw: Callable[..., Drawing], values: Sequence[Any]) -> Iterator[Drawing]:
        return (draw(values[int(rng.integers(len(values)))], rng) for _ in range(count))

    def write(letters: str, files: list[Path]) -> Iterator[Drawing]:
        return (no_digits.printed(font, letter, rng) for font in files for letter in letters)

    printed = [font for font in fonts if _is_printed(font)]
    others = [font for font in fonts if not _is_printed(font)]
    if others:
        yield f"letters, {len(others)} handwriting fonts", write(no_digits.LETTERS, others)
    if printed:
        yield f"letters, {len(printed)} printed fonts", write(no_digits.LETTERS, printed)
    yield f"(letters: {no_digits.LIKE_DIGITS})", write(no_digits.LIKE_DIGITS, fonts)
    yield "signs", choose(no_digits.sign, list(no_digits.SIGNS))
    yield "scribbles", choose(no_digits.scribble, list(no_digits.SCRIBBLES))
    for kind in no_digits.NOISES:
        yield f"noise as input, {kind}", repeat(no_digits.input_noise, kind)
    yield "noise on the pad", repeat(no_digits.pad_noise)
    yield "dots", repeat(no_digits.dots)
    yield "textures", repeat(no_digits.pattern)
    if photographs:
        yield f"parts of {len(photographs)} photographs", choose(no_digits.photograph, photographs)
    for name, gap in (("apart", 0.2), ("touching", -0.02), ("overlapping", -0.2)):
        yield f"two digits, {name}", (no_digits.side_by_side(digits, gap, 2, rng) for _ in range(count))
    yield "three digits, apart", repeat(no_digits.side_by_side, digits, 0.2, 3)
    yield "three digits, overlapping", repeat(no_digits.side_by_side, digits, -0.1, 3)
    yield "two of MNIST's digits, touching", repeat(no_digits.glued, mnist)
    yield "(halves of digits)", repeat(no_digits.cut, mnist)
    yield "(digits that lie)", repeat(no_digits.lying, mnist)


def _is_printed(font: Path) -> bool:
    return any(word in str(font).lower() for word in ("liberation", "dejavu", "stix", "/cm"))


def area_under_curve(known: NDArray[np.float64], novel: NDArray[np.float64]) -> float:
    """Return how often a picture that shows no digit is more novel than one that does: the area under the ROC curve."""
    ordered = np.sort(known)
    below, upto = np.searchsorted(ordered, novel, "left"), np.searchsorted(ordered, novel, "right")
    return float((below + upto).mean() / 2 / len(known))


def print_calibration(network: Network, pen_digits: list[PenDigit]) -> None:
    """Print the calibration error before and after the temperature, in each mode."""
    print(f"\n{network.name}: temperature {network.card.temperature}")
    own = network.card.pooling
    pens = draw_as_written(pen_digits)
    for mode in PoolingMode if own else (None,):
        for name, digits in (("MNIST's test digits", load_test_digits()), ("pen drawings", pens)):
            found = evaluate(network, digits, mode)
            errors = [replace(found, temperature=each).calibration_error() for each in (1.0, network.card.temperature)]
            note = "" if mode == own else " (not shown: not as trained)"
            print(
                f"  {mode or 'no pooling':10} {name:20} {found.accuracy:7.2%} right, calibration error "
                f"{errors[0]:6.2%} before, {errors[1]:6.2%} after{note}"
            )


def print_doubts(reader: Reader, pen_digits: list[PenDigit], options: argparse.Namespace) -> None:
    """Print what share of digits passes, and what share of each kind of other pictures is doubted."""
    known = [reader.read(levels) for levels in load_test_digits().images[:: options.every]]
    print(f"\n{reader.network.name}, {reader.pooling or 'as trained'}: doubted, and the area under the ROC curve")
    print(f"  {'test digits of MNIST pass':48} {1 - share(known):6.1%} of {len(known):,}")
    for pen in PENS:
        drawn = [
            reader.read(draw_strokes([(stroke * CANVAS_SIDE).tolist() for stroke in digit.strokes], pen_width=pen))
            for digit in pen_digits
        ]
        print(f"  {f'digits by other writers pass, pen of {pen}':48} {1 - share(drawn):6.1%} of {len(drawn):,}")
    novelties = np.array([each.novelty for each in known])
    shares = []
    fonts = no_digits.find_fonts(options.fonts)
    photographs = sorted(path for folder in options.photographs for path in folder.rglob("*.[jp][pn]g"))
    for name, pictures in draw_kinds(pen_digits, fonts, photographs, options.count):
        answers = [reader.read(picture) for picture in pictures]
        area = area_under_curve(novelties, np.array([each.novelty for each in answers]))
        print(f"  {name:48} {share(answers):6.1%} of {len(answers):5,}   {area:.3f}", flush=True)
        if not name.startswith("("):
            shares.append(share(answers))
    print(f"  {'mean of these kinds, without those in brackets':48} {np.mean(shares):6.1%}")


def share(answers: list[Answer]) -> float:
    """Return the share that is doubted."""
    return float(np.mean([each.is_doubted for each in answers]))


def print_cost(network: Network) -> None:
    """Print what the detector adds to a forward pass."""
    forward = network.run(to_image(load_test_digits().images[0], network.card))
    seconds = []
    for _ in range(300):
        start = perf_counter()
        measure_novelty(network, forward)
        seconds.append(perf_counter() - start)
    print(f"\n{network.name}: the detector takes {1000 * float(np.median(seconds)):.3f} ms a drawing")


def main() -> None:
    """Print the figures of each model that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("strokes", type=Path)
    parser.add_argument("--model", action="append", help="several times for several; default: digits")
    parser.add_argument("--pooling", type=PoolingMode, default=None)
    parser.add_argument("--fonts", type=Path, action="append", default=[])
    parser.add_argument("--photographs", type=Path, action="append", default=[])
    parser.add_argument("--count", type=int, default=200, help="of each kind")
    parser.add_argument("--every", type=int, default=1, help="read one of so many of MNIST's test digits")
    parser.add_argument("--only-calibration", action="store_true")
    options = parser.parse_args()
    options.fonts = options.fonts or FONTS
    pen_digits = split_by_writer(read_pen_digits(options.strokes)).test
    library = Library(Path("models"))
    for name in options.model or ["digits"]:
        network = library.network(name)
        print_calibration(network, pen_digits)
        if not options.only_calibration:
            print_cost(network)
            print_doubts(Reader(network, options.pooling), pen_digits, options)
    library.close()


if __name__ == "__main__":
    main()
