"""A plan built into a Keras model, counted before anything is allocated. Starts TensorFlow."""

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from app.cnn.parts import Weights
from app.cnn.tensorflow.pooling import layer_class
from app.model_files.bounds import check_cells, check_parameters
from app.model_files.errors import ModelError, shown
from app.model_files.plan import Plan, Step
from app.model_files.shapes.made import Variables

_GATES = {"SimpleRNN": 1, "GRU": 3, "LSTM": 4}


def assemble(plan: Plan) -> keras.Model:
    """The model of a plan, its weights not yet set. Raises: ModelError."""
    image = keras.Input(plan.shape, name=plan.input_name)
    made = {plan.input_name: image}
    total = 0
    for step in plan.steps:
        inputs = [made[name] for name in step.inputs]
        total += _parameters(step, _shape(inputs[0]))
        check_parameters(step, total)
        _check_numbers(step, _shape(inputs[0]))
        made[step.name] = _call(step, inputs)
        check_cells(step, _shape(made[step.name]))
    try:
        return keras.Model(image, made[plan.output], name="model")
    except RecursionError as error:
        raise ModelError("The model's layers follow each other more deeply than Keras can put together.") from error


def variables_of(model: keras.Model, plan: Plan) -> dict[str, Variables]:
    """What weights each layer has."""
    layers = {step.name: _variables(model.get_layer(step.name)) for step in plan.steps}
    return {name: {each.name: tuple(each.shape) for each in variables} for name, variables in layers.items()}


def with_weights(model: keras.Model, weights: Mapping[str, Weights]) -> keras.Model:
    """The same model, its weights set. weights: of each layer, in the order of variables_of."""
    for name, arrays in weights.items():
        layer = model.get_layer(name)
        for variable, array in zip(_variables(layer), arrays.values(), strict=True):
            variable.assign(array)
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()
    return model


def _variables(layer: keras.layers.Layer) -> list[Any]:
    """A layer's weights, in the order in which every Keras saves them."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _call(step: Step, inputs: list[Any]) -> Any:
    try:
        layer = layer_class(step.kind)(name=step.name, **step.settings)
        return layer(inputs if len(inputs) > 1 else inputs[0])
    except Exception as error:  # Keras raises nearly anything for settings that do not go together
        reason = str(error).strip().partition("\n")[0]
        raise ModelError(
            f"The layer {shown(step.name)} ({step.kind}) cannot be built from the file's settings. Keras says: "
            f"{shown(reason or type(error).__name__)}"
        ) from error


def _shape(tensor: Any) -> tuple[int | None, ...]:
    return tuple(tensor.shape[1:])


def _parameters(step: Step, shape: tuple[int | None, ...]) -> int:
    """How many numbers the layer will allocate, at most."""
    settings = step.settings
    channels = shape[-1] or 0 if shape else 0
    filters, units = settings.get("filters", 0), settings.get("units", 0)
    window = math.prod(settings.get("kernel_size", (1,)))
    match step.kind:
        case "Conv2D" | "Conv2DTranspose":
            return int(window * channels * filters // settings.get("groups", 1) + filters)
        case "DepthwiseConv2D" | "SeparableConv2D":
            depth = channels * settings.get("depth_multiplier", 1)
            return int((window + 1) * depth + depth * filters + filters)
        case "Dense":
            return int((channels + 1) * units)
        case "SimpleRNN" | "GRU" | "LSTM":
            return int(_GATES[step.kind] * (channels + units + 2) * units)
        case kind if "Normalization" in kind or kind == "PReLU":
            return 4 * math.prod(size or 1 for size in shape)  # a few numbers for each cell at most
        case _:
            return 0


def _check_numbers(step: Step, shape: tuple[int | None, ...]) -> None:
    """Keras takes any numbers of a Rescaling, and repeats its input where they are more than its channels."""
    if step.kind != "Rescaling":
        return
    for numbers in (step.settings.get("scale", 1.0), step.settings.get("offset", 0.0)):
        size = np.shape(numbers)[-1:] or (1,)
        if size not in {(1,), shape[-1:]}:
            raise ModelError(
                f"The layer {shown(step.name)} (Rescaling) has {size[0]} numbers for {shape[-1]} channels; expected "
                "one, or as many as channels."
            )
