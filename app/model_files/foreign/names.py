"""Formats that only a file's name tells."""

import re

from .sample import Sample
from .sentences import CHECKPOINT, CORE_ML, ONNX, PYTORCH, REBUILD, TFLITE

_GRAPH = (
    "By its name this is a TensorFlow graph, without the layers of the model. Bring the Keras model that it came from, "
    "saved with model.save('name.keras')."
)
_ENDINGS = {
    **dict.fromkeys((".pt", ".pth", ".ckpt.pt"), PYTORCH),
    **dict.fromkeys((".pb", ".pbtxt", ".meta"), _GRAPH),
    ".onnx": ONNX,
    ".tflite": TFLITE,
    ".mlmodel": CORE_ML,
    **{
        ending: f"This is a model of {framework}, not of Keras. {REBUILD}"
        for ending, framework in {
            ".caffemodel": "Caffe",
            ".weights": "Darknet",
            ".pdparams": "PaddlePaddle",
            ".params": "MXNet",
            ".engine": "TensorRT",
            ".mnn": "MNN",
            ".gguf": "llama.cpp (GGUF)",
        }.items()
    },
}
_PART_OF_CHECKPOINT = re.compile(r".*\.(?:data-\d{5}-of-\d{5}|index|ckpt(?:-\d+)?)")


def describe_name(sample: Sample) -> str | None:
    """Return the sentence about a format that the file's name tells; None where it tells none."""
    if _PART_OF_CHECKPOINT.fullmatch(sample.name) or sample.name == "checkpoint":
        return CHECKPOINT
    return next((sentence for ending, sentence in _ENDINGS.items() if sample.name.endswith(ending)), None)
