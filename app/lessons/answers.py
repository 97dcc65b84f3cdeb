"""Checks an answer that a student gives to a question."""

import math
import re
from dataclasses import dataclass

from markdown_it.common.utils import escapeHtml

from .errors import Fault, LessonError
from .expressions import Expression, Value, format_value
from .lesson import ChoiceQuestion, Mistake, NumberQuestion, Question, WordQuestion
from .markdown import Resolve, Text

MOST_CHARACTERS = 200  # of an answer
_RELATIVE_TOLERANCE = 0.01  # of an answer that is no whole number
_ROUNDING = 1e-9

_SEPARATOR = re.compile(r"[,\u00a0\u202f' ]")
_GROUPED = re.compile(r"[0-9]{1,3}([,\u00a0\u202f' ][0-9]{3})+(\.[0-9]+)?")
_DECIMAL_COMMA = re.compile(r"[0-9]+,[0-9]+")
_NUMBER = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_AFTER = re.compile(r"[^0-9.]+$")  # a unit
_NO_LETTERS = re.compile(r"[\W_]+")
_NO_NUMBER = "That is no number. Type digits, such as 42 or 0.5."
_WRONG = "Not quite. Look again, and try once more."
_RIGHT = "Right."


@dataclass(frozen=True)
class Verdict:
    """What is said of an answer: HTML whose every part is escaped."""

    is_right: bool
    sentence: str
    answer: str  # the right one


def check_answer(question: Question, answer: str, resolve: Resolve) -> Verdict:
    """Check an answer. Raises: LessonError, where the question itself cannot be worked out."""
    is_right, mistake = False, None
    readable = True
    text = answer[:MOST_CHARACTERS].strip()
    if isinstance(question, NumberQuestion):
        given = read_number(text)
        readable = given is not None
        if given is not None:
            is_right = _is_close(given, _number(question.number, question, resolve), question, resolve)
            mistake = next((each for each in question.mistakes if _is_same(given, each, question, resolve)), None)
    elif isinstance(question, ChoiceQuestion):
        chosen = int(text) if text.isascii() and text.isdecimal() and len(text) < 3 else -1
        is_right = chosen == right_choice(question, resolve)
        said = question.choices[chosen].plain(resolve) if 0 <= chosen < len(question.choices) else ""
        readable = bool(said)
        mistake = _find_word(question.mistakes, said, resolve)
    elif isinstance(question, WordQuestion):
        is_right = any(_letters(word.plain(resolve)) == _letters(text) for word in question.words)
        readable = bool(_letters(text))
        mistake = _find_word(question.mistakes, text, resolve)
    if is_right:
        sentence = question.right.render(resolve) if question.right else _RIGHT
    elif not readable:
        sentence = _NO_NUMBER if isinstance(question, NumberQuestion) else "Give an answer first."
    elif mistake:
        sentence = mistake.sentence.render(resolve)
    else:
        sentence = question.wrong.render(resolve) if question.wrong else _WRONG
    return Verdict(is_right, sentence, right_answer(question, resolve))


def right_answer(question: Question, resolve: Resolve) -> str:
    """Return the right answer as HTML. Raises: LessonError."""
    if isinstance(question, NumberQuestion):
        value = format_value(_number(question.number, question, resolve))
        return f"{value} {escapeHtml(question.unit)}".strip()
    if isinstance(question, ChoiceQuestion):
        return question.choices[right_choice(question, resolve)].render(resolve)
    assert isinstance(question, WordQuestion)
    return question.words[0].render(resolve)


def right_choice(question: ChoiceQuestion, resolve: Resolve) -> int:
    """Return the index of the right choice. Raises: LessonError, where none says what is computed."""
    if question.correct is not None:
        return question.correct
    assert question.answer is not None
    wanted = format_value(_located(question.answer, question, resolve))
    said = [each.plain(resolve) for each in question.choices]
    if said.count(wanted) != 1:
        raise LessonError(
            question.line, f"The right answer is “{wanted}”, which is not one of the choices: {', '.join(said)}."
        )
    return said.index(wanted)


def read_number(text: str) -> float | None:
    """Read a number as people type it: with commas between thousands or for the point, a unit. None if it is none."""
    text = _AFTER.sub("", text.strip().replace("\N{MINUS SIGN}", "-"))
    sign, digits = ("-", text[1:].lstrip()) if text.startswith("-") else ("", text)
    if _GROUPED.fullmatch(digits):
        digits = _SEPARATOR.sub("", digits)
    elif _DECIMAL_COMMA.fullmatch(digits):
        digits = digits.replace(",", ".")
    if not _NUMBER.fullmatch(digits):
        return None
    value = float(sign + digits)
    return value if math.isfinite(value) else None


def _is_close(given: float, right: float, question: NumberQuestion, resolve: Resolve) -> bool:
    if question.tolerance is not None:
        tolerance = _number(question.tolerance, question, resolve)
    else:
        tolerance = 0 if float(right).is_integer() else _RELATIVE_TOLERANCE * abs(right)
    return abs(given - right) <= tolerance + _ROUNDING * abs(right)


def _is_same(given: float, mistake: Mistake, question: NumberQuestion, resolve: Resolve) -> bool:
    assert not isinstance(mistake.answer, Text)
    return _is_close(given, _number(mistake.answer, question, resolve), question, resolve)


def _find_word(mistakes: tuple[Mistake, ...], said: str, resolve: Resolve) -> Mistake | None:
    for each in mistakes:
        assert isinstance(each.answer, Text)
        if _letters(each.answer.plain(resolve)) == _letters(said):
            return each
    return None


def _letters(text: str) -> str:
    """Return a word without what does not count: capitals, spaces, punctuation."""
    return _NO_LETTERS.sub("", text.casefold())


def _number(expression: Expression, question: Question, resolve: Resolve) -> float:
    value = _located(expression, question, resolve)
    if isinstance(value, str):
        raise LessonError(question.line, f"“{value}” is no number.")
    return value


def _located(expression: Expression, question: Question, resolve: Resolve) -> Value:
    try:
        return resolve(expression)
    except Fault as fault:
        raise LessonError(question.line, str(fault)) from None


def work_out(question: Question, resolve: Resolve) -> None:
    """Work out everything that a question may say. Raises: LessonError."""
    right_answer(question, resolve)
    for text in (question.right, question.wrong, *(each.sentence for each in question.mistakes)):
        if text is not None:
            text.render(resolve)
    for mistake in question.mistakes:
        if isinstance(mistake.answer, Text):
            mistake.answer.plain(resolve)
        else:
            _number(mistake.answer, question, resolve)
    if isinstance(question, NumberQuestion) and question.tolerance is not None:
        _number(question.tolerance, question, resolve)
    if isinstance(question, WordQuestion):
        for word in question.words:
            word.plain(resolve)
