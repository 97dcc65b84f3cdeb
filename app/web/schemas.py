"""Response models of the API."""

import base64
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, WithJsonSchema

from ..cnn.card import Card
from ..cnn.cells import Cell, JsonFloat, Matrix, Rectangle
from ..cnn.kinds import Layer
from ..cnn.network import ForwardPass, Network
from ..cnn.receptive_field import IMAGE
from ..cnn.types import PoolingMode, unused_name
from ..explore.comparison import Accuracy, ComparedLayer, Comparison, ModeColumn
from ..explore.exploration import Exploration, LayerView
from ..explore.inspection import Inspection, Kernel
from ..explore.prediction import Prediction
from ..imaging.grid import Grid
from ..library.files import Origin
from ..library.library import Library
from ..library.models import ModelEntry, ModelState
from ..library.readings import Reading, Readings, TriedReading


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


def _describe_card_fields() -> dict[str, Any]:
    """Return the schema of a card in part: none of its fields is required."""
    schema = Card.model_json_schema(ref_template="#/components/schemas/{model}")
    left_out = {"$defs", "required", "description"}  # FastAPI describes what the fields refer to
    return {name: part for name, part in schema.items() if name not in left_out} | {"title": "CardFields"}


CardFields = Annotated[dict[str, Any], WithJsonSchema(_describe_card_fields())]


class ReadingSchema(TriedReading):
    """A way in which a drawing becomes the model's input, and what the model reads by it."""

    in_use: bool = Field(description="The model's card says so now.")


class ReadingsAnswer(BaseModel):
    """What trying a model on labelled drawings has shown."""

    model: str
    tried: int = Field(description="How many readings were tried, most of them with a part of the drawings.")
    drawings: int = Field(description="How many labelled drawings there are.")
    what: str = Field(description="What they show: digits, letters, or digits and letters.")
    as_told: ReadingSchema | None = Field(description="The reading that the model's file tells of.")
    best: list[ReadingSchema] = Field(
        description="The readings that were tried with every drawing, the best one first. To use one, PUT its fields "
        "as the model's card."
    )
    is_used: bool = Field(
        description="The best one was taken into the card without asking: it reads at least 60 % of the drawings, and "
        "at least 20 % of them more than the one that the file tells of, or tells the names of classes."
    )
    reason: str | None = Field(description="Why nothing was tried.")

    @classmethod
    def from_readings(cls, model: str, card: Card | None, readings: Readings) -> Self:
        now = Reading.of_card(card) if card else None

        def mark(tried: TriedReading) -> ReadingSchema:
            return ReadingSchema(right=tried.right, reading=tried.reading, in_use=tried.reading == now)

        facts = dict(readings) | {"as_told": readings.as_told and mark(readings.as_told)}
        return cls(model=model, **facts | {"best": [mark(each) for each in readings.best]})


class ModelDetails(ModelSummary):
    """A model's name, its card and its layers in order."""

    layers: list[LayerSummary]


def summarize_model(library: Library, entry: ModelEntry) -> ModelSummary | UnopenedModel:
    """Describe a model in any state, as the list of models shows it."""
    if entry.card is None or entry.state is not ModelState.READY:
        return UnopenedModel(
            **_describe_file(entry), state=ModelState.BROKEN if entry.error else ModelState.WAITING, reason=entry.error
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


PngEncoder = Callable[[bytes], str]  # what stands for a picture in an answer


def write_base64(png: bytes) -> str:
    """Return a picture as base64."""
    return base64.b64encode(png).decode("ascii")


class GridGeometry(BaseModel):
    """The layout of a grid: map k is in row k // columns, column k % columns, with `gap` pixels between maps."""

    columns: int
    rows: int
    gap: int


class FeatureMaps(BaseModel):
    """One layer's activation and its picture."""

    name: str
    kind: str
    shape: list[int] = Field(description="Height, width, channels.")
    minimum: JsonFloat
    maximum: JsonFloat
    mean: JsonFloat
    grid: GridGeometry
    png: str = Field(description="The grid as a PNG in base64, one pixel an activation.")


_REDUCTION = "How the drawing was made smaller, since the model would have taken too much for it; else null."


class FeatureMapsAnswer(BaseModel):
    """The prediction, and every convolution and pooling layer's feature maps in order."""

    prediction: Prediction | None = Field(description="null where the model answers with a picture.")
    reduction: str | None = Field(description=_REDUCTION)
    layers: list[FeatureMaps]

    @classmethod
    def from_exploration(cls, exploration: Exploration, encode: PngEncoder = write_base64) -> Self:
        layers = [FeatureMaps(**_describe_view(view, encode)) for view in exploration.layers]
        reduction = _describe_reduction(exploration.forward)
        return cls(prediction=exploration.prediction, reduction=reduction, layers=layers)


class DifferenceMaps(BaseModel):
    """A layer's activation minus the one as trained, drawn as the feature maps are."""

    low: float | None = Field(description="As the layer's own low and high, but symmetric about zero.")
    high: float | None
    png: str = Field(description="PNG in base64: blue below zero, red above, dark at zero.")

    @classmethod
    def from_grid(cls, grid: Grid, encode: PngEncoder = write_base64) -> Self:
        return cls(low=grid.low, high=grid.high, png=encode(grid.png))


class ComparedMaps(FeatureMaps):
    """One layer's activation under one pooling mode, and how far it is from the same layer as trained."""

    shape: list[int] = Field(description="Height, width, channels; of a vector, its units.")
    low: float | None = Field(
        description="The value at the lower end of the colour map, the same in all three modes. "
        "null with scale=map, where each map has its own ends, which are again the same in all three modes."
    )
    high: float | None = Field(description="The value at the upper end.")
    distance: float = Field(
        ge=0,
        le=1,
        description="How far the activation a is from the activation as trained, t, over all values of the layer: "
        "sum(|a - t|) / (sum(|a|) + sum(|t|)), the Bray-Curtis dissimilarity. 0: equal. "
        "1: at every place one of the two is zero, or their signs differ.",
    )
    farthest_map: int | None = Field(
        description="The feature map with the largest sum of absolute differences; null where nothing differs."
    )
    difference: DifferenceMaps | None = Field(description="null unless it was asked for with differences=true.")

    @classmethod
    def from_layer(cls, layer: ComparedLayer, encode: PngEncoder) -> Self:
        return cls(
            **_describe_view(layer.view, encode),
            low=layer.view.grid.low,
            high=layer.view.grid.high,
            distance=layer.distance,
            farthest_map=layer.farthest_map,
            difference=None if layer.difference is None else DifferenceMaps.from_grid(layer.difference, encode),
        )


class ModeComparison(BaseModel):
    """The model's answer to the drawing under one pooling mode, and its layers."""

    pooling: PoolingMode
    as_trained: bool
    prediction: Prediction | None = Field(description="null where the model answers with a picture.")
    test_accuracy: float | None = Field(description="On the test set with the same weights, under this mode.")
    retrained_model: str | None = Field(description="The model of the same architecture trained with this mode.")
    retrained_test_accuracy: float | None = Field(description="That model's accuracy on the same test set.")
    farthest_layer: str | None = Field(
        description="The layer before the answer with the largest distance; null where nothing differs."
    )
    layers: list[ComparedMaps] = Field(
        description="From the first pooling layer to the last layer, or the layers named."
    )

    @classmethod
    def from_column(cls, column: ModeColumn, accuracy: Accuracy, encode: PngEncoder) -> Self:
        return cls(
            pooling=column.pooling,
            as_trained=column.is_as_trained,
            prediction=column.prediction,
            test_accuracy=accuracy.same_weights,
            retrained_model=accuracy.retrained_model,
            retrained_test_accuracy=accuracy.retrained,
            farthest_layer=column.farthest.view.layer.name if column.farthest else None,
            layers=[ComparedMaps.from_layer(layer, encode) for layer in column.layers],
        )


class ComparisonAnswer(BaseModel):
    """One drawing in the three pooling modes."""

    model: str
    trained_pooling: PoolingMode | None = Field(
        description="The mode that the distances are taken from. null: the model's pooling layers differ in their "
        "modes, so that as trained is none of the three."
    )
    inverted: bool = Field(description="Ink and paper were swapped before the network.")
    reduction: str | None = Field(description=_REDUCTION)
    modes: list[ModeComparison] = Field(description="max, average, min.")

    @classmethod
    def from_comparison(
        cls,
        comparison: Comparison,
        accuracies: dict[PoolingMode, Accuracy],
        inverted: bool,
        encode: PngEncoder = write_base64,
    ) -> Self:
        return cls(
            model=comparison.network.name,
            trained_pooling=comparison.network.card.pooling,
            inverted=inverted,
            reduction=_describe_reduction(comparison.columns[0].forward),
            modes=[
                ModeComparison.from_column(column, accuracies[column.pooling], encode) for column in comparison.columns
            ],
        )


def _describe_reduction(forward: ForwardPass) -> str | None:
    return None if forward.reduction is None else str(forward.reduction)


def _describe_view(view: LayerView, encode: PngEncoder) -> dict[str, Any]:
    """Return the fields of FeatureMaps."""
    grid = view.grid
    return {
        "name": view.layer.name,
        "kind": view.layer.kind,
        "shape": list(view.activation.shape),
        "minimum": view.minimum,
        "maximum": view.maximum,
        "mean": view.mean,
        "grid": GridGeometry(columns=grid.columns, rows=grid.rows, gap=grid.gap),
        "png": encode(grid.png),
    }


class InspectionAnswer(BaseModel):
    """One cell of one feature map: its value and where it comes from."""

    model: str
    pooling: PoolingMode | None
    layer: str
    kind: str
    channel: int
    row: int
    column: int
    value: float | None = Field(description="The float32 that the network computed.")
    receptive_field: Rectangle
    receptive_fields: dict[str, Rectangle] = Field(
        description="On every layer between, by name, and on `input`; with an underscore where a layer is called so."
    )
    cell: Annotated[Cell, Field(discriminator="arithmetic")] | None = Field(
        description="null where this kind of layer has no arithmetic yet, or it has too many numbers."
    )
    reason: str | None = Field(description="Why there is none.")

    @classmethod
    def from_inspection(cls, inspection: Inspection) -> Self:
        layer, place = inspection.layer, inspection.place
        seen = {name: region for name, region in inspection.regions.items() if name != layer.name}
        image = seen.pop(IMAGE)
        regions = {**seen, unused_name("input", inspection.regions): image}
        return cls(
            model=inspection.network.name,
            pooling=inspection.forward.pooling,
            layer=layer.name,
            kind=layer.kind,
            channel=place.channel,
            row=place.row,
            column=place.column,
            value=inspection.value,
            receptive_field=image,
            receptive_fields=regions,
            cell=inspection.cell,
            reason=inspection.reason,
        )


class KernelAnswer(BaseModel):
    """The weights of one feature map: one kernel for each input channel that it reads, and the bias."""

    model: str
    layer: str
    channel: int
    input_channels: list[int]
    kernels: list[Matrix] = Field(description="(input channels, height, width).")
    bias: float | None

    @classmethod
    def from_kernel(cls, network: Network, layer: Layer, channel: int, kernel: Kernel) -> Self:
        return cls(
            model=network.name,
            layer=layer.name,
            channel=channel,
            input_channels=list(kernel.input_channels),
            kernels=list(kernel.kernels),
            bias=kernel.bias,
        )
