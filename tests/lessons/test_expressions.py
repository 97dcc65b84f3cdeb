import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lessons.errors import Fault
from app.lessons.expressions import (
    MAX_LENGTH,
    Expression,
    Reference,
    Value,
    evaluate,
    format_value,
    parse_expression,
)

FACTS: dict[str, Value] = {"layer.conv_1.width": 26, "model.weights of five-layer-dense": 98500, "answer.label": "7"}


def work_out(text: str) -> Value:
    return evaluate(parse_expression(text), lambda reference: FACTS[str(reference)])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("layer.conv_1.width", 26),
        ("layer.conv_1.width * layer.conv_1.width", 676),
        ("model.weights of five-layer-dense / 2", 49250),
        ("(1 + 2) * 3 - -4", 13),
        ("2 - 1 - 1", 0),
        ("8 / 2 / 2", 2),
        ("percent(0.25)", 25),
        ("round(10 / 3, 2)", 3.33),
        ("floor(7 / 2) + ceil(7 / 2) + sqrt(9) + abs(0 - 2)", 12),
        ("answer.label", "7"),
    ],
)
def test_is_worked_out(text: str, value: Value) -> None:
    assert work_out(text) == value


def test_a_reference_names_a_model_a_pooling_and_a_sample() -> None:
    reference = parse_expression('layer."my layer".width of five-layer-dense under min for 4')
    assert reference == Reference(("layer", "my layer", "width"), "five-layer-dense", "min", "4")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "ends too early"),
        ("1 +", "ends too early"),
        ("(1", "lacks a “)”"),
        ("1 2", "cannot be read from “2” on"),
        ("layer.", "ends too early"),
        ("layer.+", "where a name should be"),
        ("* 2", "where a number or a name should be"),
        ("exec(1)", "There is no function “exec”"),
        ("round(1)", "“round” takes 2 numbers, not 1"),
        ("a of b of c", "names two of what there is one of"),
        ("__import__('os')", "cannot be read from"),
        ("1; 2", "cannot be read from “; 2” on"),
        ("1" * 40, "at most 15 digits"),
        ("1 +" * MAX_LENGTH, f"at most {MAX_LENGTH} characters"),
        ("(" * 60 + "1" + ")" * 60, "at most 20 parentheses"),
        ("1 / 0", "divides by zero"),
        ("sqrt(0 - 4)", "has no result"),
        ("answer.label + 1", "is no number"),
        ("*".join(["999999999999999"] * 4), "too large"),
    ],
)
def test_what_is_wrong_is_said(text: str, sentence: str) -> None:
    with pytest.raises(Fault, match=r".*") as raised:
        work_out(text)
    assert sentence in str(raised.value)


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        expression: Expression = parse_expression(text)
        evaluate(expression, lambda _: 3)
    except Fault as fault:
        assert str(fault)


NUMBERS = st.integers(0, 99).map(str)
SUMS = st.recursive(
    NUMBERS,
    lambda inner: st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda parts: f"({' '.join(parts)})"),
    max_leaves=8,
)


@given(SUMS)
def test_numbers_are_joined_as_in_python(text: str) -> None:
    expected = eval(compile(ast.parse(text, mode="eval"), "sum", "eval"))  # of digits and operators alone
    assert work_out(text) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (98500, "98,500"),
        (26.0, "26"),
        (-0.03555, "\N{MINUS SIGN}0.03555"),
        (0.953712, "0.9537"),
        (99.52, "99.52"),
        (123456.7, "123,457"),
        ("3×3", "3×3"),
        (float("nan"), "nan"),
    ],
)
def test_a_value_as_it_stands_in_a_text(value: Value, text: str) -> None:
    assert format_value(value) == text
