"""A plan taken apart into layers and the shapes of their weights: by our own rules, and by Keras where they end."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from app.cnn.layers import Layer, Shape, describe
from app.cnn.parts import Parts, Weights
from app.model_files.bounds import check_cells, check_parameters
from app.model_files.plan import Plan, Step
from app.model_files.shapes.made import NeedsKeras, Variables
from app.model_files.shapes.table import DEFAULTS, made_by

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Apart:
    """A plan's layers, their weights not yet known."""

    plan: Plan
    layers: tuple[Layer, ...]
    variables: Mapping[str, Variables]  # by layer, for every layer

    def with_weights(self, weights: Mapping[str, Weights]) -> Parts:
        """weights: of every layer, as its variables say."""
        return Parts(self.plan.shape, self.layers, weights, partial(_build, self.plan, weights))


def take_apart(plan: Plan) -> Apart:
    """Starts TensorFlow, which takes seconds, where a layer is of a rarer kind. Raises: ModelError."""
    try:
        return _take_apart(plan)
    except NeedsKeras:
        from app.cnn.tensorflow.layers import describe_layers
        from app.model_files.keras_builder import assemble, variables_of

        model = assemble(plan)
        return Apart(plan, describe_layers(model), variables_of(model, plan))


def _build(plan: Plan, weights: Mapping[str, Weights]) -> "keras.Model":
    from app.model_files.keras_builder import assemble, with_weights

    return with_weights(assemble(plan), weights)


def _take_apart(plan: Plan) -> Apart:
    """Raises: NeedsKeras, ModelError."""
    shapes: dict[str, Shape] = {plan.input_name: plan.shape}
    layers: list[Layer] = []
    variables: dict[str, Variables] = {}
    total = 0
    for step in plan.steps:
        settings = {**DEFAULTS.get(step.kind, {}), **step.settings}
        made = made_by(step.kind, settings, [shapes[name] for name in step.inputs])
        total += sum(map(math.prod, made.variables.values()))
        check_parameters(step, total)
        check_cells(step, made.shape)
        inputs = [None if name == plan.input_name else name for name in step.inputs]
        layers.append(_known(step, describe(step.name, step.kind, settings, inputs, made.shape, made.variables)))
        shapes[step.name], variables[step.name] = made.shape, made.variables
    return Apart(plan, tuple(layers), variables)


def _known(step: Step, layer: Layer) -> Layer:
    """The layer, if the fast way knows all of it. Raises: NeedsKeras."""
    if layer.undescribed:
        raise NeedsKeras(f"{step.name}: {layer.undescribed}")
    return layer
