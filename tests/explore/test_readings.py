"""Finding out how a network wants its drawings shown."""

import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import pytest

from app.cnn.card import Card
from app.cnn.network import Network
from app.explore import readings as readings_module
from app.explore.readings import CannotTry, try_readings
from app.explore.trials import is_sure
from app.library.readings import Reading
from app.model_files.infer_card import infer_card
from app.model_files.loading import load_model
from tests.disguised import build_disguised, build_letters
from tests.small_models import build_branches, build_picture, build_small

Open = Callable[..., Network]


@pytest.fixture
def open_model(tmp_path: Path) -> Open:
    def open_model(model: keras.Model | Path, **facts: Any) -> Network:
        """The network in a model's file, under the card that its layers tell of, with these facts."""
        path = model if isinstance(model, Path) else tmp_path / "m.keras"
        if not isinstance(model, Path):
            model.save(path)
        loaded = load_model(path)
        return Network("m", loaded.definition, infer_card(loaded, "m").model_copy(update=facts))

    return open_model


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ({"low": 0, "high": 255}, {"value_range": (0, 255)}),
        ({"low": -1, "high": 1}, {"value_range": (-1, 1)}),
        ({"dark": True}, {"ink": "dark"}),
        ({"transposed": True}, {"transposed": True}),
        ({"channels": 3}, {"fit": "digit", "ink": "bright"}),
        (
            {"low": 0, "high": 255, "dark": True, "transposed": True, "channels": 3},
            {"value_range": (0, 255), "ink": "dark", "transposed": True, "fit": "digit"},
        ),
    ],
)
def test_the_reading_that_a_network_needs_is_found(
    shown: dict[str, Any], expected: dict[str, Any], open_model: Open
) -> None:
    found = try_readings(open_model(build_disguised(**shown)))
    usual = {"value_range": (0, 1), "mean": None, "std": None, "fit": "digit", "ink": "bright", "transposed": False}
    best = found.best[0]
    assert best.reading == Reading.model_validate(usual | expected | {"classes": list(string.digits)})
    assert (found.drawings, found.what) == (50, "digits")
    assert best.right >= 48 and found.as_told is not None and found.as_told.right < 40
    assert is_sure(found)


def test_what_the_file_tells_is_right_and_nothing_else_is_tried(open_model: Open) -> None:
    network = open_model(build_disguised())
    found = try_readings(network)
    assert found.tried == 1 and [found.as_told] == found.best
    assert found.best[0].reading == Reading.of_card(network.card)
    assert not is_sure(found)


@pytest.mark.parametrize("transposed", [False, True])
def test_letters_get_their_names(transposed: bool, tmp_path: Path, open_model: Open) -> None:
    network = open_model(build_letters(tmp_path / "letters.keras", transposed))
    found = try_readings(network)
    best = found.best[0]
    assert best.reading.classes == ["–", *string.ascii_uppercase]
    assert best.reading.transposed is transposed
    assert (found.drawings, found.what) == (52, "letters") and best.right >= 45
    assert found.as_told is not None and found.as_told.reading.classes == network.card.classes
    assert is_sure(found)  # if only of what the classes are called


def test_where_the_card_names_the_classes_their_order_is_its_own(open_model: Open) -> None:
    model, classes = build_disguised(dark=True), list("9876543210")
    dense = model.layers[-1]
    if not dense.weights:
        dense = model.layers[-2]
    kernel, bias = dense.get_weights()
    dense.set_weights([kernel[:, ::-1], bias[::-1]])
    found = try_readings(open_model(model, classes=classes))
    assert found.best[0].right >= 48 and found.best[0].reading.classes == classes


def test_a_network_that_reads_no_digits_is_not_taken_for_one_that_does(open_model: Open) -> None:
    found = try_readings(open_model(build_small((28, 28, 1), 10, "softmax")))
    assert found.best[0].right < 25
    assert not is_sure(found)


@pytest.mark.parametrize(
    ("model", "facts", "reason"),
    [
        (build_branches, {}, "no small square"),
        (build_picture, {}, "neither digits nor letters"),
        (lambda: build_small((28, 28, 1), 7, "softmax"), {}, "neither digits nor letters"),
        (build_disguised, {"classes": [f"cat {number}" for number in range(10)]}, "neither digits nor letters"),
        (lambda: build_small((28, 28, 2), 10, "softmax"), {}, "no small square"),
        (lambda: build_small((28, 28, 1), 1, "sigmoid"), {"classes": ["a", "b"]}, "no list of classes"),
        (lambda: build_small((96, 96, 1), 10, "softmax"), {}, "no small square"),
    ],
)
def test_what_is_not_tried(
    model: Callable[[], keras.Model], facts: dict[str, Any], reason: str, open_model: Open
) -> None:
    with pytest.raises(CannotTry, match=reason):
        try_readings(open_model(model(), **facts))


def test_a_costly_network_is_not_tried(monkeypatch: pytest.MonkeyPatch, open_model: Open) -> None:
    network = open_model(build_disguised(dark=True))
    monkeypatch.setattr(readings_module, "MOST_SECONDS", 0)
    with pytest.raises(CannotTry, match="takes too long"):
        try_readings(network)
    monkeypatch.setattr(readings_module, "MOST_OPERATIONS", 1000)
    monkeypatch.setattr(Network, "run", None)  # it is not even run once
    with pytest.raises(CannotTry, match="takes too long"):
        try_readings(network)


def test_a_reading_says_what_a_card_says(open_model: Open) -> None:
    network = open_model(build_disguised(channels=3))
    fields = try_readings(network).best[0].reading.fields
    changed = Card.model_validate(network.card.model_dump(mode="json") | fields)
    assert Reading.of_card(changed).fields == fields
