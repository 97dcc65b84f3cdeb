"""A cell's arithmetic as the API answers it."""

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from app.cnn.cells import (
    Cell,
    ConvolutionCell,
    DenseCell,
    ElementwiseCell,
    MovedCell,
    PoolingCell,
    SoftmaxCell,
    Term,
)
from app.cnn.pooling import PoolingMode
from app.cnn.receptive_field import IMAGE
from app.cnn.windows import Region
from app.explore.inspection import Inspection
from app.web.numbers import Number

Rectangle = Annotated[
    list[int], Field(min_length=4, max_length=4, description="[top, left, bottom, right], padding counted.")
]
Matrix = list[list[Number]]


class TermSchema(BaseModel):
    """What one input channel gives: inputs times kernel, summed. Padding reads as 0."""

    channel: int
    inputs: Matrix
    kernel: Matrix
    partial_sum: Number


class ConvolutionSchema(BaseModel):
    """value = activation(pre_activation), pre_activation = sum of the partial sums + bias."""

    arithmetic: Literal["convolution"] = "convolution"
    window: Rectangle
    terms: list[TermSchema]
    bias: Number
    pre_activation: Number
    activation: str


class PoolingSchema(BaseModel):
    """The window's values and what each mode makes of them; null is padding, which no mode counts."""

    arithmetic: Literal["pooling"] = "pooling"
    window: Rectangle
    inputs: Matrix
    maximum: Number
    average: Number
    minimum: Number
    mode: PoolingMode


class ContributionSchema(BaseModel):
    """One input of a neuron: value times weight."""

    index: int
    value: Number
    weight: Number
    product: Number


class SoftmaxSchema(BaseModel):
    """value = exponentials[unit] / total, exponentials = exp(logits - max(logits)), total = their sum."""

    arithmetic: Literal["softmax"] = "softmax"
    logits: list[Number]
    exponentials: list[Number]
    total: Number
    unit: int


class DenseSchema(BaseModel):
    """value = activation(pre_activation), pre_activation = sum of the products + bias."""

    arithmetic: Literal["dense"] = "dense"
    contributions: list[ContributionSchema]
    bias: Number
    pre_activation: Number
    activation: str
    softmax: SoftmaxSchema | None = Field(description="Where the activation function needs all neurons of the layer.")


class ElementwiseSchema(BaseModel):
    """A cell that reads its own place only, of one input or of several."""

    arithmetic: Literal["elementwise"] = "elementwise"
    inputs: list[Number]
    operation: str
    parameters: dict[str, Number]


class MovedSchema(BaseModel):
    """A value that only moved, from [row, column, channel] of one of the layer's inputs; null is padding."""

    arithmetic: Literal["moved"] = "moved"
    source: int = Field(description="Which of the layer's inputs, from 0.")
    place: list[int] | None


CellSchema = Annotated[
    ConvolutionSchema | PoolingSchema | DenseSchema | SoftmaxSchema | ElementwiseSchema | MovedSchema,
    Field(discriminator="arithmetic"),
]


class InspectionAnswer(BaseModel):
    """One cell of one feature map: its value and where it comes from."""

    model: str
    pooling: PoolingMode | None
    layer: str
    kind: str
    channel: int
    row: int
    column: int
    value: Number = Field(description="The float32 that the network computed.")
    receptive_field: Rectangle
    receptive_fields: dict[str, Rectangle] = Field(description="On every layer between, by name, and on the input.")
    cell: CellSchema | None = Field(description="null where this kind of layer has no arithmetic yet.")
    reason: str | None = Field(description="Why there is none.")


class KernelAnswer(BaseModel):
    """The weights of one feature map: one kernel an input channel that it reads, and the bias."""

    model: str
    layer: str
    channel: int
    input_channels: list[int]
    kernels: list[Matrix] = Field(description="(input channels, height, width).")
    bias: Number


def answer_inspection(inspection: Inspection) -> InspectionAnswer:
    layer, place = inspection.layer, inspection.place
    regions = {name: _rectangle(region) for name, region in inspection.regions.items() if name != layer.name}
    return InspectionAnswer(
        model=inspection.network.name,
        pooling=inspection.forward.pooling,
        layer=layer.name,
        kind=layer.kind,
        channel=place.channel,
        row=place.row,
        column=place.column,
        value=inspection.value,
        receptive_field=regions[IMAGE],
        receptive_fields=regions,
        cell=None if inspection.cell is None else answer_cell(inspection.cell),
        reason=inspection.reason,
    )


def answer_cell(cell: Cell) -> CellSchema:
    """The arithmetic in JSON's types, every number as the service has it."""
    match cell:
        case ConvolutionCell():
            return ConvolutionSchema(
                window=_rectangle(cell.window),
                terms=[_term(term) for term in cell.terms],
                bias=cell.bias,
                pre_activation=cell.pre_activation,
                activation=cell.activation,
            )
        case PoolingCell():
            return PoolingSchema(
                window=_rectangle(cell.window),
                inputs=_matrix(cell.inputs),
                maximum=cell.maximum,
                average=cell.average,
                minimum=cell.minimum,
                mode=cell.mode,
            )
        case DenseCell():
            return DenseSchema(
                contributions=[ContributionSchema.model_validate(vars(each)) for each in cell.contributions],
                bias=cell.bias,
                pre_activation=cell.pre_activation,
                activation=cell.activation,
                softmax=None if cell.softmax is None else _softmax(cell.softmax),
            )
        case SoftmaxCell():
            return _softmax(cell)
        case ElementwiseCell():
            return ElementwiseSchema(
                inputs=list(cell.inputs), operation=cell.operation, parameters=dict(cell.parameters)
            )
        case MovedCell():
            return MovedSchema(source=cell.source, place=None if cell.place is None else list(cell.place))


def _term(term: Term) -> TermSchema:
    return TermSchema(
        channel=term.channel, inputs=_matrix(term.inputs), kernel=_matrix(term.kernel), partial_sum=term.partial_sum
    )


def _softmax(cell: SoftmaxCell) -> SoftmaxSchema:
    return SoftmaxSchema(
        logits=cell.logits.tolist(), exponentials=cell.exponentials.tolist(), total=cell.total, unit=cell.unit
    )


def _matrix(values: NDArray[np.float64]) -> Matrix:
    rows: Matrix = values.tolist()
    return rows


def _rectangle(region: Region) -> list[int]:
    return [region.top, region.left, region.bottom, region.right]
