"""A model's card: what a person should know of it, kept as JSON beside the model's file."""

from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, field_validator, model_validator

from .declared import Lambdas
from .types import PoolingMode

MAX_CHANNELS = 64
_LARGEST = 1e6  # of a value range, a mean or a standard deviation: float32 keeps their levels apart

Text = Annotated[str, Field(max_length=2_000)]
Line = Annotated[str, Field(min_length=1, max_length=200)]
Side = Annotated[int, Field(ge=1, le=4096)]
Channels = Annotated[int, Field(ge=1, le=MAX_CHANNELS)]
Value = Annotated[FiniteFloat, Field(ge=-_LARGEST, le=_LARGEST)]


class Fit(StrEnum):
    """The way in which a drawing becomes the model's input."""

    DIGIT = "digit"  # its ink found, scaled and centred as MNIST's digits are
    FIT = "fit"  # the whole picture, with a margin of paper
    FILL = "fill"  # the picture's middle, as much as covers the input
    STRETCH = "stretch"  # the whole picture, distorted
    ORIGINAL = "original"  # at its own size, for models that take any


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
        "stretch: the whole picture, distorted. original: at its own size, for an input of any height and width.",
    )
    ink: Ink = Field(
        default=Ink.BRIGHT,
        description="bright: strokes are brighter than their ground in what the model was trained on, as in MNIST. "
        "dark: they are darker, or it was trained on pictures as they are. With fit digit, and with fit original and "
        "one channel where it is bright, ink is found in the drawing and painted so. Otherwise dark leaves the picture "
        "as it is, and bright inverts it. What is see-through in a picture is white paper.",
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
        "offset, or channels, or a layer of Keras without weights.",
    )

    @property
    def finds_ink(self) -> bool:
        """A drawing's ink is separated from its paper; else the picture is taken as it is."""
        one_channel = self.input_shape[2] == 1
        return self.fit is Fit.DIGIT or (self.fit is Fit.ORIGINAL and self.ink is Ink.BRIGHT and one_channel)

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
        if self.fit is Fit.ORIGINAL and (height is not None or width is not None):
            raise ValueError(
                "“fit” is original, a drawing at its own size, and the input's size is fixed: "
                "choose digit, fit, fill or stretch"
            )
        return self


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
