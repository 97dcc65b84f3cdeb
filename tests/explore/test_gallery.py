"""Which digits are shown, and what is told of them."""

import io
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from app.datasets.digits import Digits
from app.explore.evaluation import Evaluation
from app.explore.gallery import (
    PAGE_TILES,
    Choice,
    Found,
    NoSuchPage,
    NotEvaluated,
    Order,
    choose,
    make_matrix,
    show_page,
)

LABELS = [1, 0, 1, 0]
IMAGES = np.arange(4 * 28 * 28, dtype=np.uint8).reshape(4, 28, 28)
FEW = Digits(IMAGES, np.array(LABELS, np.uint8))
EVALUATION = Evaluation(
    ("0", "1", "never"),
    np.array(LABELS),
    np.array([[0.1, 0.9, 0], [0.7, 0.3, 0], [0.6, 0.4, 0], [0.95, 0.05, 0]]),
)
INDICES = np.array([10, 20, 30, 40])


@pytest.mark.parametrize(
    ("choice", "places"),
    [
        (Choice(), [0, 1, 2, 3]),
        (Choice(label="1"), [0, 2]),
        (Choice(label="7"), []),
        (Choice(read="0"), [1, 2, 3]),
        (Choice(label="1", read="0"), [2]),
        (Choice(Found.RIGHT), [0, 1, 3]),
        (Choice(Found.WRONG), [2]),
        (Choice(Found.UNSURE), [1, 2]),
        (Choice(Found.UNSURE, threshold=0.7), [2]),
        (Choice(order=Order.CONFIDENCE), [2, 1, 0, 3]),
        (Choice(Found.RIGHT, order=Order.CONFIDENCE), [1, 0, 3]),
    ],
)
def test_digits_are_chosen_and_ordered(choice: Choice, places: Sequence[int]) -> None:
    assert choose(FEW, choice, EVALUATION).tolist() == places


def test_classes_that_are_no_digits_are_chosen_by_both() -> None:
    parity = Evaluation(("even", "odd"), np.array([1, 0, 1, 0]), np.array([[0, 1], [1, 0], [1, 0], [1, 0]], float))
    assert choose(FEW, Choice(label="even"), parity).tolist() == [1, 3]
    assert choose(FEW, Choice(label="1", read="even"), parity).tolist() == [2]


def test_without_answers_only_what_the_digits_are_can_be_asked() -> None:
    assert choose(FEW, Choice(label="0")).tolist() == [1, 3]
    for choice in (Choice(Found.WRONG), Choice(read="1"), Choice(order=Order.CONFIDENCE)):
        with pytest.raises(NotEvaluated, match="Run the model"):
            choose(FEW, choice)


def test_a_tile_tells_what_the_model_makes_of_it() -> None:
    page = show_page(FEW, INDICES, Choice(Found.UNSURE), EVALUATION)
    assert (page.total, page.pages, page.first, page.last) == (2, 1, 1, 2)
    right, wrong = page.tiles
    assert (right.number, right.label, right.read, right.confidence) == (20, 0, "0", 0.7)
    assert right.is_right and right.is_unsure
    assert (wrong.number, wrong.label, wrong.read) == (30, 1, "0") and not wrong.is_right
    with Image.open(io.BytesIO(wrong.png)) as picture:
        assert np.array_equal(np.asarray(picture), 255 - IMAGES[2])


def test_pages_end() -> None:
    count = PAGE_TILES + 1
    many = Digits(np.zeros((count, 28, 28), np.uint8), np.zeros(count, np.uint8))
    last = show_page(many, np.arange(count), Choice(), None, 2)
    assert (last.pages, last.first, last.last, len(last.tiles)) == (2, count, count, 1)
    for number in (0, 3, -1):
        with pytest.raises(NoSuchPage, match="There are pages 1 to 2"):
            show_page(many, np.arange(count), Choice(), None, number)
    empty = show_page(many, np.arange(count), Choice(label="3"), None)
    assert (empty.total, empty.pages, empty.first, empty.last) == (0, 1, 0, 0)


def test_the_matrix_has_the_classes_that_occur() -> None:
    matrix = make_matrix(EVALUATION)
    assert matrix.columns == ("0", "1")
    zeros, ones = matrix.rows
    assert (zeros.label, zeros.count, zeros.wrong, zeros.read_as) == ("0", 2, 0, (2, 0))
    assert (ones.label, ones.accuracy, ones.share_wrong, ones.read_as) == ("1", 0.5, 0.5, (1, 1))
