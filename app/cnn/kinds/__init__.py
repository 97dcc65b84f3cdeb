"""The kinds of layer that there are: a class for each, its relatives in the same file.

To add a kind, add its class to one of these files: it is registered by its name, and all else asks the registry.
"""

from . import (  # noqa: F401  each registers its kinds
    activation,
    attention,
    convolution,
    dense,
    depthwise_convolution,
    inputs,
    merging,
    normalization,
    operations,
    pooling,
    recurrent,
    reshaping,
    resizing,
    time_distributed,
    training_only,
    transposed_convolution,
)
from .held_cells import HeldCell
from .layer import REGISTRY as KINDS
from .layer import Layer, LayerSettings
from .training_only import AUGMENTATIONS

# Names that kinds had in other versions of Keras, or are registered under.
ALIASES = {alias: name for name, kind in KINDS.items() for alias in kind.aliases}
ALIASES |= {f"layerglass>{name}": name for name, kind in KINDS.items() if kind.is_operation}

__all__ = ["ALIASES", "AUGMENTATIONS", "KINDS", "HeldCell", "Layer", "LayerSettings"]
