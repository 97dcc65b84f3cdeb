"""What a Lambda layer computes, as a person declares it: the layer's own code is never run."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

_MAX_CHANNELS = 64

Number = Annotated[FiniteFloat, Field(ge=-1e9, le=1e9)]
Numbers = Number | Annotated[list[Number], Field(min_length=1, max_length=_MAX_CHANNELS)]
Channel = Annotated[int, Field(ge=0, lt=_MAX_CHANNELS)]


class DeclaredLambda(BaseModel):
    """An order of channels, then scale and offset; or else a layer of Keras without weights, with its settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    scale: Numbers | None = Field(default=None, description="x · scale + offset: one number, or one for each channel.")
    offset: Numbers | None = Field(
        default=None, description="Added after the scale: a number, or one for each channel."
    )
    channels: Literal["reversed"] | Annotated[list[Channel], Field(min_length=1, max_length=_MAX_CHANNELS)] | None = (
        Field(
            default=None,
            description="The image's channels in another order, before the scale: reversed, or their numbers from 0.",
        )
    )
    layer: Annotated[str, Field(min_length=1, max_length=60)] | None = Field(
        default=None,
        description="A layer of Keras without weights that computes the same, such as Identity or Resizing.",
    )
    settings: Annotated[dict[str, Any], Field(max_length=16)] = Field(
        default={}, description="That layer's settings, as Keras calls them."
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        is_arithmetic = (self.scale, self.offset, self.channels) != (None, None, None)
        if is_arithmetic == (self.layer is not None):
            raise ValueError("a declared Lambda has either scale, offset and channels, some or all, or a layer")
        if self.settings and self.layer is None:
            raise ValueError("settings belong to a layer: name it as “layer”")
        return self


# By the Lambda layer's own name in the file.
Lambdas = Annotated[dict[Annotated[str, Field(min_length=1, max_length=200)], DeclaredLambda], Field(max_length=64)]
