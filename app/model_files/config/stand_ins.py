"""The layers that stand for Lambdas which a person declared."""

import json
from dataclasses import dataclass

from ...cnn.declared import DeclaredLambda
from ...cnn.kinds import KINDS, Layer
from ..errors import ModelError, printable, shown
from .migrations import LayerConfig


@dataclass(frozen=True)
class StandIn:
    """What stands for a Lambda: the image's channels in another order, where () is reversed; then a layer."""

    channels: tuple[int, ...] | None = None
    layer: LayerConfig | None = None


def as_layer(name: str, declared: DeclaredLambda) -> StandIn:
    """Return what stands for a Lambda that was declared. Raises: ModelError, for a layer that cannot."""
    if declared.layer is None:
        return StandIn(_channels(declared), _rescaling(name, declared))
    kind = KINDS.get(declared.layer)
    if kind is None or kind.variable_shapes is not Layer.variable_shapes:
        why = "has weights, and a Lambda has none" if kind else "is none that Layerglass knows"
        raise ModelError(
            f"The Lambda {shown(name)} is declared as the layer {shown(declared.layer)}, which {why}. Declare a layer "
            "such as Identity, Resizing, Reshape or UnitNormalization."
        )
    if unknown := [key for key in declared.settings if key not in kind.checks()]:
        settings = ", ".join(kind.checks()) or "none"
        raise ModelError(
            f"The Lambda {shown(name)} is declared as {declared.layer} with {shown(unknown[0])}, which is none of its "
            f"settings: {settings}."
        )
    return StandIn(None, _noted(name, LayerConfig(declared.layer, dict(declared.settings))))


def _channels(declared: DeclaredLambda) -> tuple[int, ...] | None:
    if declared.channels is None:
        return None
    return () if declared.channels == "reversed" else tuple(declared.channels)


def _rescaling(name: str, declared: DeclaredLambda) -> LayerConfig | None:
    if declared.scale is None and declared.offset is None:
        return None
    scale = 1.0 if declared.scale is None else declared.scale
    offset = 0.0 if declared.offset is None else declared.offset
    return _noted(name, LayerConfig("Rescaling", {"scale": scale, "offset": offset}))


def _noted(name: str, layer: LayerConfig) -> LayerConfig:
    settings = ", ".join(f"{key}={printable(json.dumps(value))[:40]}" for key, value in layer.settings.items())
    return layer.noted(f"Declared: the Lambda {shown(name)} is the layer {layer.kind}({settings}) here.")
