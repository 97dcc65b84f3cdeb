"""The blocks `question` and `predict` of a lesson: lines of `key: value`."""

from collections.abc import Callable, Mapping
from typing import Any

from .errors import Fault, LessonError
from .expressions import Expression, parse_expression
from .lesson import ChoiceQuestion, Mistake, NumberQuestion, Prediction, Question, WordQuestion
from .markdown import Text, read_inline

_LEADS_TO = "=>"  # from a mistake to its sentence
_MOST_CHOICES = 8
_QUESTION_KEYS = {
    *("ask", "number", "tolerance", "unit", "choice", "correct", "answer", "word"),
    *("mistake", "right", "wrong"),
}
_REPEATED = {"choice", "correct", "word", "mistake"}

Lines = list[tuple[int, str, str]]  # line, key, value


def read_prediction(content: str, first: int, complete: Callable[[str], str]) -> Prediction:
    """Read a block `predict`. first: the line of its first line. Raises: LessonError."""
    lines = _read_lines(content, first, {"ask", "choice"})
    choices = tuple(read_inline(value, line, complete) for line, key, value in lines if key == "choice")
    if not 2 <= len(choices) <= _MOST_CHOICES:
        raise LessonError(
            first, f"A prediction has 2 to {_MOST_CHOICES} lines “choice: …”; this one has {len(choices)}."
        )
    return Prediction(_ask(lines, first, complete), choices)


def read_question(content: str, first: int, complete: Callable[[str], str]) -> Question:
    """Read a block `question`. first: the line of its first line. Raises: LessonError."""
    lines = _read_lines(content, first, _QUESTION_KEYS)
    keys = {key for _, key, _ in lines}
    kinds = [make for marks, make in _KINDS if marks & keys]
    if len(kinds) != 1:
        raise LessonError(first, "A question has either “number: …”, or lines “choice: …”, or lines “word: …”.")
    texts: dict[str, Text | None] = {"right": None, "wrong": None}
    texts |= {key: read_inline(value, line, complete) for line, key, value in lines if key in texts}
    common = {"line": first, "ask": _ask(lines, first, complete), **texts}
    return kinds[0](lines, first, complete, common)


def _read_lines(content: str, first: int, keys: set[str]) -> Lines:
    lines: Lines = []
    for number, text in enumerate(content.splitlines(), first):
        if not text.strip():
            continue
        key, colon, value = (part.strip() for part in text.partition(":"))
        if not colon or key not in keys:
            raise LessonError(number, f"Here stand lines of “key: value”. The keys are: {', '.join(sorted(keys))}.")
        if not value:
            raise LessonError(number, "There is nothing after the colon.")
        if key not in _REPEATED and any(key == other for _, other, _ in lines):
            raise LessonError(number, f"“{key}” is there twice.")
        lines.append((number, key, value))
    return lines


def _ask(lines: Lines, first: int, complete: Callable[[str], str]) -> Text:
    for line, key, value in lines:
        if key == "ask":
            return read_inline(value, line, complete)
    raise LessonError(first, "Here lacks an “ask: …”, the question itself.")


def _read_number(lines: Lines, first: int, complete: Callable[[str], str], common: Mapping[str, Any]) -> Question:
    _refuse(lines, {"choice", "correct", "answer", "word"})
    values = {key: (line, value) for line, key, value in lines}
    return NumberQuestion(
        **common,
        number=_read(*values["number"]),
        tolerance=_read(*values["tolerance"]) if "tolerance" in values else None,
        unit=values["unit"][1] if "unit" in values else "",
        mistakes=_read_mistakes(lines, complete, _read),
    )


def _read_choices(lines: Lines, first: int, complete: Callable[[str], str], common: Mapping[str, Any]) -> Question:
    _refuse(lines, {"number", "tolerance", "unit", "word"})
    offered = [(line, key, value) for line, key, value in lines if key in {"choice", "correct"}]
    answers = [(line, value) for line, key, value in lines if key == "answer"]
    correct = [index for index, (_, key, _) in enumerate(offered) if key == "correct"]
    if not 2 <= len(offered) <= _MOST_CHOICES:
        raise LessonError(first, f"A question has 2 to {_MOST_CHOICES} choices; this one has {len(offered)}.")
    if len(correct) + len(answers) != 1:
        raise LessonError(
            first, "One choice is right: write it as “correct: …”, or say what it says by “answer: …”, computed."
        )
    return ChoiceQuestion(
        **common,
        choices=tuple(read_inline(value, line, complete) for line, _, value in offered),
        correct=correct[0] if correct else None,
        answer=_read(*answers[0]) if answers else None,
        mistakes=_read_mistakes(lines, complete, lambda line, text: read_inline(text, line, complete)),
    )


def _read_words(lines: Lines, first: int, complete: Callable[[str], str], common: Mapping[str, Any]) -> Question:
    _refuse(lines, {"number", "tolerance", "unit", "choice", "correct", "answer"})
    return WordQuestion(
        **common,
        words=tuple(read_inline(value, line, complete) for line, key, value in lines if key == "word"),
        mistakes=_read_mistakes(lines, complete, lambda line, text: read_inline(text, line, complete)),
    )


_KINDS = (
    ({"number"}, _read_number),
    ({"choice", "correct"}, _read_choices),
    ({"word"}, _read_words),
)


def _refuse(lines: Lines, keys: set[str]) -> None:
    for line, key, _ in lines:
        if key in keys:
            raise LessonError(line, f"“{key}” belongs to another kind of question.")


def _read(line: int, text: str) -> Expression:
    try:
        return parse_expression(text)
    except Fault as fault:
        raise LessonError(line, str(fault)) from None


def _read_mistakes(
    lines: Lines, complete: Callable[[str], str], read: Callable[[int, str], Expression | Text]
) -> tuple[Mistake, ...]:
    mistakes = []
    for line, key, value in lines:
        if key != "mistake":
            continue
        answer, arrow, sentence = (part.strip() for part in value.partition(_LEADS_TO))
        if not (answer and arrow and sentence):
            raise LessonError(line, f"A mistake is written “mistake: the answer {_LEADS_TO} a sentence about it”.")
        mistakes.append(Mistake(read(line, answer), read_inline(sentence, line, complete)))
    return tuple(mistakes)
