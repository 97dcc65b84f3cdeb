"""A plan built into a Keras model, counted before anything is allocated. Starts TensorFlow."""

from collections.abc import Mapping
from typing import Any

import keras

from ..cnn.errors import InvalidLayer, NeedsKeras
from ..cnn.kinds import Layer
from ..cnn.tensorflow import layer_class
from ..cnn.types import Shape, Weights
from .errors import ModelError, shown
from .plan import Plan, Step, check_cells, check_parameters


def build_model(plan: Plan) -> keras.Model:
    """Return the model of a plan, its weights not yet set. Raises: ModelError."""
    image = keras.Input(plan.shape, name=plan.input_name)
    made = {plan.input_name: image}
    held = [step.name for step in plan.steps if step.kind.is_held]
    total = 0
    for step in plan.steps:
        inputs = [made[name] for name in step.inputs]
        total += _count_parameters(step, [_shape(each) for each in inputs])
        check_parameters(step, total)
        made[step.name] = _call(step, inputs)
        check_cells(step, _shape(made[step.name]))
    try:
        inputs = [image, *(made[name] for name in held)] if held else image
        return keras.Model(inputs, made[plan.output], name="model")
    except RecursionError as error:
        raise ModelError("The model's layers follow each other more deeply than Keras can put together.") from error


def describe_layers(model: keras.Model, plan: Plan) -> tuple[Layer, ...]:
    """Return the layers of a plan's model, with the shapes that Keras found."""
    return tuple(_describe(model.get_layer(step.name), step, plan.input_name) for step in plan.steps)


def _describe(layer: keras.layers.Layer, step: Step, image: str) -> Layer:
    return step.kind(
        name=step.name,
        sources=tuple(None if name == image else name for name in step.inputs),
        output_shape=_shape(layer.output),
        variables={each.name: tuple(each.shape) for each in _variables(layer)},
        **step.settings,
    )


def set_weights(model: keras.Model, weights: Mapping[str, Weights]) -> keras.Model:
    """Set a model's weights, and return it. weights: of each layer, in the order in which Keras saves them."""
    for name, arrays in weights.items():
        layer = model.get_layer(name)
        for variable, array in zip(_variables(layer), arrays.values(), strict=True):
            variable.assign(array)
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()
    return model


def _variables(layer: keras.layers.Layer) -> list[Any]:
    """Return a layer's weights in the order in which every Keras saves them: those that training changes first."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _call(step: Step, inputs: list[Any]) -> Any:
    if step.kind.is_held:
        return keras.Input(step.settings["shape"], name=step.name)
    try:
        layer = layer_class(step.kind.__name__)(name=step.name, **step.settings)
        return layer(inputs if len(inputs) > 1 else inputs[0])
    except Exception as error:  # Keras raises nearly anything for settings that do not go together
        reason = str(error).strip().partition("\n")[0]
        raise ModelError(
            f"{step} cannot be built from the file's settings. Keras says: {shown(reason or type(error).__name__)}"
        ) from error


def _shape(tensor: Any) -> Shape:
    return tuple(tensor.shape[1:])


def _count_parameters(step: Step, inputs: list[Shape]) -> int:
    """Return how many numbers the layer will allocate, or at most a few for each number that it reads."""
    try:
        return step.kind.create(step.name, [None] * len(inputs), step.settings, inputs).parameters
    except InvalidLayer as error:
        raise ModelError(f"{step} {error}.") from error
    except NeedsKeras:
        return step.kind.bound_parameters(step.settings, inputs[0])
