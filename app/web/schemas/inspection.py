"""The API's answers about one cell, and about one feature map's weights."""

from typing import Annotated, Self

from pydantic import BaseModel, Field

from app.cnn.cells import Cell, Matrix, Rectangle
from app.cnn.kinds import Layer
from app.cnn.network import Network
from app.cnn.pooling import PoolingMode
from app.cnn.receptive_field import IMAGE
from app.explore.inspection import Inspection, Kernel


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
    receptive_fields: dict[str, Rectangle] = Field(description="On every layer between, by name, and on the input.")
    cell: Annotated[Cell, Field(discriminator="arithmetic")] | None = Field(
        description="null where this kind of layer has no arithmetic yet."
    )
    reason: str | None = Field(description="Why there is none.")

    @classmethod
    def from_inspection(cls, inspection: Inspection) -> Self:
        layer, place = inspection.layer, inspection.place
        regions = {name: region for name, region in inspection.regions.items() if name != layer.name}
        return cls(
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
