"""Arrays to an NPZ file, the format that numpy.load reads."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def encode_npz(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """One .npy member a name. Unlike numpy.savez it takes every name, "file" too."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
    return file.getvalue()
