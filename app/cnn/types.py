"""The types of arrays and shapes that every module of the network shares."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Shape = tuple[int | None, ...]  # without the batch; None where any size goes
ImageShape = tuple[int | None, int | None, int]  # height, width and channels; None where any size goes
Weights = Mapping[str, Array]  # of a layer, under Keras' names: kernel, bias, gamma, ...
