"""A result as text, as CSV, and as plain JSON values."""

import csv
import io
import shlex
from collections.abc import Sequence
from typing import Any

from .experiment import Result
from .rows import Column, Unit, Value
from .words import percent

_EMPTY = "–"


def command_line(name: str, model: str, digits: int) -> str:
    """Return the command that computes the same again."""
    return shlex.join(["layerglass", "experiment", name, "--model", model, "--digits", str(digits)])


def to_csv(result: Result) -> str:
    """Return the table as CSV, with the fields' names above and every number in full."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in result.experiment.row.columns()])
    writer.writerows(row.values for row in result.rows)
    return text.getvalue()


def to_document(result: Result) -> dict[str, Any]:
    """Return everything as plain values for JSON."""
    experiment = result.experiment
    columns = experiment.row.columns()
    return {
        "name": experiment.name,
        "question": experiment.question,
        "claim": experiment.claim,
        "method": experiment.method,
        "criterion": experiment.criterion,
        "model": result.model,
        "digits": result.digits,
        "columns": [column._asdict() for column in columns],
        "rows": [dict(zip((column.name for column in columns), row.values, strict=True)) for row in result.rows],
        "facts": [fact._asdict() for fact in result.facts],
        "verdict": result.conclusion.verdict.value,
        "conclusion": result.conclusion.sentence,
        "command": command_line(experiment.name, result.model, result.digits),
    }


def to_text(result: Result) -> str:
    """Return the table with its question, its other numbers, and the sentence that closes it, for a terminal."""
    columns = result.experiment.row.columns()
    table = [[column.title for column in columns]]
    table += [list(map(show, columns, row.values)) for row in result.rows]
    facts = [f"{fact.title}: {show_fact(fact.value)}" for fact in result.facts]
    claim = f"The claim {result.conclusion.verdict}. {result.conclusion.sentence}"
    heading = f"{result.experiment.question} “{result.model}” on {result.digits:,} test digits."
    return "\n".join([heading, "", *_align(table, columns), "", *facts, *[""] * bool(facts), claim])


def show(column: Column, value: Value) -> str:
    """Write a value of a column, rounded."""
    match value:
        case None:
            return _EMPTY
        case str():
            return value
        case _ if column.unit is Unit.SHARE:
            return f"{100 * value:.2f} %".replace("-", "\N{MINUS SIGN}")
        case _ if column.unit is Unit.DIFFERENCE:
            return f"{100 * value:.2f}".replace("-", "\N{MINUS SIGN}")
        case int():
            return f"{value:,}"
        case _:
            return f"{value:.3f}".replace("-", "\N{MINUS SIGN}")


def show_fact(value: Value) -> str:
    """Write a number that stands beside the table: a share in percent, a count in full."""
    return percent(value) if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value or _EMPTY


def _align(table: Sequence[Sequence[str]], columns: Sequence[Column]) -> list[str]:
    """Pad each column to its widest cell: text at the left, numbers at the right."""
    widths = [max(map(len, cells)) for cells in zip(*table, strict=True)]
    lines = []
    for row in table:
        cells = [
            cell.ljust(width) if column.unit is Unit.TEXT else cell.rjust(width)
            for cell, width, column in zip(row, widths, columns, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return lines
