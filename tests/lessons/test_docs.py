"""docs/lessons.md tells all that a lesson may say, and its example is one."""

import re
from collections.abc import Collection
from pathlib import Path

import pytest

from app.lessons import vocabulary as words
from app.lessons.blocks import _QUESTION_KEYS
from app.lessons.expressions import FUNCTIONS
from app.lessons.front_matter import CONTROLS
from app.lessons.parsing import parse_lesson
from app.lessons.viewing import find_faults
from app.lessons.vocabulary import Vocabulary
from tests.lessons.texts import PAGES

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs" / "lessons.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([^`\n]*)`", TEXT))
FACTS: dict[str, Collection[str]] = {
    "layer.NAME": words.LAYER_FACTS,
    "model": words.MODEL_FACTS,
    "input": words.INPUT_FACTS,
    "answer": words.ANSWER_FACTS,
    "cell": words.CELL_FACTS,
    "digits": words.DATA_FACTS,
}


@pytest.mark.parametrize("of", FACTS)
def test_every_fact_is_named(of: str) -> None:
    rows = [line for line in TEXT.splitlines() if line.startswith(f"| `{of}.")]
    named = {name.removeprefix(f"{of}.") for row in rows for name in re.findall(r"`([^`]*)`", row.split(" | ")[0])}
    assert named == set(FACTS[of])


def test_every_key_control_and_function_is_named() -> None:
    assert _QUESTION_KEYS <= NAMED
    assert set(CONTROLS) <= NAMED
    assert all(any(name == each or each.startswith(f"{name}(") for each in NAMED) for name in FUNCTIONS)


def test_the_example_is_a_lesson(vocabulary: Vocabulary) -> None:
    (example,) = re.findall(r"````markdown\n(.*?)````", TEXT, flags=re.DOTALL)
    lesson = parse_lesson("thin-strokes", example, PAGES)
    assert (len(lesson.steps), lesson.questions) == (1, 1)
    assert list(find_faults(lesson, vocabulary)) == []


def test_what_can_be_hidden_is_hidden() -> None:
    style = (ROOT / "static" / "css" / "lesson.css").read_text(encoding="utf-8")
    assert set(re.findall(r'data-hides~="(\w+)"', style)) == set(CONTROLS)
