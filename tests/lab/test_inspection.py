"""The arithmetic of one value is that of the value that was computed."""

import itertools
import math

import numpy as np
import pytest

from app.cnn.cells import ConvolutionCell, ElementwiseCell, PoolingCell
from app.imaging.colormap import Colormap
from app.lab.chain import OPERATIONS, read_chain
from app.lab.inspection import inspect, view_inspection
from app.lab.laboratory import Laboratory, NoCell
from app.lab.operation import WindowCell
from app.library.kept import Kept

SETTINGS = {
    "max": ["", ":padding=same:window=3:stride=2"],
    "average": ["", ":padding=same:window=5:stride=3"],
    "min": ["", ":padding=same"],
    "lp": [":p=3", ":padding=same:window=3:stride=2"],
    "soft": ["", ":beta=9:padding=same:window=3"],
    "stochastic": ["", ":seed=4:window=3:padding=same", ":stride=1"],
    "mixed": [":share=0.2", ":padding=same:window=3"],
    "median": ["", ":window=3", ":padding=same:window=4:stride=3"],
    "blurred": ["", ":blur=4:window=3", ":blur=5:padding=same"],
    "polyphase": ["", ":window=3:stride=3"],
    "cell": [":row=2", ":window=3:column=3"],
    "strided": ["", ":kernel=random:size=4"],
    "convolution": ["", ":padding=reflect:kernel=emboss", ":padding=valid:dilation=2", ":kernel=1_2_3;-4_5_6"],
    "activation": [f":function={name}" for name in ("relu", "gelu", "leaky_relu", "sigmoid", "selu")],
    "swap": [""],
}
CHAINS = [f"convolution:kernel=emboss,{name}{each}" for name, many in SETTINGS.items() for each in many]
LABORATORY = Laboratory(Kept())


def test_every_operation_is_tried() -> None:
    assert set(SETTINGS) == set(OPERATIONS)


@pytest.mark.parametrize("text", CHAINS)
def test_the_parts_of_a_value_make_it(text: str) -> None:
    stage = LABORATORY.run(LABORATORY.sample("digit"), read_chain(text))[-1]
    height, width = stage.size
    rows, columns = ({0, 1, size // 2, size - 1} for size in (height, width))
    for row, column in itertools.product(rows, columns):
        inspection = inspect(stage, row, column)
        cell, value = inspection.cell, inspection.value
        assert value == stage.planes[0, row, column]
        if isinstance(cell, ConvolutionCell):
            assert sum(term.partial_sum for term in cell.terms) == pytest.approx(value, abs=1e-5)
        elif isinstance(cell, PoolingCell):
            kept = {"max": cell.maximum, "average": cell.average, "min": cell.minimum}[cell.mode]
            assert kept == pytest.approx(value, abs=1e-6)
        elif isinstance(cell, WindowCell):
            if cell.picked is not None:
                assert cell.inputs[cell.picked] == value
            elif cell.weights is not None:
                assert np.nansum(cell.inputs * cell.weights) == pytest.approx(value, abs=1e-5)
                assert np.nansum(cell.weights) == pytest.approx(1, abs=1e-6)
            elif stage.step is not None and stage.step.name == "mixed":
                assert sum(line.value for line in cell.lines[2:]) == pytest.approx(value, abs=1e-5)
            else:
                assert cell.lines[-1].value == value
        else:
            assert isinstance(cell, ElementwiseCell)
        view = view_inspection(inspection, Colormap.RDBU)
        assert view.own.png.startswith(b"\x89PNG")


@pytest.mark.parametrize("text", [each for each in CHAINS if "polyphase" not in each])
def test_a_cell_reads_what_it_says_it_reads(text: str) -> None:
    """Pixels that a cell does not read change nothing of it."""
    chain = read_chain(text)
    before, stage = LABORATORY.run(LABORATORY.sample("digit"), chain)[-2:]
    step = chain[-1]
    row, column = stage.size[0] // 2, stage.size[1] // 3
    region = inspect(stage, row, column).region
    assert region is not None
    outside = np.ones(before.size, bool)
    top, left, bottom, right = region.clipped(before.size)
    outside[top:bottom, left:right] = False
    changed = np.where(outside, np.float32(0.77), before.planes[0])[None]
    assert step.compute(changed)[0, row, column] == stage.planes[0, row, column]


def test_a_picture_has_values_and_no_arithmetic() -> None:
    (picture,) = LABORATORY.run(LABORATORY.sample("digit"), ())
    found = inspect(picture, 5, 9)
    assert found.cell is None and found.region is None and 0 <= found.value <= 1


@pytest.mark.parametrize("place", [(28, 0, 0), (0, 28, 0), (-1, 0, 0), (0, 0, 1)])
def test_a_place_outside_is_refused(place: tuple[int, int, int]) -> None:
    (picture,) = LABORATORY.run(LABORATORY.sample("digit"), ())
    with pytest.raises(NoCell, match="28×28"):
        inspect(picture, *place)


def test_a_wide_window_is_told_without_its_numbers() -> None:
    stage = LABORATORY.run(LABORATORY.sample("digit"), read_chain("max:window=20"))[-1]
    view = view_inspection(inspect(stage, 0, 0), Colormap.RDBU)
    assert view.window is None and isinstance(view.inspection.cell, PoolingCell)
    assert not math.isnan(view.inspection.cell.maximum)
