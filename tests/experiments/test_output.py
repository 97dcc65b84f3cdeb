"""Results as text, CSV and JSON, and the numbers in sentences."""

import csv
import io
import json

import pytest

from app.experiments.catalogue import find_experiment
from app.experiments.output import command_line, show, show_fact, to_csv, to_document, to_text
from app.experiments.rows import Column, Unit
from app.experiments.words import listed, number, percent, points
from tests.experiments.networks import make_network, make_subject
from tests.small_models import build_digits

RESULT = find_experiment("resolution").run(make_subject(make_network(build_digits(), name="my model")))


def test_csv_has_every_number_in_full() -> None:
    head, *lines = csv.reader(io.StringIO(to_csv(RESULT)))
    assert head == ["shrinking", "side", "accuracy", "error", "lost", "lost_error"]
    assert [tuple(map(str, row.values)) for row in RESULT.rows] == list(map(tuple, lines))


def test_json_has_everything() -> None:
    document = json.loads(json.dumps(to_document(RESULT)))
    assert document["rows"][3] == dict(zip(csv_head(), RESULT.rows[3].values, strict=True))
    assert [column["name"] for column in document["columns"]] == csv_head()
    assert document["conclusion"] == RESULT.conclusion.sentence and document["verdict"] == RESULT.conclusion.verdict
    assert document["command"] == "layerglass experiment resolution --model 'my model' --digits 30"


def csv_head() -> list[str]:
    return next(csv.reader(io.StringIO(to_csv(RESULT))))


def test_text_is_aligned_and_closes_with_the_sentence() -> None:
    lines = to_text(RESULT).splitlines()
    assert lines[0].endswith("“my model” on 30 test digits.") and lines[-1].startswith("The claim ")
    assert len({line.rfind("%") for line in lines[3:9]}) == 1


def test_a_command_line_quotes_what_a_shell_would_take_apart() -> None:
    assert command_line("ink", "a;b", 100) == "layerglass experiment ink --model 'a;b' --digits 100"


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        (Unit.SHARE, 0.98765, "98.77 %"),
        (Unit.DIFFERENCE, -0.0123, "\N{MINUS SIGN}1.23"),
        (Unit.COUNT, 192_020_100, "192,020,100"),
        (Unit.NUMBER, -0.02512, "\N{MINUS SIGN}0.025"),
        (Unit.TEXT, "max", "max"),
        (Unit.SHARE, None, "–"),
    ],
)
def test_values_are_rounded_for_the_eye(unit: Unit, value: float | str | None, text: str) -> None:
    assert show(Column("name", "Title", unit), value) == text


def test_numbers_in_sentences() -> None:
    assert [percent(share) for share in (0, 1, 0.5, 0.99999, 0.00001, 0.9952)] == [
        *("0 %", "100 %", "50.0 %", "99.9 %", "0.1 %", "99.5 %")
    ]
    assert [points(each) for each in (0.01, -0.0123, 0.2)] == ["1.0 point", "1.2 points", "20.0 points"]
    assert [number(each) for each in (0.885, -0.025, -0.001)] == ["0.89", "\N{MINUS SIGN}0.03", "0.00"]
    assert [listed(each) for each in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
    assert [show_fact(each) for each in (58_800, 0.25, "a, b", None)] == ["58,800", "25.0 %", "a, b", "–"]
