"""The API's answer to a drawing in three pooling modes."""

import base64

from pydantic import BaseModel, Field

from app.cnn.pooling import PoolingMode
from app.explore.comparison import Accuracy, Cell, Column, Comparison
from app.imaging.grid import Grid
from app.web.numbers import Number
from app.web.schemas import FeatureMaps, PredictionSchema, answer_maps, answer_prediction


class DifferenceMaps(BaseModel):
    """A layer's activation minus the one as trained, drawn as the feature maps are."""

    low: Number = Field(description="As the layer's own low and high, but symmetric about zero.")
    high: Number
    png: str = Field(description="PNG in base64: blue below zero, red above, dark at zero.")


class ComparedMaps(FeatureMaps):
    """One layer's activation under one pooling mode, and how far it is from the same layer as trained."""

    shape: list[int] = Field(description="Height, width, channels; of a vector, its units.")
    low: Number = Field(
        description="The value at the lower end of the colour map, the same in all three modes. "
        "null with scale=map, where each map has its own ends, which are again the same in all three modes."
    )
    high: Number = Field(description="The value at the upper end.")
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


class ModeComparison(BaseModel):
    """What the model makes of the drawing under one pooling mode."""

    pooling: PoolingMode
    as_trained: bool
    prediction: PredictionSchema | None = Field(description="null where the model answers with a picture.")
    test_accuracy: float | None = Field(description="On the test set with the same weights, under this mode.")
    retrained_model: str | None = Field(description="The model of the same architecture trained with this mode.")
    retrained_test_accuracy: float | None = Field(description="That model's accuracy on the same test set.")
    farthest_layer: str | None = Field(
        description="The layer before the answer with the largest distance; null where nothing differs."
    )
    layers: list[ComparedMaps] = Field(description="From the first pooling layer to the last layer.")


class ComparisonAnswer(BaseModel):
    """One drawing in the three pooling modes."""

    model: str
    trained_pooling: PoolingMode | None = Field(
        description="The mode that the distances are taken from. null: the model's pooling layers differ in their "
        "modes, so that as trained is none of the three."
    )
    inverted: bool = Field(description="Ink and paper were swapped before the network.")
    modes: list[ModeComparison] = Field(description="max, average, min.")


def answer_comparison(
    comparison: Comparison, accuracies: dict[PoolingMode, Accuracy], inverted: bool
) -> ComparisonAnswer:
    return ComparisonAnswer(
        model=comparison.network.name,
        trained_pooling=comparison.network.card.pooling,
        inverted=inverted,
        modes=[_mode(column, accuracies[column.pooling]) for column in comparison.columns],
    )


def _mode(column: Column, accuracy: Accuracy) -> ModeComparison:
    return ModeComparison(
        pooling=column.pooling,
        as_trained=column.is_as_trained,
        prediction=None if column.prediction is None else answer_prediction(column.prediction),
        test_accuracy=accuracy.same_weights,
        retrained_model=accuracy.retrained_model,
        retrained_test_accuracy=accuracy.retrained,
        farthest_layer=column.farthest.view.layer.name if column.farthest else None,
        layers=[_layer(cell) for cell in column.cells],
    )


def _layer(cell: Cell) -> ComparedMaps:
    return ComparedMaps(
        **dict(answer_maps(cell.view)),
        low=cell.view.grid.low,
        high=cell.view.grid.high,
        distance=cell.distance,
        farthest_map=cell.farthest_map,
        difference=None if cell.difference is None else _difference(cell.difference),
    )


def _difference(grid: Grid) -> DifferenceMaps:
    return DifferenceMaps(low=grid.low, high=grid.high, png=base64.b64encode(grid.png).decode("ascii"))
