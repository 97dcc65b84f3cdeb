import io

import numpy as np
from numpy.typing import NDArray

from app.imaging.npz import encode_npz


def test_numpy_loads_every_array_under_its_name() -> None:
    arrays: dict[str, NDArray[np.float32]] = {
        "file": np.arange(6, dtype=np.float32).reshape(2, 3),
        "conv/1": np.full((1, 2, 3), 3, np.float32),
    }
    loaded = np.load(io.BytesIO(encode_npz(arrays)))
    assert set(loaded) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(loaded[name], array)
        assert loaded[name].dtype == array.dtype
