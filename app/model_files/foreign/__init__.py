"""Files that are no whole Keras model, told for what they are, each with a way out that works for it.

What a file holds decides, and its name only where the content does not tell.
"""

import re

from ...imaging.foreign import name_foreign
from ..errors import shown
from .protocol_buffers import describe_protocol_buffer
from .sentences import CHECKPOINT, CORE_ML, FRAMEWORK, GRAPH, ONNX, PYTORCH, TFLITE
from .signatures import describe_signature
from .texts import describe_text, is_page
from .zips import describe_zip

__all__ = ["LOOKED_AT", "describe", "describe_zip"]

LOOKED_AT = 2**25  # bytes of a file, from its beginning
_SHOWN = 8  # bytes
_UNKNOWN = (
    "This is not a Keras model: it begins with the bytes {}, neither as a .keras archive nor as an HDF5 "
    "(.h5) file does. Save the model with model.save('name.keras'), and bring that file."
)

_ENDINGS = {
    **dict.fromkeys((".pt", ".pth"), PYTORCH),
    **dict.fromkeys((".pb", ".pbtxt", ".meta"), GRAPH),
    ".onnx": ONNX,
    ".tflite": TFLITE,
    ".mlmodel": CORE_ML,
    ".caffemodel": FRAMEWORK.format("Caffe"),
    ".weights": FRAMEWORK.format("Darknet"),
    ".pdparams": FRAMEWORK.format("PaddlePaddle"),
    ".params": FRAMEWORK.format("MXNet"),
}
_PART_OF_CHECKPOINT = re.compile(r".*\.(?:data-\d{5}-of-\d{5}|index|ckpt(?:-\d+)?)")


def describe(name: str, data: bytes) -> str:
    """Return what a file is that is neither a zip nor an HDF5 file, and the way out, in a sentence or two.

    data: its first LOOKED_AT bytes, or all of it.
    """
    if not data:
        return "The file is empty: nothing of it was saved or downloaded. Download or save it again."
    if not is_page(data) and (picture := name_foreign(data)):
        return str(picture)
    return (
        describe_signature(data)
        or describe_text(name.lower(), data)
        or describe_protocol_buffer(data)
        or _describe_name(name.lower())
        or _UNKNOWN.format(shown(data[:_SHOWN].hex(" ")))
    )


def _describe_name(name: str) -> str | None:
    if _PART_OF_CHECKPOINT.fullmatch(name):
        return CHECKPOINT
    return next((sentence for ending, sentence in _ENDINGS.items() if name.endswith(ending)), None)
