import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.training.mnist import BadInput
from app.training.pen import PenDigit, read_pen_digits, split_by_writer

GOOD: dict[str, Any] = {"label": 8, "writer": 12, "strokes": [[[0, 500], [250, 0]], [[500, 125]]]}


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def test_turns_y_down_and_the_tablet_into_a_sheet_of_side_one(tmp_path: Path) -> None:
    (digit,) = read_pen_digits(write(tmp_path / "s.jsonl", GOOD))
    assert (digit.label, digit.writer) == (8, 12)
    np.testing.assert_allclose(digit.strokes[0], [[0.0, 0.0], [0.5, 1.0]])
    np.testing.assert_allclose(digit.strokes[1], [[1.0, 0.75]])


def test_reads_gzip(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(GOOD).encode()))
    assert len(read_pen_digits(path)) == 1


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("{", "it is not JSON"),
        ("", "it is not JSON"),
        ("[1, 2]", ""),
        ("null", ""),
        (GOOD | {"label": 10}, "its label is 10"),
        (GOOD | {"label": "8"}, "its label is '8'"),
        (GOOD | {"label": True}, "its label is True"),
        (GOOD | {"writer": None}, "its writer is None"),
        (GOOD | {"strokes": []}, "no strokes"),
        (GOOD | {"strokes": [[]]}, "a stroke without points"),
        (GOOD | {"strokes": [[[1, 2, 3]]]}, ""),
        (GOOD | {"strokes": [[["a", 2]]]}, ""),
        (GOOD | {"strokes": [[[1, 501]]]}, "outside the tablet"),
        (GOOD | {"strokes": [[[1, float("nan")]]]}, "outside the tablet"),
        ({"label": 1, "writer": 1}, "it has no strokes"),
    ],
)
def test_names_a_broken_line_by_its_number(tmp_path: Path, row: object, complaint: str) -> None:
    path = write(tmp_path / "s.jsonl", GOOD, GOOD, row, GOOD)
    with pytest.raises(BadInput, match=rf"s\.jsonl, line 3, is not a digit: .*{complaint}"):
        read_pen_digits(path)


def test_refuses_an_empty_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="empty"):
        read_pen_digits(write(tmp_path / "s.jsonl"))


def test_names_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="There is no file"):
        read_pen_digits(tmp_path / "s.jsonl")


@pytest.mark.parametrize("kept", [-8, 20])
def test_refuses_a_truncated_gzip(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "s.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(GOOD).encode() + b"\n")[:kept])
    with pytest.raises(BadInput, match="cut short"):
        read_pen_digits(path)


def test_refuses_text_that_is_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match="cannot be read"):
        read_pen_digits(path)


def test_no_writer_is_in_two_parts() -> None:
    split = split_by_writer(PenDigit(0, writer, ()) for writer in range(1, 31) for _ in range(3))
    writers = [{digit.writer for digit in part} for part in split]
    assert writers[1] == {5, 15, 25}
    assert writers[2] == {10, 20, 30}
    assert writers[0] == set(range(1, 31)) - writers[1] - writers[2]
    assert sum(len(part) for part in split) == 90


@pytest.mark.parametrize("missing", [0, 1, 5])
def test_every_part_needs_a_writer(missing: int) -> None:
    with pytest.raises(BadInput, match="by more writers"):
        split_by_writer(PenDigit(0, writer, ()) for writer in {0, 1, 5} - {missing})
