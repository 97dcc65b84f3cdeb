"""A layer's settings out of a file, each checked, and nothing else."""

from typing import Any

from app.cnn.kinds import Layer, Settings
from app.model_files.errors import RESAVE, ModelError, shown

# What a file may say of a layer that changes nothing once it is trained. Whatever is in it is left unread.
_IGNORED = frozenset(
    [
        "name",
        "trainable",
        "dtype",
        "seed",
        "batch_input_shape",
        "batch_shape",
        "input_shape",
        "input_dim",
        "input_dtype",
        "sparse",
        "ragged",
        "autocast",
        "noise_shape",
        "activity_regularizer",
        "synchronized",
        "fused",
        "renorm",
        "renorm_clipping",
        "renorm_momentum",
        "virtual_batch_size",
        "adjustment",
        "dropout",
        "recurrent_dropout",
        "stateful",
        "unroll",
        "use_cudnn",
        "implementation",
        "unit_forget_bias",
        "zero_output_for_mask",
        "l1",
        "l2",
        "input_length",
        "cache_key",
    ]
)
_IGNORED_ENDINGS = ("_initializer", "_regularizer", "_constraint")


def check_settings(kind: type[Layer], name: str, config: Settings) -> dict[str, Any]:
    """Return what the layer's class is given. Raises: ModelError, for a value or a setting that is not known.

    Left out: what matters in training only, and what is off.
    """
    checks = kind.checks()
    settings = {}
    for key, value in config.items():
        if key in checks:
            try:
                settings[key] = checks[key](value)
            except ValueError as error:
                raise ModelError(
                    f"The layer {shown(name)} ({kind.__name__}) has {key}={shown(value)}; expected {error}."
                    + (_CONVERT if key == "data_format" and value == "channels_first" else "")
                ) from None
        elif not (key in _IGNORED or key.endswith(_IGNORED_ENDINGS) or value is None or value is False):
            raise ModelError(
                f"The layer {shown(name)} ({kind.__name__}) has the unknown setting {shown(key)}. {RESAVE}"
            )
    return settings


_CONVERT = " Convert the model to channels last, as TensorFlow on a processor needs it."
