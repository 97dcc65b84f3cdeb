"""A model's card: what a person should know of it, kept as JSON beside the model's file."""

from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from app.cnn.pooling import PoolingMode


class Fit(StrEnum):
    """How a drawing becomes the model's input."""

    DIGIT = "digit"  # scaled and centred as MNIST's digits are
    ORIGINAL = "original"  # at its own size, for models that take any


class Card(BaseModel):
    """What a model is, what it was trained on and how well it does. Accuracies are shares from 0 to 1."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    title: str
    description: str = Field(description="One or two sentences: what it is, and what it answers.")
    trained_on: str = Field(description="The data it was trained on.")
    training: str = Field(description="How it was trained: augmentation, optimiser, epochs, seed.")
    classes: list[str] = Field(
        description="What each output means. For a lone logistic neuron: what 0 means, then what 1 means. "
        "Empty for a model whose output is a picture."
    )
    input_shape: tuple[int | None, int | None, int] = Field(description="Height, width, channels; null is any.")
    value_range: tuple[float, float] = Field(description="What paper becomes, and what the strongest ink becomes.")
    fit: Fit = Field(default=Fit.DIGIT, description="How a drawing becomes the input.")
    pooling: PoolingMode | None = Field(description="The mode it was trained with; null without pooling.")
    parameters: int = Field(ge=0)
    test_accuracy: float | None = Field(
        ge=0, le=1, description="On the held-out test set, as trained; null where the answer is not a class."
    )
    test_accuracy_by_pooling: dict[PoolingMode, float] = Field(
        default={}, description="On the same test set, same weights, under each pooling mode."
    )
    pen_accuracy: float | None = Field(
        default=None, ge=0, le=1, description="On pen drawings by writers held out from training, as trained."
    )
    siblings: dict[PoolingMode, str] = Field(
        default={}, description="Models of the same architecture trained with each pooling mode, itself included."
    )


def read_card(path: Path) -> Card:
    """The card in a JSON file. Raises: OSError, pydantic.ValidationError."""
    return Card.model_validate_json(path.read_bytes())


def write_card_text(card: Card) -> str:
    """A card as indented JSON."""
    return card.model_dump_json(indent=2) + "\n"


def write_card(card: Card, path: Path) -> None:
    """Write a card, complete or not at all."""
    partial = path.with_suffix(".json.partial")
    partial.write_text(write_card_text(card), encoding="utf-8")
    partial.replace(path)
