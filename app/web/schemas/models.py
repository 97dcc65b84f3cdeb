"""The API's answers about models: in the list of all, and one with its layers."""

from collections.abc import Sequence
from typing import Any, Literal, Self

from pydantic import BaseModel, Field

from app.cnn.card import Card
from app.cnn.kinds import Layer
from app.cnn.network import Network
from app.cnn.pooling import PoolingMode
from app.library.files import Origin
from app.library.library import Library
from app.library.models import ModelEntry, ModelState


class LayerShare(BaseModel):
    """One layer's share of a model's parameters."""

    name: str
    words: str
    parameters: int
    share: float = Field(description="Of all of the model's parameters, from 0 to 1.")


class ModelFileSchema(BaseModel):
    """A model's file and state."""

    name: str
    origin: Origin = Field(description="It came with Layerglass, is a person's own, or was uploaded to this server.")
    file_size: int = Field(description="In bytes.")
    note: str | None = Field(description="Why it has another name than its file.")


class UnopenedModel(ModelFileSchema):
    """A model that waits to be opened for the first time, or that cannot be opened."""

    state: Literal[ModelState.WAITING, ModelState.BROKEN]
    reason: str | None = Field(description="Why it cannot be opened.")


class ModelSummary(ModelFileSchema, Card):
    """A model's file, its card and its size."""

    state: Literal[ModelState.READY]
    weights: int | None = Field(description="Parameters that are no biases; null until it is opened.")
    biases: int | None
    architecture: list[LayerShare] | None


class LayerSummary(BaseModel):
    """A layer as the model's file describes it. Sizes are [rows, columns]; null is any."""

    name: str
    kind: str = Field(description="The Keras class.")
    output_shape: list[int | None]
    parameters: int
    kernel_size: list[int] | None = None
    pool_size: list[int] | None = None
    strides: list[int] | None = None
    padding: str | None = None
    activation: str | None = None
    pooling: PoolingMode | None = Field(default=None, description="The mode that the layer was trained with.")
    receptive_field: list[int] | None = Field(description="Height and width of what a cell sees of the input.")

    @classmethod
    def from_layer(cls, network: Network, layer: Layer) -> Self:
        window, seen = layer.window, network.receptive_fields[layer.name]
        size = None if window is None else list(window.size)
        return cls(
            name=layer.name,
            kind=layer.kind,
            output_shape=list(layer.output_shape),
            parameters=layer.parameters,
            kernel_size=None if layer.is_pooling else size,
            pool_size=size if layer.is_pooling else None,
            strides=None if window is None else list(window.strides),
            padding=None if window is None else window.padding,
            activation=layer.activation,
            pooling=layer.pooling,
            receptive_field=None if seen is None else list(seen),
        )


class ModelDetails(ModelSummary):
    """A model's name, its card and its layers in order."""

    layers: list[LayerSummary]


def summarize_model(library: Library, entry: ModelEntry) -> ModelSummary | UnopenedModel:
    """Describe a model in any state, as the list of models shows it."""
    if entry.card is None or entry.state is not ModelState.READY:
        return UnopenedModel(
            **_describe_file(entry),
            state=ModelState.BROKEN if entry.error else ModelState.WAITING,
            reason=entry.error,
        )
    return ModelSummary(**_describe_ready(entry, entry.card, library.layers(entry)))


def describe_model(entry: ModelEntry, network: Network) -> ModelDetails:
    """Describe an opened model with all its layers."""
    layers = [LayerSummary.from_layer(network, layer) for layer in network.layers]
    return ModelDetails(**_describe_ready(entry, network.card, network.layers), layers=layers)


def _describe_ready(entry: ModelEntry, card: Card, layers: Sequence[Layer] | None) -> dict[str, Any]:
    """Return the fields of ModelSummary."""
    biases = None if layers is None else sum(layer.biases for layer in layers)
    parameters = sum(layer.parameters for layer in layers or ())
    return {
        **_describe_file(entry),
        **dict(card),
        "state": ModelState.READY,
        "weights": None if biases is None else parameters - biases,
        "biases": biases,
        "architecture": None if layers is None else [_share(layer, parameters) for layer in layers],
    }


def _describe_file(entry: ModelEntry) -> dict[str, Any]:
    """Return the fields of ModelFileSchema."""
    file = entry.file
    return {"name": file.name, "origin": file.origin, "file_size": file.size, "note": file.note}


def _share(layer: Layer, parameters: int) -> LayerShare:
    share = layer.parameters / parameters if parameters else 0.0
    return LayerShare(name=layer.name, words=layer.describe_briefly(), parameters=layer.parameters, share=share)
