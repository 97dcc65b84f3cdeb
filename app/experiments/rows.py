"""Rows of an experiment's table: typed, and each column with its title and unit."""

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, NamedTuple

Value = str | int | float | None  # None where there is nothing to measure


class Unit(StrEnum):
    """What a column's values are."""

    TEXT = "text"
    COUNT = "count"
    SHARE = "share"  # from 0 to 1
    DIFFERENCE = "difference"  # of two shares, or the standard error of one: from -1 to 1, shown in points
    NUMBER = "number"


class Column(NamedTuple):
    """A column of a table."""

    name: str  # the field's
    title: str
    unit: Unit


def column(title: str, unit: Unit = Unit.SHARE) -> Any:
    """Declare a field of a row as a column with this title."""
    return field(metadata={"title": title, "unit": unit})


@dataclass(frozen=True)
class Row:
    """One line of a table. Each experiment has a subclass, whose fields are the columns."""

    @classmethod
    def columns(cls) -> tuple[Column, ...]:
        """Return the table's columns, in order."""
        return tuple(Column(each.name, each.metadata["title"], each.metadata["unit"]) for each in fields(cls))

    @property
    def values(self) -> tuple[Value, ...]:
        """The values of all columns, in order."""
        return tuple(getattr(self, each.name) for each in fields(self))
