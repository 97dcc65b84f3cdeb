"""Zips that hold no Keras model, told by the names of their members."""

from collections.abc import Callable, Sequence

from .sentences import (
    CHECKPOINT,
    CORE_ML,
    DATA,
    GRAPH,
    ONNX,
    PYTORCH,
    SAVED_MODEL,
    SAVED_MODEL_OF_KERAS_2,
    TENSORFLOW_JS,
    TFLITE,
)

_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff")
_MOST = 0.5  # of the members
_OFFICE = "This is a document of an office program, not a model. Bring a .keras or .h5 file."
_DL4J = "This is a model of Deeplearning4j. Bring the Keras model that it was imported from, if there is one."
_TEACHABLE_MACHINE = "From Teachable Machine, choose Export Model, Tensorflow, Keras."

Names = Sequence[str]


def describe_zip(names: Names) -> str | None:
    """Return the sentence about a zip that holds no Keras model, by the names of its members; None where none tells."""
    sentence = next((sentence for recognises, sentence in _KINDS if recognises(names)), None)
    is_its = sentence in {TFLITE, SAVED_MODEL, TENSORFLOW_JS} and _one_is("labels.txt", "metadata.json")(names)
    return f"{sentence} {_TEACHABLE_MACHINE}" if is_its else sentence


def _one_ends(*endings: str) -> Callable[[Names], bool]:
    return lambda names: any(name.lower().endswith(endings) for name in names)


def _most_end(*endings: str) -> Callable[[Names], bool]:
    return lambda names: sum(name.lower().endswith(endings) for name in names) > _MOST * len(names)


def _one_is(*wanted: str) -> Callable[[Names], bool]:
    return lambda names: any(name.rpartition("/")[2] in wanted for name in names)


_KINDS: tuple[tuple[Callable[[Names], bool], str], ...] = (
    (_one_ends("/data.pkl"), PYTORCH),
    (_one_is("keras_metadata.pb"), SAVED_MODEL_OF_KERAS_2),
    (_one_is("saved_model.pb"), SAVED_MODEL),
    (_one_is("[Content_Types].xml"), _OFFICE),
    (_one_ends(".mlmodel"), CORE_ML),
    (_one_is("coefficients.bin"), _DL4J),
    (_most_end(".npy"), DATA.format("a set of NumPy arrays (.npz)")),
    (_most_end(*_PICTURES), DATA.format("a zip of pictures")),
    (_one_ends(".tflite"), TFLITE),
    (_one_ends(".onnx"), ONNX),
    (_one_ends(".pt", ".pth", "pytorch_model.bin"), PYTORCH),
    (_one_is("model.json"), TENSORFLOW_JS),
    (_one_ends(".index"), CHECKPOINT),
    (_one_ends(".pb"), GRAPH),
)
