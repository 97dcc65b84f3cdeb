"""The API's answers to a drawing: feature maps, in one pooling mode or in all three."""

import base64
from typing import Any, Self

from pydantic import BaseModel, Field

from app.cnn.cells import JsonFloat
from app.cnn.pooling import PoolingMode
from app.explore.comparison import Accuracy, ComparedLayer, Comparison, ModeColumn
from app.explore.exploration import Exploration, LayerView
from app.explore.prediction import Prediction
from app.imaging.grid import Grid


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


class FeatureMapsAnswer(BaseModel):
    """The prediction, and every convolution and pooling layer's feature maps in order."""

    prediction: Prediction | None = Field(description="null where the model answers with a picture.")
    layers: list[FeatureMaps]

    @classmethod
    def from_exploration(cls, exploration: Exploration) -> Self:
        layers = [FeatureMaps(**_describe_view(view)) for view in exploration.layers]
        return cls(prediction=exploration.prediction, layers=layers)


class DifferenceMaps(BaseModel):
    """A layer's activation minus the one as trained, drawn as the feature maps are."""

    low: float | None = Field(description="As the layer's own low and high, but symmetric about zero.")
    high: float | None
    png: str = Field(description="PNG in base64: blue below zero, red above, dark at zero.")

    @classmethod
    def from_grid(cls, grid: Grid) -> Self:
        return cls(low=grid.low, high=grid.high, png=_base64(grid.png))


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
    def from_layer(cls, layer: ComparedLayer) -> Self:
        return cls(
            **_describe_view(layer.view),
            low=layer.view.grid.low,
            high=layer.view.grid.high,
            distance=layer.distance,
            farthest_map=layer.farthest_map,
            difference=None if layer.difference is None else DifferenceMaps.from_grid(layer.difference),
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
    layers: list[ComparedMaps] = Field(description="From the first pooling layer to the last layer.")

    @classmethod
    def from_column(cls, column: ModeColumn, accuracy: Accuracy) -> Self:
        return cls(
            pooling=column.pooling,
            as_trained=column.is_as_trained,
            prediction=column.prediction,
            test_accuracy=accuracy.same_weights,
            retrained_model=accuracy.retrained_model,
            retrained_test_accuracy=accuracy.retrained,
            farthest_layer=column.farthest.view.layer.name if column.farthest else None,
            layers=[ComparedMaps.from_layer(layer) for layer in column.layers],
        )


class ComparisonAnswer(BaseModel):
    """One drawing in the three pooling modes."""

    model: str
    trained_pooling: PoolingMode | None = Field(
        description="The mode that the distances are taken from. null: the model's pooling layers differ in their "
        "modes, so that as trained is none of the three."
    )
    inverted: bool = Field(description="Ink and paper were swapped before the network.")
    modes: list[ModeComparison] = Field(description="max, average, min.")

    @classmethod
    def from_comparison(cls, comparison: Comparison, accuracies: dict[PoolingMode, Accuracy], inverted: bool) -> Self:
        return cls(
            model=comparison.network.name,
            trained_pooling=comparison.network.card.pooling,
            inverted=inverted,
            modes=[ModeComparison.from_column(column, accuracies[column.pooling]) for column in comparison.columns],
        )


def _describe_view(view: LayerView) -> dict[str, Any]:
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
        "png": _base64(grid.png),
    }


def _base64(png: bytes) -> str:
    return base64.b64encode(png).decode("ascii")
