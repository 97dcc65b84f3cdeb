"""MNIST, from the file that a user names or from Keras' download."""

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..datasets.digits import SIDE, Digits


class BadInput(ValueError):
    """A file or a name that cannot be used. The message is a sentence for the person who gave it."""


# Of each array's bytes, not of the file: a zip archive can be packed in many ways.
SHA256: Final = {
    "x_train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "y_train": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    "x_test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    "y_test": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
}
SHAPES: Final = {
    "x_train": (60_000, SIDE, SIDE),
    "y_train": (60_000,),
    "x_test": (10_000, SIDE, SIDE),
    "y_test": (10_000,),
}


@dataclass(frozen=True)
class Mnist:
    """The 60,000 training digits and the 10,000 test digits."""

    train: Digits
    test: Digits


def load_mnist(path: Path | None = None) -> Mnist:
    """Load MNIST from an npz file or, without one, from Keras' download cache.

    Raises: BadInput if the file is missing, broken or not MNIST, or cannot be downloaded.
    """
    arrays = _download() if path is None else _read(path)
    _verify(arrays, "Keras' download" if path is None else str(path))
    return Mnist(Digits(arrays["x_train"], arrays["y_train"]), Digits(arrays["x_test"], arrays["y_test"]))


def _download() -> dict[str, NDArray[np.uint8]]:
    import keras  # here, so that a wrong file is refused without loading TensorFlow

    try:
        (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
    except Exception as error:  # Keras raises a bare Exception if the download fails
        raise BadInput(
            f"MNIST could not be downloaded ({error}). Bring mnist.npz (11 MB) from a machine that has a network, "
            "where Keras leaves it in ~/.keras/datasets/, and name it: --mnist mnist.npz"
        ) from error
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


def _read(path: Path) -> dict[str, NDArray[np.uint8]]:
    try:
        # Opened here because NumPy leaves a broken file open.
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return {key: file[key] for key in SHAPES}
    except FileNotFoundError as error:
        raise BadInput(f"There is no file {path}. --mnist takes MNIST as an npz file.") from error
    except KeyError as error:
        raise BadInput(f"{path} is not MNIST: it lacks an array. Expected: {', '.join(SHAPES)}.") from error
    except (OSError, EOFError, ValueError, TypeError, AttributeError, zipfile.BadZipFile, NotImplementedError) as error:
        raise BadInput(f"{path} is not an npz file that can be read, or it is cut short. Download it again.") from error


def _verify(arrays: dict[str, NDArray[np.uint8]], source: str) -> None:
    for key, shape in SHAPES.items():
        array = arrays[key]
        if array.shape != shape or array.dtype != np.uint8:
            raise BadInput(
                f"{source} is not MNIST: {key} must be uint8 of shape {shape}. "
                f"Received: {array.dtype} of shape {array.shape}."
            )
        if hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest() != SHA256[key]:
            raise BadInput(f"{source} is not MNIST: the contents of {key} were altered. Download it again.")
