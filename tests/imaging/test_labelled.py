"""The drawings that a network of which nothing is known is tried on."""

import string
from collections import Counter
from pathlib import Path

from app.cnn.card import read_card
from app.cnn.network import Network
from app.explore.forward_passes import preprocess
from app.imaging.drawing import CANVAS_SIDE
from app.imaging.labelled import labelled_drawings
from app.model_files.loading import load_model
from app.settings import resource


def test_there_are_five_of_each_digit_and_two_of_each_letter() -> None:
    counted = Counter(drawing.label for drawing in labelled_drawings(string.digits + string.ascii_letters))
    assert counted == dict.fromkeys(string.digits, 5) | dict.fromkeys(string.ascii_letters, 2)


def test_each_label_comes_once_before_any_comes_twice() -> None:
    labels = [drawing.label for drawing in labelled_drawings(string.digits)]
    assert [set(labels[first : first + 10]) for first in range(0, 50, 10)] == [set(string.digits)] * 5
    assert labels[:10] != sorted(labels[:10])


def test_they_are_always_the_same_whatever_else_is_asked_for() -> None:
    assert labelled_drawings("0123456789") == labelled_drawings(["9", *string.digits, "what nobody drew", "–"])
    assert labelled_drawings(["cat", ""]) == []


def test_they_lie_on_the_canvas_and_differ_in_size() -> None:
    sizes = set()
    for drawing in labelled_drawings(string.digits + string.ascii_letters):
        places = [place for stroke in drawing.strokes for point in stroke for place in point]
        assert min(places) >= 0 and max(places) <= CANVAS_SIDE
        columns = [x for stroke in drawing.strokes for x, _ in stroke]
        rows = [y for stroke in drawing.strokes for _, y in stroke]
        sizes.add(round(max(max(columns) - min(columns), max(rows) - min(rows))))
    assert min(sizes) < 150 and max(sizes) > 210


def test_the_network_that_came_with_the_app_reads_the_digits() -> None:
    path: Path = resource("models") / "digits.keras"
    network = Network("digits", load_model(path).definition, read_card(path.with_suffix(".json")))
    drawings = labelled_drawings(string.digits)
    answers = [network.run(preprocess(drawing.png, network.card)).output.argmax() for drawing in drawings]
    assert sum(str(answer) == drawing.label for answer, drawing in zip(answers, drawings, strict=True)) >= 48


def test_whose_digits_they_are_stands_in_the_file() -> None:
    text = (resource("app") / "imaging" / "pen_digits.json").read_text()
    assert "Alpaydin" in text and "CC BY 4.0" in text
