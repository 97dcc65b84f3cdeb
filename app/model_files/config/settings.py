"""A layer's settings out of a file, each checked, and nothing else."""

from typing import Any

from app.model_files.config.allow_list import Config
from app.model_files.config.vocabulary import IGNORED, IGNORED_ENDINGS, LAYERS
from app.model_files.errors import RESAVE, ModelError, shown


def checked_settings(kind: str, name: str, config: Config) -> dict[str, Any]:
    """What the layer's class is given. Raises: ModelError, for a value or a setting that is not known.

    Left out: what matters in training only, and what is off.
    """
    known = LAYERS[kind]
    settings = {}
    for key, value in config.items():
        if key in known:
            try:
                settings[key] = known[key](value)
            except ValueError as error:
                raise ModelError(
                    f"The layer {shown(name)} ({kind}) has {key}={shown(value)}; expected {error}.{_hint(key, value)}"
                ) from None
        elif not (key in IGNORED or key.endswith(IGNORED_ENDINGS) or value is None or value is False):
            raise ModelError(f"The layer {shown(name)} ({kind}) has the unknown setting {shown(key)}. {RESAVE}")
    return settings


def _hint(key: str, value: Any) -> str:
    if key == "data_format" and value == "channels_first":
        return " Convert the model to channels last, as TensorFlow on a processor needs it."
    return ""
