"""A chain of operations: as JSON, as text in an address, and the limits that its steps set each other."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from .activation import Activation, Inversion
from .control import Control
from .convolution import Convolution, Filter, StridedConvolution
from .gathered_pooling import CellPooling, LpPooling, MedianPooling, SoftPooling, StochasticPooling
from .kernels import write_rows
from .operation import Operation
from .planes import PixelSize
from .pooling import AveragePooling, MaxPooling, MinPooling, MixedPooling
from .steady_pooling import BlurredMaxPooling, PolyphasePooling

MAX_STEPS = 12
MOST_VALUES = 2**27  # of all pictures of a chain
MOST_READ_IN_ALL = 6 * 10**9  # numbers: some ten seconds

Step = Annotated[
    MaxPooling
    | AveragePooling
    | MinPooling
    | LpPooling
    | SoftPooling
    | StochasticPooling
    | MixedPooling
    | MedianPooling
    | BlurredMaxPooling
    | PolyphasePooling
    | CellPooling
    | StridedConvolution
    | Convolution
    | Activation
    | Inversion,
    Field(discriminator="operation"),
]
Chain = tuple[Operation, ...]

_STEP: TypeAdapter[Operation] = TypeAdapter(Step)
OPERATIONS: dict[str, type[Operation]] = {
    each.model_fields["operation"].default: each
    for each in (
        MaxPooling, AveragePooling, MinPooling, LpPooling, SoftPooling, StochasticPooling, MixedPooling, MedianPooling,
        BlurredMaxPooling, PolyphasePooling, CellPooling, StridedConvolution, Convolution, Activation, Inversion,
    )
}  # fmt: skip


class InvalidChain(ValueError):
    """A chain that cannot be computed. The message is a sentence for the person who put it together."""


class TooManySteps(InvalidChain):
    """A chain of more steps than the lab takes."""

    def __init__(self, count: int) -> None:
        super().__init__(f"This chain has {count:,} steps; the lab takes {MAX_STEPS} at most. Leave some out.")


def _require_few(count: int) -> None:
    if count > MAX_STEPS:
        raise TooManySteps(count)


def read_steps(value: Any) -> Chain:
    """Read a chain from JSON that was parsed: a list of objects, each with its operation and settings.

    Raises: InvalidChain.
    """
    if not isinstance(value, list):
        raise InvalidChain('The steps are a list: [{"operation": "max", "window": 2}, {"operation": "activation"}].')
    _require_few(len(value))
    return tuple(_read_step(each, number) for number, each in enumerate(value, 1))


def read_chain(text: str) -> Chain:
    """Read a chain as it stands in an address: convolution:kernel=edge-right,activation,max:window=3:stride=2.

    Raises: InvalidChain.
    """
    parts = [each.strip() for each in text.split(",") if each.strip()]
    _require_few(len(parts))
    steps = []
    for number, part in enumerate(parts, 1):
        name, *settings = part.split(":")
        fields: dict[str, Any] = {"operation": name}
        for setting in settings:
            key, equals, value = setting.partition("=")
            if not equals or key == "operation":
                raise InvalidChain(f"Step {number}, {name}: “{setting[:40]}” is no setting, such as window=3.")
            fields[key] = value
        steps.append(_read_step(fields, number))
    return tuple(steps)


def _read_step(value: Any, number: int) -> Operation:
    if not isinstance(value, dict) or not isinstance(value.get("operation"), str):
        raise InvalidChain(f'Step {number} is no object with its operation, such as {{"operation": "max"}}.')
    name = value["operation"]
    if name not in OPERATIONS:
        raise InvalidChain(f"Step {number}: there is no operation “{name[:40]}”. There are {', '.join(OPERATIONS)}.")
    try:
        return _STEP.validate_python(value)
    except ValidationError as error:
        raise InvalidChain(f"Step {number}, {name}: {_say(error, OPERATIONS[name])}") from error


def _say(error: ValidationError, kind: type[Operation]) -> str:
    """Say in a sentence what the first fault of a step is."""
    fault = error.errors(include_url=False)[0]
    setting = str(fault["loc"][1]) if len(fault["loc"]) > 1 else ""
    if fault["type"] == "extra_forbidden":
        known = ", ".join(each for each in kind.model_fields if each != "operation") or "none"
        return f"it has no setting “{setting[:40]}”. Its settings: {known}."
    if setting == "kernel":
        return (
            "the kernel is no matrix of numbers: 1 to 9 rows of as many numbers each, 1 to 9, between ±1000, as "
            "[[0, 1, 0], [1, -4, 1], [0, 1, 0]], or in an address 0_1_0;1_-4_1;0_1_0. Or it is the name of one."
        )
    received = f" Received: {str(fault['input'])[:60]!r}." if not isinstance(fault["input"], dict | list) else ""
    message = fault["msg"][0].lower() + fault["msg"][1:]
    return f"“{setting}”: {message}.{received}"


def write_step(step: Operation) -> str:
    """Return a step as it stands in an address, its settings where they are not as by default."""
    parts = [step.name]
    for name, value in step:
        if name == "operation" or value is None or value == type(step).model_fields[name].default:
            continue
        text = (
            write_rows(value) if isinstance(value, tuple) else f"{value:g}" if isinstance(value, float) else str(value)
        )
        parts.append(f"{name}={text}")
    return ":".join(parts)


def write_chain(chain: Sequence[Operation]) -> str:
    """Return a chain as it stands in an address."""
    return ",".join(map(write_step, chain))


def sizes_of(chain: Sequence[Operation], size: PixelSize) -> list[PixelSize]:
    """Return the size of the picture and of what each step makes of it. Raises: InvalidChain."""
    sizes = [size]
    for number, step in enumerate(chain, 1):
        complaint = _complain(step, sizes[-1])
        if complaint is not None:
            height, width = sizes[-1]
            raise InvalidChain(
                f"Step {number}, {step.title}, does not fit to its input of {height}×{width}: {complaint}."
            )
        sizes.append(step.output_size(sizes[-1]))
    return sizes


def _complain(step: Operation, size: PixelSize) -> str | None:
    if isinstance(step, Filter) and (complaint := step.complain(size)):
        return complaint
    return next(filter(None, (each.complain() for each in step.controls(size))), None)


def _fits(chain: Sequence[Operation], size: PixelSize) -> int:
    """Return how many of the steps fit, one after the other."""
    for number, step in enumerate(chain):
        if _complain(step, size) is not None:
            return number
        size = step.output_size(size)
    return len(chain)


def find_controls(chain: Sequence[Operation], size: PixelSize) -> list[list[Control]]:
    """Return each step's controls. A limit is as low as the steps after it need it. The chain must fit."""
    found = []
    for number, (step, before) in enumerate(zip(chain, sizes_of(chain, size), strict=False)):
        following = chain[number + 1 :]
        found.append([_limit(step, each, following, before, number) for each in step.controls(before)])
    return found


def _limit(step: Operation, control: Control, following: Sequence[Operation], size: PixelSize, number: int) -> Control:
    """Lower a control's upper limit to what the steps after it need."""
    if control.form != "whole" or not following or control.high <= control.value:
        return control
    if control.name not in {"window", "stride", "dilation", "size"}:
        return control

    def goes(value: int) -> int:
        """Return how many of the steps fit with this value."""
        return _fits([step.model_copy(update={control.name: value}), *following], size)

    low, high = int(control.value), int(control.high)
    all_steps = 1 + len(following)
    if goes(high) == all_steps:
        return control
    while low < high:  # the largest value with which they all fit
        middle = (low + high + 1) // 2
        low, high = (middle, high) if goes(middle) == all_steps else (low, middle - 1)
    stuck = number + 1 + goes(low + 1)
    return replace(
        control, high=low, reason=f"with more, step {stuck} would not fit" if stuck > number + 1 else control.reason
    )


def fit(chain: Sequence[Operation], size: PixelSize) -> tuple[Chain, list[str]]:
    """Return the chain with its settings lowered to what is possible, and a sentence for each that was changed."""
    fitted: list[Operation] = []
    said = []
    for number, step in enumerate(chain, 1):
        made, changes = _fit_step(step, size)
        said += [f"Step {number}, {step.title}: {change}." for change in changes]
        if made is None:
            continue
        fitted.append(made)
        size = made.output_size(size)
    return tuple(fitted), said


def _fit_step(step: Operation, size: PixelSize) -> tuple[Operation | None, list[str]]:
    changes: list[str] = []
    if isinstance(step, Filter) and (complaint := step.complain(size)):
        return None, [f"left out, since {complaint}"]
    for _ in range(8):  # one limit may follow from another
        wrong = next((each for each in step.controls(size) if each.complain()), None)
        if wrong is None:
            return step, changes
        value = min(max(wrong.value, wrong.low), wrong.high)
        changes.append(f"{wrong.label} {value:g} instead of {wrong.value:g}, since {wrong.reason or wrong.low_reason}")
        step = step.model_copy(update={wrong.name: type(wrong.value)(value)})
    return None, ["left out, since it does not fit"]


@cache
def default_step(name: str) -> Operation:
    """Return an operation with its settings as by default."""
    return OPERATIONS[name]()


def check_cost(chain: Sequence[Operation], size: PixelSize, channels: int) -> None:
    """Check that a chain fits, and that it takes neither long nor much memory. Raises: InvalidChain."""
    sizes = sizes_of(chain, size)
    values = channels * sum(map(math.prod, sizes))
    if values > MOST_VALUES:
        raise InvalidChain(
            f"The pictures of this chain would have {values:,} values; the lab keeps {MOST_VALUES:,} at most. Make the "
            "picture smaller, leave steps out, or pool earlier."
        )
    reads = channels * sum(step.count_operations(each) for step, each in zip(chain, sizes, strict=False))
    if reads > MOST_READ_IN_ALL:
        raise InvalidChain(
            f"This chain would read {reads:,} numbers, which takes too long; {MOST_READ_IN_ALL:,} is the most. Make "
            "the picture smaller, the windows narrower, or the strides longer."
        )
