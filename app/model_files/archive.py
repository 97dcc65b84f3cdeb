"""A .keras file: a zip of config.json, metadata.json and the weights."""

from dataclasses import dataclass

from .errors import RESAVE, ModelError, shown
from .foreign import describe_zip
from .limits import CONFIG_BYTES, METADATA_BYTES, WEIGHTS_BYTES
from .zip_file import ZipFile

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
METADATA_KEY = "layerglass"  # in the metadata of a file that was saved here
_LIMITS = {CONFIG: CONFIG_BYTES, METADATA: METADATA_BYTES, WEIGHTS: WEIGHTS_BYTES}


@dataclass(frozen=True)
class Archive:
    """A .keras file's members, in memory."""

    config: bytes
    metadata: bytes
    weights: bytes  # an HDF5 file


def find_archive(file: ZipFile) -> str | None:
    """Return the folder of a zip in which the parts of a .keras file lie; None where it is a zip of other files.

    It is "" for a .keras file itself, one that lacks a part among them, and "name/" for a folder that was zipped.
    """
    folders = {name[: -len(CONFIG)] for name in file.names if name.rpartition("/")[2] == CONFIG}
    whole = [folder for folder in folders if folder + WEIGHTS in file.names]
    if len(whole) == 1:
        return whole[0]
    return "" if {CONFIG, WEIGHTS} & set(file.names) else None


def read_archive(file: ZipFile, folder: str = "") -> Archive:
    """Read the three members of a .keras file. Raises: ModelError."""
    members = {name[len(folder) :]: name for name in file.names if name.startswith(folder)}
    if unknown := next((name for name in members if name not in _LIMITS), None):
        raise ModelError(
            describe_zip(file.names)
            or f"The archive holds {shown(unknown)}, which is no part of a .keras file. Zip that without it."
        )
    if missing := next((name for name in _LIMITS if name not in members), None):
        raise ModelError(f"This zip is no .keras file: it has no {missing}. {RESAVE}")
    config, metadata, weights = (file.read(members[name], most) for name, most in _LIMITS.items())
    return Archive(config, metadata, weights)
