"""How a grid is drawn, and how an answer is explained: the fields of the API's form, with their names and limits."""

from collections.abc import Mapping
from typing import Annotated, Any, Self, TypedDict

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..attribution.baseline import Baseline
from ..attribution.case import MOST_SIDE, MOST_STEPS
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


class AttributionKeywords(TypedDict, total=False):
    """The keywords of Run.attribution beside the question."""

    layer: str | None
    baseline: str
    steps: int
    patch_rows: int | None
    patch_columns: int | None
    stride: int | None
    check: bool
    seed: int


class _Options(BaseModel):
    """Keywords that are fields of the API's form."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def read(cls, keywords: Mapping[str, Any]) -> Self:
        """Check keywords. Raises: InvalidOption."""
        try:
            return cls.model_validate(keywords)
        except ValidationError as error:
            raise InvalidOption(" ".join(_describe(each, cls) for each in error.errors())) from None

    def to_form(self) -> dict[str, str]:
        """Return what is not the default as the fields of a form."""
        return {name: str(value) for name, value in self.model_dump(mode="json", exclude_defaults=True).items()}


class AttributionOptions(_Options):
    """What an attribution method is told, and whether it is checked."""

    layer: str | None = None  # whose cells are judged; None is the image
    baseline: Baseline = Baseline.PAPER
    steps: Annotated[int, Field(ge=1, le=MOST_STEPS)] = 32
    patch_rows: Annotated[int | None, Field(ge=1, le=MOST_SIDE)] = None
    patch_columns: Annotated[int | None, Field(ge=1, le=MOST_SIDE)] = None
    stride: Annotated[int | None, Field(ge=1, le=MOST_SIDE)] = None
    check: bool = True  # the same with shuffled weights
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0  # of the order of the shuffled weights


class GridOptions(_Options):
    """Which maps of a layer are drawn, and how."""

    zoom: Annotated[int, Field(ge=1, le=32)] = 1  # pixels a cell, across and down
    first: Annotated[int, Field(ge=0)] = 0  # the number of the first map
    count: Annotated[int | None, Field(ge=1)] = None  # maps at most; None is all from the first
    colormap: Colormap | None = None  # None: viridis, and berlin for layers with negative values
    signed: Colormap | None = None  # of layers with negative values; None: the same
    scale: Scale = Scale.LAYER
    columns: Annotated[int, Field(ge=1, le=64)] = COLUMNS  # maps in a row
    differences: bool = False  # minus the same layer as trained


def read_pooling(pooling: str | None) -> PoolingMode | None:
    """Return a pooling mode by its name; None is as trained. Raises: InvalidOption."""
    try:
        return None if pooling is None else PoolingMode(pooling)
    except ValueError:
        known = ", ".join(PoolingMode)
        raise InvalidOption(f"There is no pooling “{pooling}”. There is: {known}; None is as trained.") from None


def _describe(error: Any, options: type[BaseModel]) -> str:
    name = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        return f"There is no keyword “{name}”. There is: {', '.join(options.model_fields)}."
    return f"“{name}”: {error['msg']}. Received: {error['input']!r}."
