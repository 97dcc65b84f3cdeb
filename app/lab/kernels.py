"""Kernels by name, and matrices that are typed."""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BeforeValidator, Field

MAX_KERNEL = 9  # rows, and columns
MAX_WEIGHT = 1000

_SOBEL = ((-1, -2, -1), (0, 0, 0), (1, 2, 1))  # answers where it gets brighter downwards
_DIAGONAL = ((-2, -1, 0), (-1, 0, 1), (0, 1, 2))


def _turned(rows: tuple[tuple[int, ...], ...], quarters: int) -> tuple[tuple[int, ...], ...]:
    return tuple(map(tuple, np.rot90(np.array(rows), quarters).tolist()))


def _scaled(rows: Any, divisor: float) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(each / divisor for each in row) for row in rows)


# Each answers where it gets brighter in its direction (Sobel's operator, turned); the sums of their positive weights
# are 1, so that a picture from 0 to 1 gives values from -1 to 1.
_EDGES = {
    "edge-down": _scaled(_SOBEL, 4),
    "edge-right": _scaled(_turned(_SOBEL, 1), 4),
    "edge-up": _scaled(_turned(_SOBEL, 2), 4),
    "edge-left": _scaled(_turned(_SOBEL, 3), 4),
    "edge-down-right": _scaled(_DIAGONAL, 4),
    "edge-up-right": _scaled(_turned(_DIAGONAL, 1), 4),
    "edge-up-left": _scaled(_turned(_DIAGONAL, 2), 4),
    "edge-down-left": _scaled(_turned(_DIAGONAL, 3), 4),
}
KERNELS: dict[str, tuple[tuple[float, ...], ...]] = {
    **_EDGES,
    "edges": ((0, -1, 0), (-1, 4, -1), (0, -1, 0)),
    "blur": _scaled(((1, 2, 1), (2, 4, 2), (1, 2, 1)), 16),
    "wide-blur": _scaled(np.outer((1, 4, 6, 4, 1), (1, 4, 6, 4, 1)).tolist(), 256),
    "mean": _scaled(((1, 1, 1),) * 3, 9),
    "sharpen": ((0, -1, 0), (-1, 5, -1), (0, -1, 0)),
    "emboss": ((-2, -1, 0), (-1, 1, 1), (0, 1, 2)),
    "identity": ((0, 0, 0), (0, 1, 0), (0, 0, 0)),
}
RANDOM = "random"
WORDS = {
    "edge-right": "edge, brighter to the right",
    "edge-left": "edge, brighter to the left",
    "edge-down": "edge, brighter below",
    "edge-up": "edge, brighter above",
    "edge-down-right": "edge, brighter below right",
    "edge-down-left": "edge, brighter below left",
    "edge-up-right": "edge, brighter above right",
    "edge-up-left": "edge, brighter above left",
    "edges": "edges in all directions",
    "blur": "blur",
    "wide-blur": "blur, 5×5",
    "mean": "mean of 3×3",
    "sharpen": "sharpen",
    "emboss": "emboss",
    "identity": "identity, changes nothing",
    RANDOM: "random, by a seed",
}

Weight = Annotated[float, Field(ge=-MAX_WEIGHT, le=MAX_WEIGHT, allow_inf_nan=False)]
Row = Annotated[tuple[Weight, ...], Field(min_length=1, max_length=MAX_KERNEL)]


def _check_rows(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    if len({len(row) for row in rows}) > 1:
        raise ValueError("each row of a kernel has as many numbers as the others")
    return rows


def _read(value: Any) -> Any:
    """Read a kernel as it stands in an address: 1_2_1;2_4_2;1_2_1. A name stays as it is."""
    if isinstance(value, str) and value not in WORDS:
        rows = [row.replace("_", " ").split() for row in value.strip().replace("\n", ";").split(";")]
        return [row for row in rows if row]
    return value


KernelRows = Annotated[tuple[Row, ...], Field(min_length=1, max_length=MAX_KERNEL), AfterValidator(_check_rows)]


def check_name(name: str) -> str:
    if name not in WORDS:
        raise ValueError(f"a kernel is a matrix of numbers, or one of {', '.join(WORDS)}")
    return name


KernelName = Annotated[str, AfterValidator(check_name), Field(json_schema_extra={"enum": list(WORDS)})]
KernelSetting = Annotated[KernelName | KernelRows, BeforeValidator(_read)]


def make_random(rows: int, columns: int, seed: int) -> NDArray[np.float32]:
    """Return weights as a layer of one map in and one out starts with, rounded to three decimals.

    Uniform within ±sqrt(6 / (fan in + fan out)) (Glorot and Bengio, 2010), where both fans are the number of weights.
    """
    limit = np.sqrt(3 / (rows * columns))
    weights = np.random.default_rng(seed).uniform(-limit, limit, (rows, columns))
    return np.asarray(weights.round(3), np.float32)


def write_rows(rows: tuple[tuple[float, ...], ...]) -> str:
    """Return a matrix as it stands in an address."""
    return ";".join("_".join(f"{each:.9g}" for each in row) for row in rows)
