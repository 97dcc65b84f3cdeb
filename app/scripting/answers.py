"""What a network answered, as the API's JSON says it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from .html import bars, table

Document = Mapping[str, Any]  # an answer of the API, of JSON's own types; a number that is not finite is None
_SHOWN = 5  # classes in the text and the table of a prediction


@dataclass(frozen=True)
class Prediction:
    """A network's answer. docs/doubt.md tells what confidence, novelty and doubt are."""

    label: str  # the likeliest class; “–” where the answer names none
    probability: float | None  # of that class, from 0 to 1
    probabilities: dict[str, float | None]  # of every class, in their order; empty where the answer is values
    values: dict[str, float | None]  # the last layer's outputs as they are
    confidence: float | None  # how often answers like this one are right, from 0 to 1
    novelty: float | None  # above 0 for what is hardly one of the things that the network was trained on
    doubt: str | None  # why the answer is not to be trusted
    note: str | None  # what is odd about it
    document: Document = field(repr=False, compare=False)  # all of it, as the API answers

    @classmethod
    def from_document(cls, document: Document) -> Self:
        return cls(
            label=document["label"],
            probability=document["probability"],
            probabilities={each["label"]: each["probability"] for each in document["probabilities"]},
            values={each["label"]: each["value"] for each in document["values"]},
            confidence=document["confidence"],
            novelty=document["novelty"],
            doubt=document["doubt"],
            note=document["note"],
            document=document,
        )

    def top(self, count: int = _SHOWN) -> list[tuple[str, float]]:
        """Return the likeliest classes with their probabilities, the likeliest one first."""
        known = [(label, value) for label, value in self.probabilities.items() if value is not None]
        return sorted(known, key=lambda each: -each[1])[:count]

    def __str__(self) -> str:
        return self.label if self.probability is None else f"{self.label} ({self.probability:.1%})"

    def _repr_html_(self) -> str:
        rows = self.top() or [(label, value) for label, value in self.values.items() if value is not None][:_SHOWN]
        return bars(rows, is_share=bool(self.probabilities), note=self.doubt or self.note)


@dataclass(frozen=True)
class Cell:
    """One number of a layer's output, and where it comes from. In a vector, the column is the unit."""

    layer: str
    channel: int
    row: int
    column: int
    value: float | None  # the float32 that the network computed
    receptive_field: tuple[int, int, int, int]  # top, left, bottom, right in pixels of the input, padding counted
    arithmetic: dict[str, Any] | None  # the parts that add up to the value; None where this kind of layer has none
    reason: str | None  # why there is none
    document: Document = field(repr=False, compare=False)  # all of it, as the API answers

    @classmethod
    def from_document(cls, document: Document) -> Self:
        top, left, bottom, right = document["receptive_field"]
        same = ("layer", "channel", "row", "column", "value", "reason")
        return cls(
            **{name: document[name] for name in same},
            receptive_field=(top, left, bottom, right),
            arithmetic=document["cell"],
            document=document,
        )

    def __str__(self) -> str:
        return f"{self.layer}, map {self.channel}, row {self.row}, column {self.column}: {self.value}"


@dataclass(frozen=True)
class ComparedMode:
    """What a network answers in one pooling mode, and how far its layers are from those as trained."""

    prediction: Prediction | None  # None where the network answers with a picture
    as_trained: bool
    test_accuracy: float | None  # with the same weights, from 0 to 1
    distances: dict[str, float]  # of each layer: 0 is equal, 1 is all different (Bray-Curtis)


@dataclass(frozen=True)
class Comparison:
    """A picture in the three pooling modes: max, average and min."""

    modes: dict[str, ComparedMode]
    document: Document = field(repr=False, compare=False)  # all of it with pictures, as the API answers

    @classmethod
    def from_document(cls, document: Document) -> Self:
        return cls({each["pooling"]: _read_mode(each) for each in document["modes"]}, document)

    def __getitem__(self, pooling: str) -> ComparedMode:
        return self.modes[pooling]

    def _repr_html_(self) -> str:
        layers = next(iter(self.modes.values())).distances
        rows = [["answer", *(str(each.prediction or "–") for each in self.modes.values())]]
        rows += [[name, *(f"{each.distances[name]:.3f}" for each in self.modes.values())] for name in layers]
        trained = (f"{mode}, as trained" if each.as_trained else mode for mode, each in self.modes.items())
        return table(["distance from as trained", *trained], rows)


def _read_mode(document: Document) -> ComparedMode:
    prediction = document["prediction"]
    return ComparedMode(
        prediction=Prediction.from_document(prediction) if prediction else None,
        as_trained=document["as_trained"],
        test_accuracy=document["test_accuracy"],
        distances={each["name"]: each["distance"] for each in document["layers"]},
    )
