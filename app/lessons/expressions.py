"""Expressions in a lesson's text: `{{ layer.conv_1.width * layer.conv_1.height }}`.

    sum        product {("+" | "-") product}
    product    factor {("*" | "/") factor}
    factor     NUMBER | "-" factor | "(" sum ")" | FUNCTION "(" sum {"," sum} ")" | reference
    reference  WORD {"." WORD} {"of" MODEL | "under" POOLING | "for" SAMPLE}

A minus between two names needs spaces around it, since names may have dashes. A name with other characters stands in
quotation marks. Nothing here runs code: a reference is looked up by whoever evaluates.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from .errors import Fault

MAX_LENGTH = 300  # characters of an expression
_MAX_DEPTH = 20  # parentheses in parentheses
_LARGEST = 1e15  # beyond which a float no longer tells whole numbers apart

Value = int | float | str

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>\d+(?:\.\d+)?(?![\w.]))
      | "(?P<quoted>[^"]+)"
      | (?P<word>\w+(?:-\w+)*)
      | (?P<mark>[-+*/().,])
    )""",
    re.VERBOSE,
)


class Reference(NamedTuple):
    """A fact that is asked for: `layer.pool_1.width of digits under min for 4`."""

    path: tuple[str, ...]
    model: str | None = None  # None is the step's own, and so the next two
    pooling: str | None = None
    sample: str | None = None

    def __str__(self) -> str:
        told = ((" of ", self.model), (" under ", self.pooling), (" for ", self.sample))
        return ".".join(self.path) + "".join(f"{word}{each}" for word, each in told if each is not None)


@dataclass(frozen=True)
class Operation:
    """Two numbers joined by an arithmetic operator."""

    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True)
class Call:
    """A function of numbers."""

    function: str
    arguments: tuple["Expression", ...]


Expression = int | float | Reference | Operation | Call

# Each with the number of its arguments.
FUNCTIONS: dict[str, tuple[int, Callable[..., float]]] = {
    "percent": (1, lambda share: 100 * share),
    "round": (2, lambda value, decimals: round(value, max(0, min(9, int(decimals))))),
    "floor": (1, math.floor),
    "ceil": (1, math.ceil),
    "sqrt": (1, math.sqrt),
    "abs": (1, abs),
}
_OPERATORS: dict[str, Callable[[float, float], float]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right,
}


def parse_expression(text: str) -> Expression:
    """Read an expression. Raises: Fault."""
    if len(text) > MAX_LENGTH:
        raise Fault(f"An expression has at most {MAX_LENGTH} characters; this one has {len(text)}.")
    return _Parser(text).parse()


def evaluate(expression: Expression, look_up: Callable[[Reference], Value]) -> Value:
    """Return an expression's value. Raises: Fault, and what look_up raises."""
    if isinstance(expression, Reference):
        return look_up(expression)
    if isinstance(expression, int | float):
        return expression
    arguments = (
        expression.arguments if isinstance(expression, Call) else (expression.left, expression.right)
    )  # of a function or an operator
    values = [_number(evaluate(each, look_up)) for each in arguments]
    name = expression.function if isinstance(expression, Call) else expression.operator
    compute = FUNCTIONS[name][1] if isinstance(expression, Call) else _OPERATORS[name]
    try:
        result = compute(*values)
    except ZeroDivisionError:
        raise Fault("An expression divides by zero.") from None
    except (ValueError, OverflowError):
        raise Fault(f"“{name}” has no result for {', '.join(map(format_value, values))}.") from None
    if not math.isfinite(result) or abs(result) > _LARGEST:
        raise Fault(f"The result of “{name}” is too large.")
    return result


def _number(value: Value) -> float:
    if isinstance(value, str):
        raise Fault(f"“{value}” is no number, so that nothing can be computed with it.")
    return value


def format_value(value: Value) -> str:
    """Write a value as it stands in a text: whole numbers in full, others with four significant digits."""
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        return str(value)
    if float(value).is_integer() and abs(value) < _LARGEST:
        text = f"{int(value):,}"
    else:
        text = f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"
    return text.replace("-", "\N{MINUS SIGN}")


class _Token(NamedTuple):
    kind: str
    text: str


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self.tokens = list(self._split())
        self.place = 0
        self.depth = 0

    def _split(self) -> list[_Token]:
        found, start = [], 0
        while start < len(self.text):
            match = _TOKEN.match(self.text, start)
            if match is None or match.lastgroup is None:
                raise Fault(f"“{self.text}” cannot be read from “{self.text[start:].strip()}” on.")
            found.append(_Token(match.lastgroup, match[match.lastgroup]))
            start = match.end()
        return found

    def parse(self) -> Expression:
        result = self.sum()
        if self.next is not None:
            raise Fault(f"“{self.text}” cannot be read from “{self.next.text}” on.")
        return result

    @property
    def next(self) -> _Token | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def take(self) -> _Token:
        token = self.next
        if token is None:
            raise Fault(f"“{self.text}” ends too early.")
        self.place += 1
        return token

    def take_mark(self, marks: str) -> str | None:
        """Take one of these marks, if it is next."""
        if self.next is None or self.next.kind != "mark" or self.next.text not in marks:
            return None
        return self.take().text

    def sum(self) -> Expression:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise Fault(f"An expression has at most {_MAX_DEPTH} parentheses in one another.")
        result = self.product()
        while operator := self.take_mark("+-"):
            result = Operation(operator, result, self.product())
        self.depth -= 1
        return result

    def product(self) -> Expression:
        result = self.factor()
        while operator := self.take_mark("*/"):
            result = Operation(operator, result, self.factor())
        return result

    def factor(self) -> Expression:
        negative = False
        while self.take_mark("-"):
            negative = not negative
        result = self.atom()
        return Operation("-", 0, result) if negative else result

    def atom(self) -> Expression:
        if self.take_mark("("):
            result = self.sum()
            self.close()
            return result
        token = self.take()
        if token.kind == "number":
            return float(token.text) if "." in token.text else _whole(token.text)
        if token.kind == "mark":
            raise Fault(f"“{self.text}” has a “{token.text}” where a number or a name should be.")
        if token.kind == "word" and self.take_mark("("):
            return self.call(token.text)
        return self.reference(token.text)

    def close(self) -> None:
        if not self.take_mark(")"):
            raise Fault(f"“{self.text}” lacks a “)”.")

    def call(self, name: str) -> Call:
        if name not in FUNCTIONS:
            raise Fault(f"There is no function “{name}”. There is: {', '.join(FUNCTIONS)}.")
        arguments = [self.sum()]
        while self.take_mark(","):
            arguments.append(self.sum())
        self.close()
        count = FUNCTIONS[name][0]
        if len(arguments) != count:
            raise Fault(f"“{name}” takes {count} number{'s' if count > 1 else ''}, not {len(arguments)}.")
        return Call(name, tuple(arguments))

    def reference(self, first: str) -> Reference:
        path = [first]
        while self.take_mark("."):
            path.append(self.name())
        told: dict[str, str] = {}
        while self.next is not None and self.next.kind == "word" and self.next.text in _MODIFIERS:
            field = _MODIFIERS[self.take().text]
            if field in told:
                raise Fault(f"“{self.text}” names two of what there is one of.")
            told[field] = self.name()
        return Reference(tuple(path), **told)

    def name(self) -> str:
        token = self.take()
        if token.kind == "mark":
            raise Fault(f"“{self.text}” has a “{token.text}” where a name should be.")
        return token.text


_MODIFIERS = {"of": "model", "under": "pooling", "for": "sample"}


def _whole(text: str) -> int:
    if len(text) > 15:
        raise Fault("A number has at most 15 digits.")
    return int(text)
