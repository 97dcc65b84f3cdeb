"""A file's format, by its first bytes and not its ending, and advice for other formats."""

from collections.abc import Callable
from enum import Enum
from pathlib import Path

from .errors import ModelError, shown
from .limits import FILE_BYTES
from .regular_files import NotRegular, RegularFile

_HEAD_BYTES = 512


class FileFormat(Enum):
    """The two formats that hold a whole Keras model."""

    ARCHIVE = ".keras"
    HDF5 = ".h5"


def detect_format(path: Path) -> FileFormat:
    """Return the format of a Keras file. Raises: ModelError, for a folder, a pipe, an empty file or another format."""
    try:
        return _detect_format(path)
    except NotRegular as error:
        raise ModelError(
            f"{shown(path.name)} is not a regular file but a pipe, a socket or a device, so it is not opened. "
            "Name one .keras or .h5 file."
        ) from error
    except OSError as error:  # nobody may read it, or it has just gone
        raise ModelError(f"The file {shown(path.name)} cannot be read: {error.strerror}.") from error


def _detect_format(path: Path) -> FileFormat:
    if path.is_dir():
        raise ModelError(_folder(path))
    if not path.exists():
        raise ModelError(f"There is no file {shown(path.name)}.")
    if not path.is_file():
        raise NotRegular
    with RegularFile(path) as file:
        if file.size == 0:
            raise ModelError("The file is empty. Download or save it again.")
        if file.size > FILE_BYTES:
            raise ModelError(f"The file has {file.size:,} bytes; at most {FILE_BYTES:,} are read.")
        head = file.read(_HEAD_BYTES)
    return detect_by_head(head, path.name)


def detect_by_head(head: bytes, name: str) -> FileFormat:
    """Return the format of a file by its first bytes. Raises: ModelError, for another format."""
    if head.startswith(b"PK\x03\x04"):
        return FileFormat.ARCHIVE
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return FileFormat.HDF5
    raise ModelError(_foreign(head[:_HEAD_BYTES], Path(name).suffix.lower()))


def _folder(path: Path) -> str:
    if (path / "saved_model.pb").exists():
        return (
            "This is a TensorFlow SavedModel folder, whose graph may hold any code. Load it with Keras 2 and save it "
            "as one file: tf_keras.models.load_model('folder').save('name.h5')."
        )
    if (path / "config.json").exists():
        return "This is an unpacked .keras archive. Name the .keras file itself, or zip the folder's contents again."
    return "This is a folder. Name one .keras or .h5 file."


def _foreign(head: bytes, suffix: str) -> str:
    text = head.lstrip().lower()
    for recognises, sentence in _FOREIGN:
        if recognises(head, text, suffix):
            return sentence
    return "This is not a Keras model: it starts neither as a .keras archive nor as an HDF5 (.h5) file. It may be cut."


PYTORCH = (
    "This is a PyTorch file. Layerglass reads Keras models: build the same layers in Keras, copy the weights over, "
    "and save them with model.save('name.keras')."
)

_FOREIGN: tuple[tuple[Callable[[bytes, bytes, str], bool], str], ...] = (
    (
        lambda head, text, suffix: head.startswith(b"version https://git-lfs"),
        "This is a Git LFS pointer, not the model: run `git lfs pull`, or download the file itself.",
    ),
    (
        lambda head, text, suffix: text.startswith((b"<!doctype", b"<html")),
        "This is a web page, not a model. Download the raw file, not the page that shows it.",
    ),
    (
        lambda head, text, suffix: head[4:8] == b"TFL3" or suffix == ".tflite",
        "This is a TensorFlow Lite file, made for running only. Bring the Keras model that it was converted from.",
    ),
    (
        lambda head, text, suffix: suffix == ".safetensors" or (head[8:10] == b'{"' and head[4:8] == bytes(4)),
        "This is a safetensors file: weights without the layers. Build the model in Keras, set its weights, and save "
        "it with model.save('name.keras').",
    ),
    (lambda head, text, suffix: suffix in {".pt", ".pth"}, PYTORCH),
    (
        lambda head, text, suffix: head.startswith((b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")),
        "This is a Python pickle, which runs code when it is loaded; Layerglass does not open it. Save the model with "
        "model.save('name.keras').",
    ),
    (
        lambda head, text, suffix: suffix == ".onnx" or (head[:1] == b"\x08" and b"onnx" in text),
        "This is an ONNX file. Bring the Keras model that it was exported from, saved with model.save('name.keras').",
    ),
    (
        lambda head, text, suffix: suffix == ".pb",
        "This is a TensorFlow graph. Bring the Keras model that it came from, saved with model.save('name.keras').",
    ),
    (
        lambda head, text, suffix: text.startswith(b"{"),
        "This is JSON: the layers of a model, perhaps of TensorFlow.js, without its weights. Convert it with "
        "`tensorflowjs_converter --input_format=tfjs_layers_model --output_format=keras model.json name.h5`.",
    ),
    (
        lambda head, text, suffix: head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!")),
        "This is a packed file. Unpack it, and bring the .keras or .h5 file that is inside.",
    ),
)
