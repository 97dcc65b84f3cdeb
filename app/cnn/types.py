"""Types that the whole network package shares."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Shape = tuple[int | None, ...]  # without the batch; None where any size goes
ImageShape = tuple[int | None, int | None, int]  # height, width and channels; None where any size goes
Variables = Mapping[
    str, tuple[int, ...]
]  # the shape of each of a layer's weights, in the order in which Keras saves them
Weights = Mapping[str, Array]  # a layer's weights under Keras' names: kernel, bias, gamma, ...
