"""The models that came with Layerglass: their files are trusted, and opened in this process."""

from app.cnn.definition import ModelDefinition
from app.cnn.kinds import Layer
from app.library.files import ModelFile, stamp_of
from app.model_files.errors import ModelError
from app.model_files.loading import load_model


class BuiltIn:
    """Opens them, and remembers what was found in each file as it stands. Safe to share between threads."""

    def __init__(self) -> None:
        self._found: dict[ModelFile, tuple[Layer, ...] | ModelError] = {}

    def __contains__(self, file: ModelFile) -> bool:
        """It was opened, or that was tried."""
        return file in self._found

    def layers(self, file: ModelFile) -> tuple[Layer, ...] | None:
        """The layers in a file; None where it was not opened yet. Raises: ModelError, where it does not open."""
        found = self._found.get(file)
        if isinstance(found, ModelError):
            raise ModelError(str(found))
        return found

    def open(self, file: ModelFile) -> ModelDefinition:
        """Raises: ModelError."""
        try:
            definition = load_model(file.path).definition
        except ModelError as error:
            if stamp_of(file.path):  # one that went meanwhile, and comes back as it was, is opened again
                self._found[file] = error
            raise
        self._found[file] = definition.layers
        return definition
