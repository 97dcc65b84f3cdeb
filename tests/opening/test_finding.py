"""What was found in a file, on its way from one process to another."""

import json
from collections.abc import Callable

import keras
import pytest

from app.cnn.tensorflow.layers import describe_layers
from app.opening.finding import Finding, read_finding, write_finding
from app.opening.unusable import UnusableModel
from tests.small_models import build_branches, build_digits, build_picture, guess


@pytest.mark.parametrize("build", [build_digits, build_branches, build_picture])
def test_a_finding_is_read_as_it_was_written(build: Callable[[], keras.Model]) -> None:
    model = build()
    finding = Finding(guess(model, "mine"), tuple(describe_layers(model)))
    assert read_finding(json.loads(json.dumps(write_finding(finding)))) == finding


def test_a_refusal_is_read_as_it_was_written() -> None:
    read = read_finding(json.loads(json.dumps(write_finding(UnusableModel("It is “cut”.")))))
    assert isinstance(read, UnusableModel)
    assert str(read) == "It is “cut”."


@pytest.mark.parametrize(
    "change",
    [
        {"card": None},
        {"card": {"title": "only"}},
        {"card": []},
        {"layers": None},
        {"layers": [{"name": "only"}]},
        {"layers": ["conv"]},
        {"card": {"title": "\ud800"}},
    ],
    ids=str,
)
def test_anything_else_is_refused(change: dict[str, object]) -> None:
    model = build_picture()
    told = write_finding(Finding(guess(model, "mine"), tuple(describe_layers(model))))
    with pytest.raises(ValueError):
        read_finding(told | change)


@pytest.mark.parametrize("told", [None, [], 3, "reason", {}, {"reason": None}, {"reason": ["a"]}], ids=str)
def test_what_tells_nothing_is_refused(told: object) -> None:
    with pytest.raises(ValueError, match="neither of a model nor why"):
        read_finding(told)
