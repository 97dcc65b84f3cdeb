"""The API's answers."""

import base64
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.cnn.card import Answer, Card
from app.cnn.kinds import Layer
from app.cnn.network import Network
from app.cnn.pooling import PoolingMode
from app.explore.exploration import Exploration, LayerView
from app.explore.prediction import Prediction
from app.library.entry import Entry, State
from app.library.files import Origin
from app.library.library import Library
from app.web.numbers import Number


class LayerShare(BaseModel):
    """How many of a model's parameters one of its layers has."""

    name: str
    words: str
    parameters: int
    share: float = Field(description="Of all of the model's parameters, from 0 to 1.")


class ModelFileSchema(BaseModel):
    """A model's file, and how far it is."""

    name: str
    origin: Origin = Field(description="It came with Layerglass, is a person's own, or was uploaded to this server.")
    file_size: int = Field(description="In bytes.")
    note: str | None = Field(description="Why it has another name than its file.")


class UnopenedModel(ModelFileSchema):
    """A model that waits to be opened for the first time, or that cannot be opened."""

    state: Literal[State.WAITING, State.BROKEN]
    reason: str | None = Field(description="Why it cannot be opened.")


class ModelSummary(ModelFileSchema, Card):
    """A model's file, its card and its size."""

    state: Literal[State.READY]
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


class ModelDetails(ModelSummary):
    """A model's name, its card and its layers in order."""

    layers: list[LayerSummary]


class ClassProbabilitySchema(BaseModel):
    """How likely one class is."""

    model_config = ConfigDict(from_attributes=True)

    label: str
    probability: Number


class ClassValueSchema(BaseModel):
    """What the last layer gives for one class, as it is."""

    model_config = ConfigDict(from_attributes=True)

    label: str
    value: Number


class PredictionSchema(BaseModel):
    """Which class the network says it is, and how likely each one is; or the values that it gives."""

    model_config = ConfigDict(from_attributes=True)

    model: str
    pooling: PoolingMode | None
    label: str = Field(
        description="The likeliest class. Of a lone value, its number. “–” where there are several values, and where "
        "the answer is not a number."
    )
    probability: Number = Field(description="Of that class; null where the label is no class.")
    probabilities: list[ClassProbabilitySchema] = Field(
        description="In the order of the classes; empty where the answer is values."
    )
    answer: Answer = Field(description="What the last layer gives; the probabilities of logits are their softmax.")
    is_exclusive: bool = Field(description="The probabilities sum to 1; otherwise each stands by itself.")
    values: list[ClassValueSchema] = Field(
        description="The last layer's outputs as they are, in the order of the classes; a lone neuron's is that of "
        "the second class."
    )
    note: str | None = Field(description="What is odd about the answer: a sentence.")


class GridGeometry(BaseModel):
    """Where the maps lie in the picture: map k in row k // columns, column k % columns, `gap` pixels between."""

    columns: int
    rows: int
    gap: int


class FeatureMaps(BaseModel):
    """One layer's activation and its picture."""

    name: str
    kind: str
    shape: list[int] = Field(description="Height, width, channels.")
    minimum: Number
    maximum: Number
    mean: Number
    grid: GridGeometry
    png: str = Field(description="The grid as a PNG in base64, one pixel an activation.")


class FeatureMapsAnswer(BaseModel):
    """The prediction, and every convolution and pooling layer's feature maps in order."""

    prediction: PredictionSchema | None = Field(description="null where the model answers with a picture.")
    layers: list[FeatureMaps]


class Health(BaseModel):
    """How the app is, and which version of it."""

    status: str
    version: str


def list_model(library: Library, entry: Entry) -> ModelSummary | UnopenedModel:
    """A model as the list shows it, whatever its state."""
    if entry.card is None or entry.state is not State.READY:
        return UnopenedModel(
            **_describe_file(entry), state=State.BROKEN if entry.reason else State.WAITING, reason=entry.reason
        )
    return summarise_model(entry, entry.card, library.layers(entry))


def summarise_model(entry: Entry, card: Card, layers: Sequence[Layer] | None) -> ModelSummary:
    biases = None if layers is None else sum(layer.biases for layer in layers)
    parameters = sum(layer.parameters for layer in layers or ())
    return ModelSummary(
        **_describe_file(entry),
        **dict(card),
        state=State.READY,
        weights=None if biases is None else parameters - biases,
        biases=biases,
        architecture=None if layers is None else [_share(layer, parameters) for layer in layers],
    )


def detail_model(entry: Entry, network: Network) -> ModelDetails:
    layers = [_summarise_layer(network, layer) for layer in network.layers]
    return ModelDetails(**dict(summarise_model(entry, network.card, network.layers)), layers=layers)


def _describe_file(entry: Entry) -> dict[str, Any]:
    file = entry.file
    return {"name": file.name, "origin": file.origin, "file_size": file.size, "note": file.note}


def _share(layer: Layer, parameters: int) -> LayerShare:
    share = layer.parameters / parameters if parameters else 0.0
    return LayerShare(name=layer.name, words=layer.describe_briefly(), parameters=layer.parameters, share=share)


def answer_prediction(prediction: Prediction) -> PredictionSchema:
    return PredictionSchema.model_validate(prediction)


def answer_feature_maps(exploration: Exploration) -> FeatureMapsAnswer:
    maps = [answer_maps(view) for view in exploration.layers]
    prediction = exploration.prediction
    return FeatureMapsAnswer(prediction=None if prediction is None else answer_prediction(prediction), layers=maps)


def _summarise_layer(network: Network, layer: Layer) -> LayerSummary:
    window, seen = layer.window, network.receptive_fields[layer.name]
    size = None if window is None else list(window.size)
    return LayerSummary(
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


def answer_maps(view: LayerView) -> FeatureMaps:
    grid = view.grid
    return FeatureMaps(
        name=view.layer.name,
        kind=view.layer.kind,
        shape=list(view.activation.shape),
        minimum=view.minimum,
        maximum=view.maximum,
        mean=view.mean,
        grid=GridGeometry(columns=grid.columns, rows=grid.rows, gap=grid.gap),
        png=base64.b64encode(grid.png).decode("ascii"),
    )
