"""Occlusion: how far the number falls when a patch of the image is covered."""

from collections.abc import Iterator

import numpy as np

from .case import Case, InvalidSetting, Values


def occlusion(case: Case) -> Values:
    """Return by how much the number falls when a cell is covered, as a mean over all patches that cover it.

    (height, width). A covered cell has the baseline's value. Zeiler and Fergus, "Visualizing and Understanding
    Convolutional Networks", 2014.
    """
    image, number = case.forward.image, case.number(case.forward)
    falls, counts = np.zeros(image.shape[:2]), np.zeros(image.shape[:2])
    for cells in _patches(case):
        covered = image.copy()
        covered[cells] = case.baseline[cells]
        if not np.array_equal(covered[cells], image[cells]):
            falls[cells] += number - case.number(case.run(covered))
        counts[cells] += 1
    return falls / np.maximum(counts, 1)


def count_patches(case: Case) -> int:
    """Return how many patches there are. Raises: InvalidSetting."""
    return len(_starts(case, 0)) * len(_starts(case, 1))


def require_patch(case: Case) -> None:
    """Check that the patch fits in the image. Raises: InvalidSetting."""
    if case.layer is not None:
        raise InvalidSetting("Occlusion covers the image itself: leave the layer out.")
    if case.network.card.takes_numbers:
        raise InvalidSetting(f"The model “{case.network.name}” starts from numbers, and there is no image to cover.")
    (rows, columns), (height, width, _) = case.patch, case.forward.image.shape
    if rows > height or columns > width:
        raise InvalidSetting(
            f"A patch of {rows}×{columns} cells does not fit in the image that the model reads, which has "
            f"{height}×{width}."
        )


def _starts(case: Case, axis: int) -> list[int]:
    """Return the first row (axis 0) or column (axis 1) of each patch; the last patch ends with the image."""
    last = case.forward.image.shape[axis] - case.patch[axis]
    starts = list(range(0, last + 1, case.strides[axis]))
    return starts if starts[-1] == last else [*starts, last]


def _patches(case: Case) -> Iterator[tuple[slice, slice]]:
    rows, columns = case.patch
    for top in _starts(case, 0):
        for left in _starts(case, 1):
            yield slice(top, top + rows), slice(left, left + columns)
