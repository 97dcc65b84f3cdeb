"""A file's format, by its first bytes and not its ending."""

from enum import Enum
from pathlib import Path

from .errors import ModelError, shown
from .foreign import LOOKED_AT, describe
from .foreign.sentences import SAVED_MODEL, SAVED_MODEL_OF_KERAS_2
from .limits import FILE_BYTES
from .regular_files import NotRegular, RegularFile


class FileFormat(Enum):
    """The two formats that hold a whole Keras model. A zip may be one, or hold one."""

    ARCHIVE = ".keras"
    HDF5 = ".h5"


_SIGNATURES = {FileFormat.ARCHIVE: b"PK\x03\x04", FileFormat.HDF5: b"\x89HDF\r\n\x1a\n"}
_HEAD_BYTES = max(map(len, _SIGNATURES.values()))


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
        if found := _by_signature(file.read(_HEAD_BYTES) or b""):
            if file.size > FILE_BYTES:
                raise ModelError(
                    f"The file has {file.size:,} bytes; at most {FILE_BYTES:,} are read. Bring a smaller model, or "
                    "save this one without its optimizer: model.save('name.keras', include_optimizer=False)."
                )
            return found
        file.seek(0)
        raise ModelError(describe(path.name, file.read(LOOKED_AT) or b""))


def detect_in_memory(data: bytes, name: str) -> FileFormat:
    """Return the format of a Keras file that was read. Raises: ModelError, for another format."""
    if found := _by_signature(data):
        return found
    raise ModelError(describe(name, data[:LOOKED_AT]))


def _by_signature(head: bytes) -> FileFormat | None:
    return next((each for each, signature in _SIGNATURES.items() if head.startswith(signature)), None)


def _folder(path: Path) -> str:
    if (path / "saved_model.pb").exists():
        return SAVED_MODEL_OF_KERAS_2 if (path / "keras_metadata.pb").exists() else SAVED_MODEL
    if (path / "config.json").exists():
        return "This is an unpacked .keras archive. Name the .keras file itself, or zip the folder's contents again."
    return f"{shown(path.name)} is a folder. Name one .keras or .h5 file."
