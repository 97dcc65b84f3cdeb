"""Connected components, compared with a flood fill."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from app.imaging.components import MOST_RUNS, find_components

MASKS = arrays.arrays(np.bool_, arrays.array_shapes(min_dims=2, max_dims=2, max_side=14), elements=st.booleans())


def flood(mask: NDArray[np.bool_]) -> list[set[tuple[int, int]]]:
    """Return the places of each component, in the order of their first places."""
    left = {(int(row), int(column)) for row, column in np.argwhere(mask)}
    found = []
    while left:
        waiting, component = [min(left)], set()
        while waiting:
            place = waiting.pop()
            if place in left:
                left.remove(place)
                component.add(place)
                waiting += [(place[0] + down, place[1] + right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
        found.append(component)
    return found


@given(MASKS)
def test_components_are_those_of_a_flood_fill(mask: NDArray[np.bool_]) -> None:
    components = find_components(mask)
    expected = {frozenset(component) for component in flood(mask)}
    assert len(components) == len(expected)
    for index in range(len(components)):
        places = {(int(row), int(column)) for row, column in np.argwhere(components.labels == index)}
        assert frozenset(places) in expected
        rows, columns = zip(*places, strict=True)
        assert components.box(index) == (min(columns), min(rows), max(columns) + 1, max(rows) + 1)
        assert components.area[index] == len(places)
        assert components.side[index] == max(np.ptp(rows), np.ptp(columns)) + 1
    np.testing.assert_array_equal(components.labels < 0, ~mask)


def test_a_spiral_is_one_component() -> None:
    spiral = np.array([list(row) for row in ("######", "#.....", "#.####", "#.#..#", "#....#", "######")]) == "#"
    assert len(find_components(spiral)) == 1


def test_a_texture_has_no_components() -> None:
    chequers = np.indices((MOST_RUNS // 128, 260)).sum(0) % 2 == 1
    assert len(find_components(chequers)) == 0
    assert len(find_components(chequers[:-8, :240])) > 0


def test_some_components_as_a_mask_and_the_highest_value_in_each() -> None:
    mask = np.array([[1, 0, 1], [0, 0, 1]], dtype=bool)
    components = find_components(mask)
    np.testing.assert_array_equal(components.mask(np.array([False, True])), [[0, 0, 1], [0, 0, 1]])
    values = np.array([[3, 9, 1], [9, 9, 2]], dtype=np.float32)
    np.testing.assert_array_equal(components.peaks(values), [3, 2])
