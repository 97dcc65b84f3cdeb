"""The differences between two networks as JSON."""

from pydantic import BaseModel, Field

from ...cnn.cells import JsonFloat
from ...cnn.types import PoolingMode
from ...explore.differences import Differences, LayerDifference, Side, VariableDifference


class SideSummary(BaseModel):
    """One of the two."""

    model: str
    pooling: PoolingMode | None

    @classmethod
    def of(cls, side: Side) -> "SideSummary":
        return cls(model=side.network.name, pooling=side.forward.pooling)


class ComparedVariable(BaseModel):
    """One weight array."""

    name: str
    size: int = Field(description="How many weights it has in the first.")
    changed: int | None = Field(description="How many of them differ; null where the shapes do.")
    largest: JsonFloat | None = Field(description="The largest absolute difference.")

    @classmethod
    def of(cls, variable: VariableDifference) -> "ComparedVariable":
        return cls(**vars(variable))


class ComparedPair(BaseModel):
    """One layer of each, or one that the other network does not have."""

    first: str | None = Field(description="The layer's name in the first network.")
    second: str | None = Field(description="The same in the second.")
    distance: JsonFloat | None = Field(
        description="Of their activations, from 0 to 1: the sum of absolute differences over the sum of absolute "
        "values (Bray and Curtis, 1957). null where the shapes differ."
    )
    largest: JsonFloat | None = Field(description="The largest absolute difference of two cells.")
    variables: list[ComparedVariable]

    @classmethod
    def of(cls, layer: LayerDifference) -> "ComparedPair":
        names = (each.name if each else None for each in (layer.first, layer.second))
        first, second = names
        variables = [ComparedVariable.of(each) for each in layer.variables]
        return cls(first=first, second=second, distance=layer.distance, largest=layer.largest, variables=variables)


class DifferencesAnswer(BaseModel):
    """Where two networks part."""

    first: SideSummary
    second: SideSummary
    sees_the_same: bool = Field(description="Both get the same image.")
    is_one_architecture: bool = Field(description="Their layers and the shapes of their weights are the same.")
    changed: int = Field(description="How many weights differ.")
    parting: ComparedPair | None = Field(description="The first layer whose activations differ; null where none does.")
    layers: list[ComparedPair] = Field(description="In the order of the data.")

    @classmethod
    def of(cls, found: Differences) -> "DifferencesAnswer":
        return cls(
            first=SideSummary.of(found.first),
            second=SideSummary.of(found.second),
            sees_the_same=found.sees_the_same,
            is_one_architecture=found.is_one_architecture,
            changed=found.changed,
            parting=None if found.parting is None else ComparedPair.of(found.parting),
            layers=[ComparedPair.of(each) for each in found.layers],
        )
