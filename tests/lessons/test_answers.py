import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lessons.answers import check_answer, read_number
from app.lessons.errors import Fault, LessonError
from app.lessons.expressions import Expression, Reference, Value, evaluate
from app.lessons.parsing import parse_lesson
from tests.lessons.texts import PAGES, lesson, question

FACTS: dict[str, Value] = {"layer.conv_2.width": 24, "share": 0.8016, "accuracy": 99.38, "label": "min"}


def resolve(expression: Expression) -> Value:
    def look_up(reference: Reference) -> Value:
        if str(reference) not in FACTS:
            raise Fault(f"There is no {reference}.")
        return FACTS[str(reference)]

    return evaluate(expression, look_up)


def check(answer: str, *lines: str) -> tuple[bool, str]:
    asked = parse_lesson("a", lesson(question("ask: What?", *lines)), PAGES).steps[0].question
    assert asked is not None
    verdict = check_answer(asked, answer, resolve)
    return verdict.is_right, verdict.sentence


WIDTH = ("number: layer.conv_2.width", "mistake: layer.conv_2.width + 2 => It *shrinks*.", "wrong: No.", "right: Yes.")


@pytest.mark.parametrize("answer", ["24", " 24 ", "24.0", "24 cells", "2.4e1", "24,0"])
def test_a_right_number(answer: str) -> None:
    assert check(answer, *WIDTH) == (True, "Yes.")


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("26", "It <em>shrinks</em>."),
        ("25", "No."),
        ("24.1", "No."),
        ("-24", "No."),
        ("", "That is no number. Type digits, such as 42 or 0.5."),
        ("<script>", "That is no number. Type digits, such as 42 or 0.5."),
        ("24x24", "That is no number. Type digits, such as 42 or 0.5."),
    ],
)
def test_a_wrong_number_gets_a_sentence_that_helps(answer: str, sentence: str) -> None:
    assert check(answer, *WIDTH) == (False, sentence)


@pytest.mark.parametrize(
    ("answer", "tolerance", "is_right"),
    [("0.8", "", True), ("0.79", "", False), ("0.79", "0.02", True), ("0.8016", "0", True), ("0.8017", "0", False)],
)
def test_how_close_is_close(answer: str, tolerance: str, is_right: bool) -> None:
    assert check(answer, "number: share", *([f"tolerance: {tolerance}"] if tolerance else []))[0] is is_right


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,234", 1234),
        ("98 500", 98500),
        ("1'234.5", 1234.5),
        ("0,5", 0.5),
        ("\N{MINUS SIGN}3.5", -3.5),
        ("- 3", -3),
        (".5", 0.5),
        ("99.4 %", 99.4),
        ("12px", 12),
        ("١٢", None),
        ("1e999", None),
        ("nan", None),
        ("inf", None),
        ("", None),
        ("1,23,456", None),
    ],
)
def test_numbers_as_people_type_them(text: str, number: float | None) -> None:
    assert read_number(text) == number


@given(st.text(max_size=60))
def test_any_text_is_a_number_or_none(text: str) -> None:
    assert read_number(text) is None or isinstance(read_number(text), float)


CHOICES = ("choice: max", "correct: average", "choice: min", "mistake: min => Not that.")


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("1", (True, "Right.")),
        ("2", (False, "Not that.")),
        ("0", (False, "Not quite. Look again, and try once more.")),
        ("", (False, "Give an answer first.")),
        ("7", (False, "Give an answer first.")),
        ("-1", (False, "Give an answer first.")),
        ("average", (False, "Give an answer first.")),
    ],
)
def test_a_choice(answer: str, verdict: tuple[bool, str]) -> None:
    assert check(answer, *CHOICES) == verdict


def test_the_right_choice_is_the_one_that_says_what_is_computed() -> None:
    assert check("2", "choice: max", "choice: average", "choice: min", "answer: label")[0]
    assert check("1", "choice: {{ accuracy / 2 }} %", "choice: {{ accuracy }}", "answer: accuracy")[0]
    with pytest.raises(LessonError, match="Line 11: The right answer is “min”, which is not one of the choices"):
        check("0", "choice: max", "choice: average", "answer: label")


@pytest.mark.parametrize("answer", ["min", "Min.", " MIN ", "minimum", "m-i-n"])
def test_a_word(answer: str) -> None:
    assert check(answer, "word: {{ label }}", "word: minimum")[0]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [("max", "The other one."), ("mean", "Not quite. Look again, and try once more."), ("!", "Give an answer first.")],
)
def test_a_wrong_word(answer: str, sentence: str) -> None:
    assert check(answer, "word: {{ label }}", "mistake: Max => The other one.") == (False, sentence)


def test_a_question_that_cannot_be_worked_out_says_where() -> None:
    with pytest.raises(LessonError, match=r"Line 11: There is no missing\."):
        check("1", "number: missing")
    with pytest.raises(LessonError, match="Line 11: “min” is no number"):
        check("1", "number: label")
