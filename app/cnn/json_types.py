"""Numbers, arrays and regions that pydantic can write as JSON, in which NaN and infinity are null."""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from app.cnn.windows import Region

_NUMBER = {"anyOf": [{"type": "number"}, {"type": "null"}]}


def _as_is(value: Any) -> Any:
    return value


def _edges(region: Region) -> list[int]:
    return [region.top, region.left, region.bottom, region.right]


JsonFloat = Annotated[float, WithJsonSchema(_NUMBER)]
Vector = Annotated[
    NDArray[np.float64],
    PlainValidator(_as_is),
    PlainSerializer(np.ndarray.tolist, return_type=list[float]),
    WithJsonSchema({"type": "array", "items": _NUMBER}),
]
Matrix = Annotated[
    NDArray[np.float64],
    PlainValidator(_as_is),
    PlainSerializer(np.ndarray.tolist, return_type=list[list[float]]),
    WithJsonSchema({"type": "array", "items": {"type": "array", "items": _NUMBER}}),
]
Rectangle = Annotated[
    Region,
    PlainValidator(_as_is),
    PlainSerializer(_edges, return_type=list[int]),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "integer"},
            "minItems": 4,
            "maxItems": 4,
            "description": "[top, left, bottom, right], padding counted.",
        }
    ),
]
