"""The answers to "why this answer" as JSON."""

from pydantic import BaseModel, Field

from ...attribution.attribution import Attribution
from ...attribution.contributions import LEFT_OVER, Contributions, LayerContributions
from ...attribution.method import Method
from ...cnn.cells import JsonFloat
from ...cnn.types import PoolingMode

_MOST_VALUES = 2**16


class MapContribution(BaseModel):
    """What one map, or one unit of a vector, contributes."""

    map: int = Field(description="Its number, from 0: the index along the layer's last axis.")
    contribution: JsonFloat


class CellContribution(BaseModel):
    """What one cell contributes."""

    index: list[int] = Field(description="Of the cell in the layer's output: row, column, channel; a vector's unit.")
    value: JsonFloat = Field(description="Its activation.")
    contribution: JsonFloat = Field(description="Gradient × value.")


class LayerTerms(BaseModel):
    """What makes up the logit at one layer: total + beside + bias_after + left_over_after + rounding_after."""

    layer: str | None = Field(description="null is the image.")
    kind: str | None
    shape: list[int]
    total: JsonFloat = Field(description="Of all of its cells.")
    beside: JsonFloat = Field(description="Of what goes round the layer on other ways: shortcuts, branches.")
    bias_after: JsonFloat = Field(description="Of the biases of all layers after it.")
    left_over_after: JsonFloat = Field(description="Of what is not linear in all layers after it.")
    rounding_after: JsonFloat = Field(
        description="Of what the layers after it rounded: the network computes in float32, whose values are off by up "
        "to 6e-8 of their own size."
    )
    sum: JsonFloat = Field(description="Of these five: the number that is explained.")
    bias: JsonFloat | None = Field(description="Of its own biases, which count in all layers before it.")
    left_over: JsonFloat | None = Field(description="Of what is not linear in it, which counts likewise. " + LEFT_OVER)
    maps: list[MapContribution] = Field(description="Furthest from zero first; `most` at most.")
    cells: list[CellContribution] = Field(description="Furthest from zero first; `most` at most.")

    @classmethod
    def of(cls, found: Contributions, terms: LayerContributions, most: int) -> "LayerTerms":
        own = terms.layer
        return cls(
            layer=own.name if own else None,
            kind=own.kind if own else None,
            shape=list(terms.shape),
            total=terms.total,
            beside=terms.beside,
            bias_after=terms.bias_after,
            left_over_after=terms.left_over_after,
            rounding_after=terms.rounding_after,
            sum=terms.sum,
            bias=terms.bias,
            left_over=terms.left_over,
            maps=_maps(terms, most),
            cells=_cells(found, terms, most),
        )


def _maps(terms: LayerContributions, most: int) -> list[MapContribution]:
    if terms.cells is None:
        return []
    totals = terms.maps
    return [MapContribution(map=at, contribution=totals[at]) for at in terms.strongest_maps(most)]


def _cells(found: Contributions, terms: LayerContributions, most: int) -> list[CellContribution]:
    if terms.cells is None:
        return []
    values = found.logits.activations[terms.layer.name if terms.layer else None]
    return [
        CellContribution(index=list(at), value=values[at], contribution=terms.cells[at])
        for at in terms.strongest_cells(most)
    ]


class Stopped(BaseModel):
    """Where the way back through the network ends before the image."""

    layer: str
    reason: str = Field(description="A sentence.")


class ContributionsAnswer(BaseModel):
    """Why a network answers so."""

    model: str
    pooling: PoolingMode | None
    target: str = Field(description="The class that is explained.")
    against: str | None = Field(description="The class that it is compared with.")
    number: JsonFloat = Field(
        description="What is explained: the target's logit, less that of `against`. The logit is what the last softmax "
        "or logistic function is given. A lone neuron's is the second class's, and as much below zero the first's."
    )
    rounding: JsonFloat = Field(description="The size of the largest `rounding_after` of all layers.")
    layers: list[LayerTerms] = Field(description="From the image on, in the order in which data flows.")
    stopped: Stopped | None = Field(description="Why the first of them is not the image; null where it is.")

    @classmethod
    def of(cls, found: Contributions, most: int) -> "ContributionsAnswer":
        stopped = found.stopped
        return cls(
            model=found.network.name,
            pooling=found.forward.pooling,
            target=found.question.target_label,
            against=found.question.against_label,
            number=found.number,
            rounding=found.rounding,
            layers=[LayerTerms.of(found, each, most) for each in found.layers],
            stopped=None if stopped is None else Stopped(layer=stopped.layer, reason=str(stopped)),
        )


class MethodDescription(BaseModel):
    """An attribution method."""

    name: str
    title: str
    can: str = Field(description="What it says.")
    cannot: str = Field(description="What it does not say.")

    @classmethod
    def of(cls, method: Method) -> "MethodDescription":
        return cls(name=method.name, title=method.title, can=method.can, cannot=method.cannot)


class RandomisationCheck(BaseModel):
    """The same method on a network whose weights are shuffled."""

    seed: int
    correlation: JsonFloat = Field(
        description="Spearman's rank correlation of the sizes of both maps, from -1 to 1, over the cells that are not "
        "zero in both; null where one is constant. Near 1, the method marks the same places whatever the network has "
        "learnt."
    )


class AttributionAnswer(BaseModel):
    """What a method says of an answer."""

    model: str
    pooling: PoolingMode | None
    method: MethodDescription
    layer: str | None = Field(description="The layer whose cells are judged; null is the image.")
    target: str
    against: str | None
    number: JsonFloat = Field(description="What is explained: the target's logit, less that of `against`.")
    expected: JsonFloat = Field(
        description="What the values should sum to: the number; for integrated gradients and occlusion, how far it is "
        "above the baseline's."
    )
    total: JsonFloat = Field(description="What they sum to.")
    completeness_error: JsonFloat = Field(description="The difference.")
    shape: list[int] = Field(description="Of `values`: height and width; a vector is a single row.")
    values: list[list[JsonFloat]] | None = Field(
        description="The map, row by row, channels summed up; null for more than 65,536 cells: ask for the .npz."
    )
    randomisation: RandomisationCheck | None = Field(description="null where no check was asked for.")

    @classmethod
    def of(cls, found: Attribution) -> "AttributionAnswer":
        check, values = found.randomisation, found.map
        return cls(
            model=found.case.network.name,
            pooling=found.case.forward.pooling,
            method=MethodDescription.of(found.method),
            layer=found.case.layer,
            target=found.question.target_label,
            against=found.question.against_label,
            number=found.number,
            expected=found.expected,
            total=found.total,
            completeness_error=found.completeness_error,
            shape=list(values.shape),
            values=values.tolist() if values.size <= _MOST_VALUES else None,
            randomisation=None if check is None else RandomisationCheck(seed=check.seed, correlation=check.correlation),
        )
