"""All of a forward pass's activations as one NPZ file."""

from collections.abc import Iterator

from ..cnn.network import ForwardPass
from ..cnn.types import Array, unused_name
from ..imaging.encoding import encode_npz, stream_npz

_SMALL_PASS = 2**22  # bytes; a larger one is never held in memory as a file


def name_arrays(forward: ForwardPass) -> dict[str, Array]:
    """Return every layer's activation by its name, with the image as `input` and the output as `probabilities`.

    Where a layer has one of these names, the other array has an underscore behind it.
    """
    made = forward.activations
    return {**made, unused_name("input", made): forward.image, unused_name("probabilities", made): forward.output}


def encode_activations(forward: ForwardPass) -> bytes | Iterator[bytes]:
    """Encode these arrays for numpy.load: as bytes, or a large file in parts that are made one after the other."""
    arrays = name_arrays(forward)
    return encode_npz(arrays) if forward.nbytes <= _SMALL_PASS else stream_npz(arrays, forward.release_pages)
