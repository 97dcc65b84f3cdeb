"""A plan's layers, with the shapes of their outputs and weights: by our own rules, by Keras where they end."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from ..cnn.definition import ModelDefinition
from ..cnn.errors import InvalidLayer, NeedsKeras
from ..cnn.kinds import Layer
from ..cnn.types import Shape, Weights
from .errors import ModelError
from .plan import Plan, check_cells, check_parameters

if TYPE_CHECKING:
    import keras


def infer_layers(plan: Plan) -> tuple[Layer, ...]:
    """Return the layers of a plan. Starts TensorFlow, which takes seconds, where our own rules do not tell.

    Raises: ModelError.
    """
    try:
        return _infer_layers(plan)
    except NeedsKeras:
        from .keras_builder import build_model, describe_layers

        return describe_layers(build_model(plan), plan)


def _infer_layers(plan: Plan) -> tuple[Layer, ...]:
    """Raises: NeedsKeras, ModelError."""
    shapes: dict[str, Shape] = {plan.input_name: plan.shape}
    layers: list[Layer] = []
    total = 0
    for step in plan.steps:
        sources = [None if name == plan.input_name else name for name in step.inputs]
        try:
            layer = step.kind.create(step.name, sources, step.settings, [shapes[name] for name in step.inputs])
        except InvalidLayer as error:
            raise ModelError(f"{step} {error}.") from error
        total += layer.parameters
        check_parameters(step, total)
        check_cells(step, layer.output_shape)
        layers.append(layer)
        shapes[step.name] = layer.output_shape
    return tuple(layers)


def define(plan: Plan, layers: tuple[Layer, ...], weights: Mapping[str, Weights]) -> ModelDefinition:
    """Put a model together. layers: of the plan. weights: of every layer, as its variables say."""
    return ModelDefinition(plan.shape, layers, weights, partial(_build, plan), plan.input_name)


def _build(plan: Plan, weights: Mapping[str, Weights]) -> "keras.Model":
    from .keras_builder import build_model, set_weights

    return set_weights(build_model(plan), weights)
