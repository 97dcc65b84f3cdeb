"""Why a network answers so, as the API's JSON and NPZ say it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from .answers import Document
from .html import table

Values = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class LayerTerms:
    """What makes up the number at one layer: the first five add up to it."""

    total: float  # gradient × value, of all of its cells
    beside: float  # of what goes round the layer on other ways
    bias_after: float  # of the biases of all layers after it
    left_over_after: float  # of what is not linear in the layers after it
    rounding_after: float  # of what float32 rounded in them
    bias: float | None  # of its own biases, which count in the layers before it
    left_over: float | None  # of what is not linear in it, which counts likewise

    @property
    def sum(self) -> float:
        """The number that is explained."""
        return self.total + self.beside + self.bias_after + self.left_over_after + self.rounding_after


@dataclass(frozen=True)
class Contributions:
    """What makes up a class's logit, or by how much it is above another's. docs/attribution.md tells more."""

    target: str
    against: str | None
    number: float  # that is explained
    layers: dict[str | None, LayerTerms]  # by name, in the order in which data flows; None is the image
    stopped: str | None  # why the image is not among them
    document: Document = field(repr=False, compare=False)  # all of it, as the API answers
    _load: Callable[[], Mapping[str, Values]] = field(repr=False, compare=False)

    @classmethod
    def from_document(cls, document: Document, load: Callable[[], Mapping[str, Values]]) -> Self:
        """load: returns the arrays of the API's NPZ."""
        names = LayerTerms.__dataclass_fields__
        return cls(
            target=document["target"],
            against=document["against"],
            number=_number(document["number"]),
            layers={each["layer"]: LayerTerms(**{name: each[name] for name in names}) for each in document["layers"]},
            stopped=document["stopped"]["reason"] if document["stopped"] else None,
            document=document,
            _load=load,
        )

    @cached_property
    def cells(self) -> dict[str, Values]:
        """What each cell contributes, gradient × value, by layer, and of the image as `input`: (*shape), as the NPZ.

        Those of the layer that was asked for, or of all.
        """
        return dict(self._load())

    def __str__(self) -> str:
        question = f"{self.target}, not {self.against}" if self.against else self.target
        return f"Why {question}: {self.number:.4g}"

    def _repr_html_(self) -> str:
        head = [str(self), "cells", "on other ways", "biases after it", "left over"]
        parts = ("total", "beside", "bias_after", "left_over_after")
        rows = [
            [name or "the image", *(f"{getattr(each, part):.4g}" for part in parts)]
            for name, each in self.layers.items()
        ]
        return table(head, rows)


@dataclass(frozen=True)
class Attribution:
    """What a method says that an answer depends on."""

    method: str
    layer: str | None  # whose cells are judged; None is the image
    target: str
    against: str | None
    number: float  # that is explained
    expected: float  # what the values should sum to
    total: float  # what they sum to
    correlation: float | None  # with the same method on shuffled weights; None where it was not asked for, or unknown
    document: Document = field(repr=False, compare=False)  # all of it, as the API answers
    _load: Callable[[], Mapping[str, Values]] = field(repr=False, compare=False)

    @classmethod
    def from_document(cls, document: Document, load: Callable[[], Mapping[str, Values]]) -> Self:
        """load: returns the arrays of the API's NPZ."""
        check = document["randomisation"]
        return cls(
            method=document["method"]["name"],
            layer=document["layer"],
            target=document["target"],
            against=document["against"],
            number=_number(document["number"]),
            expected=_number(document["expected"]),
            total=_number(document["total"]),
            correlation=check["correlation"] if check else None,
            document=document,
            _load=load,
        )

    @property
    def completeness_error(self) -> float:
        """By how much the values' sum misses what it should be."""
        return self.total - self.expected

    @cached_property
    def values(self) -> Values:
        """What it says of each cell: (*shape of the layer), or (height, width) of maps summed up, as the NPZ."""
        return self._load()["attribution"]

    def __str__(self) -> str:
        return f"{self.method} of {self.target}: {self.total:.4g} of {self.expected:.4g}"


def _number(value: float | None) -> float:
    """Return a number of JSON, which has none that is not finite."""
    return float("nan") if value is None else value
