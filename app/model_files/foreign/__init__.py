"""Files that are no whole Keras model, told for what they are, each with a way out that works for it.

What a file holds decides, and its name only where the content does not tell.
"""

from ..errors import shown
from .names import describe_name
from .protocol_buffers import describe_protocol_buffer
from .sample import Sample, take_sample
from .signatures import describe_signature
from .texts import describe_text
from .zips import describe_zip

__all__ = ["Sample", "describe", "describe_zip", "take_sample"]

_SHOWN = 8  # bytes
_UNKNOWN = (
    "This is not a Keras model: it begins with the bytes {}, neither as a .keras archive nor as an HDF5 "
    "(.h5) file does. Save the model with model.save('name.keras'), and bring that file."
)


def describe(sample: Sample) -> str:
    """Return what a file is that is neither a .keras archive nor an HDF5 file, and the way out, in a sentence or two.

    Raises: OSError.
    """
    for tell in (describe_signature, describe_text, describe_protocol_buffer, describe_name):
        if sentence := tell(sample):
            return sentence
    return _UNKNOWN.format(shown(sample.head[:_SHOWN].hex(" ")))
