"""A zip of a model and the names of its classes, as Teachable Machine exports one and people hand theirs over."""

from collections.abc import Sequence
from dataclasses import dataclass

from .errors import ModelError, shown
from .foreign import describe_zip
from .labels import LabelsFile, find_labels
from .limits import FILE_BYTES, LABELS_BYTES
from .zip_file import ZipFile

_ENDINGS = (".keras", ".h5", ".hdf5")


@dataclass(frozen=True)
class Bundle:
    """A model out of a zip, in memory."""

    name: str  # of the model's file, without its folder
    model: bytes
    labels: LabelsFile | None


def read_bundle(file: ZipFile) -> Bundle:
    """Read the one model in a zip, and the file that names its classes. Raises: ModelError."""
    names = file.names
    path = _only_model(names)
    folder, _, name = path.rpartition("/")
    labels = None
    for place in dict.fromkeys((folder, "")):  # beside the model, else at the top
        beside = {each.rpartition("/")[2]: each for each in names if each.rpartition("/")[0] == place}
        if found := find_labels(beside, name, alone=True):
            labels = LabelsFile(found, file.read(beside[found], LABELS_BYTES), name)
            break
    return Bundle(name, file.read(path, FILE_BYTES), labels)


def _only_model(names: Sequence[str]) -> str:
    models = [name for name in names if name.lower().endswith(_ENDINGS)]
    if len(models) > 1:
        listed = ", ".join(map(shown, models[:4])) + (", …" if len(models) > 4 else "")
        raise ModelError(f"The zip holds {len(models)} models: {listed}. Zip one of them, or bring it by itself.")
    if models:
        return models[0]
    raise ModelError(
        describe_zip(names)
        or "The zip holds no Keras model: neither a .keras or .h5 file nor the parts of one. Bring one."
    )
