"""What was found in a file, on its way from one process to another."""

import json
from collections.abc import Callable

import keras
import pytest

from app.model_files.errors import ModelError
from app.model_files.serialization import ScanResult, dump_scan_result, parse_scan_result
from tests.keras_layers import describe_layers
from tests.small_models import build_branches, build_digits, build_picture, guess


@pytest.mark.parametrize("build", [build_digits, build_branches, build_picture])
def test_a_finding_is_read_as_it_was_written(build: Callable[[], keras.Model]) -> None:
    model = build()
    finding = ScanResult(guess(model, "mine"), tuple(describe_layers(model)))
    assert parse_scan_result(json.loads(json.dumps(dump_scan_result(finding)))) == finding


def test_a_refusal_is_read_as_it_was_written() -> None:
    read = parse_scan_result(json.loads(json.dumps(dump_scan_result(ModelError("It is “cut”.")))))
    assert isinstance(read, ModelError)
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
    told = dump_scan_result(ScanResult(guess(model, "mine"), tuple(describe_layers(model))))
    with pytest.raises(ValueError):
        parse_scan_result(told | change)


@pytest.mark.parametrize("told", [None, [], 3, "reason", {}, {"reason": None}, {"reason": ["a"]}], ids=str)
def test_what_tells_nothing_is_refused(told: object) -> None:
    with pytest.raises(ValueError, match="neither a scan result nor a refusal"):
        parse_scan_result(told)
