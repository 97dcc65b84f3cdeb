"""A model's card: what a person should know of it, kept as JSON beside the model's file."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)

from .declared import Lambdas
from .errors import UnknownInput
from .types import PoolingMode

MAX_CHANNELS = 64
_MOST_HELD = 2**16  # numbers of an input, one by one
_MOST_INPUTS = 64
_COLDEST = 0.01  # the least temperature
_LARGEST = 1e6  # of a value range, a mean or a standard deviation: float32 keeps their levels apart

Text = Annotated[str, Field(max_length=2_000)]
Line = Annotated[str, Field(min_length=1, max_length=200)]
Side = Annotated[int, Field(ge=1, le=4096)]
Channels = Annotated[int, Field(ge=1, le=MAX_CHANNELS)]
Value = Annotated[FiniteFloat, Field(ge=-_LARGEST, le=_LARGEST)]


def _read_held(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    """Say in one sentence what was expected, and not once for each of the two."""
    try:
        return read(value)
    except ValidationError:
        limits = f"at most {_MOST_HELD:,}, none beyond {_LARGEST:,.0f}"
        raise ValueError(f"what an input holds is a number, or a list of numbers: {limits}") from None


# One number for all of an input, or each of its numbers, row by row.
Held = Annotated[Value | Annotated[list[Value], Field(max_length=_MOST_HELD)], WrapValidator(_read_held)]


class Fit(StrEnum):
    """The way in which a drawing becomes the model's input."""

    DIGIT = "digit"  # its ink found, scaled and centred as MNIST's digits are
    FIT = "fit"  # the whole picture, with a margin of paper
    FILL = "fill"  # the picture's middle, as much as covers the input
    STRETCH = "stretch"  # the whole picture, distorted
    ORIGINAL = "original"  # at its own size, for models that take any
    NUMBERS = "numbers"  # no drawing: the input is a vector, whose numbers are set one by one


class Ink(StrEnum):
    """The brightness of ink, against its paper, in what the model was trained on."""

    BRIGHT = "bright"
    DARK = "dark"


class ChannelOrder(StrEnum):
    """The order of the colours of three or four channels; alpha is always the last."""

    RGB = "rgb"
    BGR = "bgr"


class Answer(StrEnum):
    """The meaning of the last layer's numbers."""

    PROBABILITIES = "probabilities"
    LOGITS = "logits"
    VALUES = "values"


class Card(BaseModel):
    """A model's description: its input, its training, its results. Accuracies are shares from 0 to 1."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    title: Line = Field(description="What the model is called.")
    description: Text = Field(description="One or two sentences: what it is, and what it answers.")
    trained_on: Text = Field(description="The data it was trained on.")
    training: Text = Field(description="How it was trained: augmentation, optimiser, epochs, seed.")
    classes: list[Line] = Field(
        max_length=65_536,
        description="What each output means. For a lone logistic neuron: what 0 means, then what 1 means. "
        "Empty for a model whose output is a picture.",
    )
    input_shape: tuple[Side | None, Side | None, Channels] = Field(
        description="Height, width, channels; null is any. 1 channel is grey, 2 are grey and alpha, 3 are colours, "
        "4 are colours and alpha; more are grey, each of them."
    )
    value_range: tuple[Value, Value] = Field(
        description="What black becomes, and what white becomes. With bright ink on paper that is found: what paper "
        "becomes, and what the strongest ink becomes."
    )
    fit: Fit = Field(
        default=Fit.DIGIT,
        description="How a drawing becomes the input. digit: its ink is found, scaled and centred as MNIST's digits "
        "are. fit: the whole picture, with a margin of paper. fill: the picture's middle, as much as covers the input. "
        "stretch: the whole picture, distorted. original: at its own size, for an input of any height and width. "
        "numbers: no drawing, since the model starts from a vector; its numbers are held as those of other inputs.",
    )
    ink: Ink = Field(
        default=Ink.BRIGHT,
        description="bright: strokes are brighter than their ground in what the model was trained on, as in MNIST. "
        "dark: they are darker, or it was trained on pictures as they are. With fit digit, and with fit original and "
        "one channel where it is bright, ink is found in the drawing and painted so. Otherwise dark leaves the picture "
        "as it is, and bright inverts it. What is see-through in a picture is white paper.",
    )
    transposed: bool = Field(
        default=False,
        description="The model sees every picture transposed, its rows as columns, as EMNIST's files hold them. The "
        "layers' maps are then transposed as well.",
    )
    mean: list[Value] | None = Field(
        default=None, description="Subtracted after value_range: a number for each channel, in the input's own order."
    )
    std: list[Annotated[Value, Field(gt=1e-6)]] | None = Field(
        default=None, description="Divided by after the mean: a number for each channel, in the input's own order."
    )
    channel_order: ChannelOrder = Field(
        default=ChannelOrder.RGB, description="Which colour of three or four channels comes first; alpha is the last."
    )
    answer: Answer = Field(
        default=Answer.PROBABILITIES,
        description="What the last layer gives. probabilities: of softmax, which sum to 1, or of sigmoid, each by "
        "itself. logits: scores, shown as their softmax; of a lone neuron, as its logistic function. values: numbers "
        "that are shown as they are.",
    )
    temperature: Annotated[FiniteFloat, Field(ge=_COLDEST, le=1 / _COLDEST)] = Field(
        default=1.0,
        description="What each logit is divided by before the softmax, or before the logistic function, to get a "
        "confidence that is right as often as it says (Guo et al. 2017). It was fitted on digits that trained nothing, "
        "as trained; 1 changes nothing. The probabilities stay the network's own.",
    )
    inputs: dict[Line, list[Side | None]] = Field(
        default={},
        max_length=_MOST_INPUTS,
        description="The shape of each input, by name, for a model of several and for one that starts from a vector; "
        "null is any size. Empty for a model of one image.",
    )
    input: Line | None = Field(
        default=None,
        description="The input that is drawn into; with fit numbers, the first one. null for a model of one image.",
    )
    held: dict[Line, Held] = Field(
        default={},
        description="What the other inputs hold unless a request says otherwise: one number for all of an input, or "
        "all of its numbers, row by row. An input that is not named holds zeros.",
    )
    pooling: PoolingMode | None = Field(description="The mode it was trained with; null without pooling.")
    parameters: int = Field(ge=0, description="How many numbers it has, those that are not trained included.")
    test_accuracy: float | None = Field(
        ge=0, le=1, description="On the held-out test set, as trained; null where the answer is not a class."
    )
    test_accuracy_by_pooling: dict[PoolingMode, Annotated[float, Field(ge=0, le=1)]] = Field(
        default={}, description="On the same test set, same weights, under each pooling mode."
    )
    pen_accuracy: float | None = Field(
        default=None, ge=0, le=1, description="On pen drawings by writers held out from training, as trained."
    )
    siblings: dict[PoolingMode, Line] = Field(
        default={}, description="Models of the same architecture trained with each pooling mode, itself included."
    )
    mends: list[Text] = Field(
        default=[], max_length=1_000, description="What was mended when the model's file was opened: a sentence each."
    )
    keras_version: Annotated[str, Field(max_length=40)] | None = Field(
        default=None, description="The Keras that wrote the model's file, where it says so."
    )

    lambdas: Lambdas = Field(
        default={},
        description="What the model's Lambda layers compute, by their names, since their code is never run: scale and "
        "offset, after an order of channels, or a layer of Keras without weights.",
    )

    @property
    def takes_numbers(self) -> bool:
        """Nothing is drawn: the model starts from a vector."""
        return self.fit is Fit.NUMBERS

    @property
    def drawable(self) -> list[str]:
        """The inputs that can be drawn into, where there are several."""
        return [] if self.takes_numbers else [name for name, shape in self.inputs.items() if is_image(shape)]

    @property
    def held_inputs(self) -> dict[str, list[int | None]]:
        """The shape of each input that is not drawn into."""
        return {name: shape for name, shape in self.inputs.items() if self.takes_numbers or name != self.input}

    def drawing_into(self, name: str) -> "Card":
        """Return the card of the same model where this input is drawn into. Raises: UnknownInput."""
        if name == self.input and not self.takes_numbers:
            return self
        if name not in self.drawable:
            raise UnknownInput(self._explain_inputs(name))
        height, width, channels = self.inputs[name]
        has_any_size = height is None and width is None
        return self.model_copy(
            update={
                "input": name,
                "input_shape": (height, width, channels),
                "fit": self.fit if has_any_size or self.fit is not Fit.ORIGINAL else Fit.FIT,
                "mean": self.mean if self.mean is None or len(self.mean) == channels else None,
                "std": self.std if self.std is None or len(self.std) == channels else None,
            }
        )

    def _explain_inputs(self, name: str) -> str:
        if self.takes_numbers:
            return f"The model starts from numbers, so nothing is drawn: leave “input” out, and set {self._names}."
        if not self.inputs:
            return f"The model has one input, so there is no “{name[:80]}” to draw into: leave “input” out."
        return f"One cannot draw into “{name[:80]}”. One can draw into: {_listed(self.drawable)}."

    @property
    def _names(self) -> str:
        return _listed(self.inputs) or "one image"

    @property
    def finds_ink(self) -> bool:
        """A drawing's ink is separated from its paper; else the picture is taken as it is."""
        one_channel = self.input_shape[2] == 1
        return self.fit is Fit.DIGIT or (self.fit is Fit.ORIGINAL and self.ink is Ink.BRIGHT and one_channel)

    @property
    def picture_shape(self) -> tuple[int | None, int | None, int]:
        """Height, width and channels of the picture that a drawing becomes, before it is transposed."""
        height, width, channels = self.input_shape
        return (width, height, channels) if self.transposed else (height, width, channels)

    @field_validator("classes")
    @classmethod
    def _classes_differ(cls, classes: list[str]) -> list[str]:
        if blank := [number for number, name in enumerate(classes) if not name.strip()]:
            raise ValueError(f"class {blank[0]} has no name: give each class one")
        if twice := [name for name, count in Counter(classes).items() if count > 1]:
            raise ValueError(f"two classes are called “{twice[0][:80]}”: give each class a name of its own")
        return classes

    @field_validator("value_range")
    @classmethod
    def _range_is_one(cls, value_range: tuple[float, float]) -> tuple[float, float]:
        if value_range[0] == value_range[1]:
            raise ValueError(f"black and white both become {value_range[0]:g}: give two different numbers")
        return value_range

    @model_validator(mode="after")
    def _fits_its_input(self) -> Self:
        height, width, channels = self.input_shape
        for name, numbers in (("mean", self.mean), ("std", self.std)):
            if numbers is not None and len(numbers) != channels:
                raise ValueError(
                    f"“{name}” has {_count(len(numbers), 'number')}, and the input has {_count(channels, 'channel')}: "
                    "give one number for each channel"
                )
        if self.takes_numbers and (height != 1 or channels != 1 or width is None):
            raise ValueError("“fit” is numbers, and the input is an image: choose digit, fit, fill or stretch")
        if self.fit is Fit.ORIGINAL and (height is not None or width is not None):
            raise ValueError(
                "“fit” is original, a drawing at its own size, and the input's size is fixed: "
                "choose digit, fit, fill or stretch"
            )
        return self

    @model_validator(mode="after")
    def _holds_its_inputs(self) -> Self:
        if self.inputs and self.input not in self.inputs:
            raise ValueError(f"“input” is {self.input}, and the model's inputs are {self._names}")
        for name, value in self.held.items():
            if name not in self.inputs:
                raise ValueError(f"“held” names “{name[:80]}”, and the inputs are {self._names}")
            check_held(name, self.inputs[name], value)
        return self


def is_image(shape: Sequence[int | None]) -> bool:
    """Return whether an input of this shape, without the batch, can be drawn into."""
    return len(shape) == 3 and shape[2] is not None and shape[2] <= MAX_CHANNELS


def check_held(name: str, shape: Sequence[int | None], value: Any) -> None:
    """Check what an input of this shape is to hold. Raises: ValueError."""
    if not isinstance(value, list) or (None not in shape and len(value) == math.prod(size or 0 for size in shape)):
        return
    sizes = "×".join("any" if size is None else str(size) for size in shape)
    raise ValueError(
        f"the input “{name[:80]}” of {sizes} numbers was given {_count(len(value), 'number')}: give one number for all "
        "of it, or each of them, row by row"
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"“{name[:80]}”" for name in names)


def read_card(path: Path) -> Card:
    """Read the card in a JSON file. Raises: OSError, pydantic.ValidationError."""
    return Card.model_validate_json(path.read_bytes())


def write_card_text(card: Card) -> str:
    """Return a card as indented JSON."""
    return card.model_dump_json(indent=2) + "\n"


def write_card(card: Card, path: Path) -> None:
    """Write a card, complete or not at all."""
    partial = path.with_suffix(".json.partial")
    partial.write_text(write_card_text(card), encoding="utf-8")
    partial.replace(path)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
