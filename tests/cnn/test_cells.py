"""Cells are JSON as they are: the API answers with nothing else."""

import json
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from app.cnn.cells import (
    Cell,
    Contribution,
    ConvolutionCell,
    DenseCell,
    ElementwiseCell,
    MovedCell,
    PoolingCell,
    SoftmaxCell,
    Term,
)
from app.cnn.types import PoolingMode
from app.cnn.windows import Region

WINDOW = Region(-1, 0, 1, 2)
PATCH = np.array([[np.nan, np.inf], [0.5, -2.0]])
SOFTMAX = SoftmaxCell(np.array([0.0, np.nan]), np.array([1.0, np.inf]), 3.0, 1, value=0.5)
SOFTMAX_JSON = {"arithmetic": "softmax", "logits": [0, None], "exponentials": [1, None], "total": 3, "unit": 1}
ADAPTER: TypeAdapter[Cell] = TypeAdapter(Cell)

CELLS: list[tuple[Cell, dict[str, Any]]] = [
    (
        ConvolutionCell(WINDOW, (Term(2, PATCH, np.ones((2, 2)), np.inf),), 0.25, 1.5, "relu", value=1.5),
        {
            "arithmetic": "convolution",
            "window": [-1, 0, 1, 2],
            "terms": [{"channel": 2, "inputs": [[None, None], [0.5, -2]], "kernel": [[1, 1]] * 2, "partial_sum": None}],
            "bias": 0.25,
            "pre_activation": 1.5,
            "activation": "relu",
        },
    ),
    (
        PoolingCell(WINDOW, PATCH, np.inf, np.nan, -2.0, PoolingMode.MIN, value=-2.0),
        {
            "arithmetic": "pooling",
            "window": [-1, 0, 1, 2],
            "inputs": [[None, None], [0.5, -2]],
            "maximum": None,
            "average": None,
            "minimum": -2,
            "mode": "min",
        },
    ),
    (
        DenseCell((Contribution(0, 1.0, 2.0, 2.0),), 0.0, 2.0, "softmax", value=0.5, softmax=SOFTMAX),
        {
            "arithmetic": "dense",
            "contributions": [{"index": 0, "value": 1, "weight": 2, "product": 2}],
            "bias": 0,
            "pre_activation": 2,
            "activation": "softmax",
            "softmax": SOFTMAX_JSON,
        },
    ),
    (SOFTMAX, SOFTMAX_JSON),
    (
        ElementwiseCell((1.0, np.nan), "batch normalisation", {"mean": np.inf}, value=0.0, formula="{0}"),
        {
            "arithmetic": "elementwise",
            "inputs": [1, None],
            "operation": "batch normalisation",
            "parameters": {"mean": None},
        },
    ),
    (MovedCell(1, (2, 3, 4), value=0.0), {"arithmetic": "moved", "source": 1, "place": [2, 3, 4]}),
    (MovedCell(0, None, value=0.0), {"arithmetic": "moved", "source": 0, "place": None}),
]


@pytest.mark.parametrize(("cell", "expected"), CELLS, ids=[type(cell).__name__ for cell, _ in CELLS])
def test_a_cell_is_its_own_json_without_its_value(cell: Cell, expected: dict[str, Any]) -> None:
    assert json.loads(ADAPTER.dump_json(cell)) == expected
