"""Zips that hold something else than one Keras model, told by the names of their members."""

from collections.abc import Callable, Sequence

from ..errors import shown
from .sentences import (
    CHECKPOINT,
    CORE_ML,
    DATA,
    ONNX,
    PACKED,
    PYTORCH,
    SAVED_MODEL,
    SAVED_MODEL_OF_KERAS_2,
    TENSORFLOW_JS,
    TFLITE,
)

_MODELS = (".keras", ".h5", ".hdf5")
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff")
_MOST = 0.5  # of the members
_SEVERAL = "This zip holds a model, {}, and more. Unpack it, and bring that file; labels can be written into its card."
_PACKED_KERAS = (
    "This zip holds an unpacked .keras file in a folder. Zip what is in that folder, not the folder itself, or bring "
    "the .keras file that it came from."
)
_TEACHABLE_TFLITE = TFLITE + " From Teachable Machine, export it as Tensorflow, Keras."
_OFFICE = "This is a document of an office program, not a model. Bring a .keras or .h5 file."
_DL4J = "This is a model of Deeplearning4j. Bring the Keras model that it was imported from, if there is one."

Names = Sequence[str]


def describe_zip(names: Names) -> str | None:
    """Return the sentence about a zip by its members; None for one that looks like a .keras file, or like nothing."""
    visible = [name for name in names if not name.startswith("__MACOSX/") and not name.endswith("/")]
    for recognises, sentence in _KINDS:
        if recognises(visible):
            return sentence
    models = [name for name in visible if name.lower().endswith(_MODELS) and name != "model.weights.h5"]
    if models and "config.json" not in visible:
        return _SEVERAL.format(shown(models[0])) if len(visible) > 1 else PACKED.format("zip")
    return None


def _one_ends(*endings: str) -> Callable[[Names], bool]:
    return lambda names: any(name.lower().endswith(endings) for name in names)


def _most_end(*endings: str) -> Callable[[Names], bool]:
    return lambda names: sum(name.lower().endswith(endings) for name in names) > _MOST * len(names)


def _one_is(*wanted: str) -> Callable[[Names], bool]:
    return lambda names: any(name.rpartition("/")[2] in wanted for name in names)


_IS_SAVED_MODEL = _one_is("saved_model.pb")
_HAS_LABELS = _one_is("labels.txt", "metadata.json")

_KINDS: tuple[tuple[Callable[[Names], bool], str], ...] = (
    (_one_ends("/data.pkl"), PYTORCH),
    (lambda names: _IS_SAVED_MODEL(names) and _one_is("keras_metadata.pb")(names), SAVED_MODEL_OF_KERAS_2),
    (_IS_SAVED_MODEL, SAVED_MODEL),
    (_one_is("[Content_Types].xml"), _OFFICE),
    (_one_ends(".mlmodel"), CORE_ML),
    (_one_is("coefficients.bin"), _DL4J),
    (_most_end(".npy"), DATA.format("a set of NumPy arrays (.npz)")),
    (_most_end(*_PICTURES), DATA.format("a zip of pictures")),
    (lambda names: _one_ends(".tflite")(names) and _HAS_LABELS(names), _TEACHABLE_TFLITE),
    (_one_ends(".tflite"), TFLITE),
    (_one_ends(".onnx"), ONNX),
    (lambda names: _one_is("model.json")(names) and _one_ends(".bin")(names), TENSORFLOW_JS),
    (_one_ends(".index"), CHECKPOINT),
    (lambda names: _one_ends("/config.json")(names) and _one_ends("/model.weights.h5")(names), _PACKED_KERAS),
)
