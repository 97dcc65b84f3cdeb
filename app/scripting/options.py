"""How a grid of feature maps is drawn: the fields of the API's form, with the same names and limits."""

from typing import Annotated, Any, TypedDict

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..cnn.types import PoolingMode
from ..imaging.colormap import Colormap, Scale
from ..imaging.grid import COLUMNS


class InvalidOption(ValueError):
    """A keyword has a value that it cannot have. The message says what it can be."""


class GridKeywords(TypedDict, total=False):
    """The keywords of Run.grid."""

    zoom: int
    first: int
    count: int | None
    colormap: str | None
    signed: str | None
    scale: str
    columns: int
    differences: bool


class GridOptions(BaseModel):
    """Which maps of a layer are drawn, and how."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zoom: Annotated[int, Field(ge=1, le=32)] = 1  # pixels a cell, across and down
    first: Annotated[int, Field(ge=0)] = 0  # the number of the first map
    count: Annotated[int | None, Field(ge=1)] = None  # maps at most; None is all from the first
    colormap: Colormap | None = None  # None: viridis, and berlin for layers with negative values
    signed: Colormap | None = None  # of layers with negative values; None: the same
    scale: Scale = Scale.LAYER
    columns: Annotated[int, Field(ge=1, le=64)] = COLUMNS  # maps in a row
    differences: bool = False  # minus the same layer as trained

    @classmethod
    def read(cls, keywords: GridKeywords) -> "GridOptions":
        """Check keywords. Raises: InvalidOption."""
        try:
            return cls.model_validate(keywords)
        except ValidationError as error:
            raise InvalidOption(" ".join(map(_describe, error.errors()))) from None

    def to_form(self) -> dict[str, str]:
        """Return what is not the default as the fields of a form."""
        return {name: str(value) for name, value in self.model_dump(mode="json", exclude_defaults=True).items()}


def read_pooling(pooling: str | None) -> PoolingMode | None:
    """Return a pooling mode by its name; None is as trained. Raises: InvalidOption."""
    try:
        return None if pooling is None else PoolingMode(pooling)
    except ValueError:
        known = ", ".join(PoolingMode)
        raise InvalidOption(f"There is no pooling “{pooling}”. There is: {known}; None is as trained.") from None


def _describe(error: Any) -> str:
    name = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        return f"There is no keyword “{name}”. There is: {', '.join(GridOptions.model_fields)}."
    return f"“{name}”: {error['msg']}. Received: {error['input']!r}."
