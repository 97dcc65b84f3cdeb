"""Models of Google's Teachable Machine, which say nowhere what they take: the middle of a picture, from -1 to 1.

Its training page crops each picture to a square and scales it by x / 127.5 - 1, as MobileNet was trained.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ..cnn.card import Card, Fit, Ink
from .config.nodes import MODELS
from .plan import FileLayer, LayerPath

MODEL_FILE = "keras_model.h5"  # what every export as Keras holds, with labels.txt


def is_its_model(layers: Mapping[LayerPath, Sequence[FileLayer]]) -> bool:
    """Return whether a model is put together as each of them is: a base and its average, then dense layers."""
    parts = [layer for layer in layers[()] if layer.kind != "InputLayer"]
    kinds = [[layer.kind for layer in layers.get((part.name,), ()) if layer.kind != "InputLayer"] for part in parts]
    if len(kinds) != 2:
        return False
    (base, *pooling), head = kinds[0] or [""], kinds[1]
    return base in MODELS and pooling == ["GlobalAveragePooling2D"] and bool(head) and set(head) == {"Dense"}


def take_pictures(card: Card) -> Card:
    """Return an inferred card for a model of Teachable Machine, with the range of its layers where they tell one."""
    fields: dict[str, Any] = {"fit": Fit.FILL, "ink": Ink.DARK, "trained_on": "Pictures, in Teachable Machine."}
    if card.value_range == (0.0, 1.0):
        fields["value_range"] = (-1.0, 1.0)
    return card.model_copy(update=fields)
