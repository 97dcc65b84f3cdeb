"""A layer as layers of Keras' own, to be saved in a file that Keras opens without any code of ours."""

from collections.abc import Mapping
from typing import Any, NamedTuple

Stock = tuple[str, Mapping[str, Any]]  # the class of a layer in Keras, and its settings


class KerasForm(NamedTuple):
    """Layers of Keras' own that together compute one layer."""

    own: Stock  # that has its name and its weights
    before: tuple[Stock, ...] = ()  # each makes what has the shape of its input
    after: tuple[Stock, ...] = ()
