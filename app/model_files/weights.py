"""Weights out of a file, found for each layer and checked one by one before a single one is set."""

import math
from collections.abc import Callable, Mapping, Sequence

import h5py
import numpy as np

from ..cnn.types import Array, Variables, Weights
from .archive_weights import find_by_class
from .config.composites import PROJECTIONS
from .errors import RESAVE, ModelError, missing_weights, shown
from .hdf5 import numbers, read_tree
from .legacy_weights import find_by_name
from .plan import LayerPath, Plan, Step

Reorder = Callable[[Array], Array]


def read_weights(
    file: h5py.File, plan: Plan, variables: Mapping[str, Variables], reorder: Reorder
) -> dict[str, Weights]:
    """Return the weights of every layer, each checked against its shape. Raises: ModelError.

    file: a whole HDF5 model, or the weights of a .keras archive. variables: of each layer. reorder: what brings an old
    kernel into the order of rows, columns, inputs, outputs.
    """
    wanted = {step.origin: step for step in plan.steps if step.origin and variables[step.name]}
    legacy = file.get("model_weights", file if "layer_names" in file.attrs else None)
    if legacy is not None:
        layers = {path: (step.kind, variables[step.name]) for path, step in wanted.items()}
        found = find_by_name(legacy, plan.layers, layers)
    else:
        found = find_by_class(read_tree(file), plan.layers, wanted.keys())
    values = {path: [_read(each, reorder) for each in datasets] for path, datasets in found.items()}
    for path, step in wanted.items():
        if _is_by_heads(plan, path):
            values[path] = _join_axes(values[path], variables[step.name])
    return {step.name: _of_step(step, values, variables[step.name]) for step in plan.steps}


def _of_step(step: Step, values: Mapping[LayerPath, list[Array]], variables: Variables) -> Weights:
    if not variables:
        return {}
    arrays = step.fixed or values.get(step.origin)
    if arrays is None:
        raise missing_weights(step.name)
    return match_weights(step.name, arrays, variables)


def _is_by_heads(plan: Plan, path: LayerPath) -> bool:
    """Return whether the features of several heads have an axis of their own in the file."""
    return any(part.name == path[-1] and part.place in PROJECTIONS for part in plan.layers.get(path[:-1], ()))


def _join_axes(arrays: Sequence[Array], variables: Variables) -> list[Array]:
    """Return the same numbers in the shapes that are asked for, where they are as many."""
    shapes = [*variables.values(), *[()] * len(arrays)]
    return [
        each.reshape(shape) if each.size == math.prod(shape) else each
        for each, shape in zip(arrays, shapes, strict=False)
    ]


def _read(dataset: h5py.Dataset, reorder: Reorder) -> Array:
    values = numbers(dataset)
    return reorder(values) if values.ndim == 4 else values


def match_weights(name: str, arrays: Sequence[Array], variables: Variables) -> Weights:
    """Match weights to a layer's variables, in order. Raises: ModelError, where their number or shapes differ."""
    if len(arrays) != len(variables):
        raise ModelError(
            f"The layer {shown(name)} has {len(variables)} arrays of weights, the file {len(arrays)}. {RESAVE}"
        )
    for (variable, shape), array in zip(variables.items(), arrays, strict=True):
        if shape != array.shape:
            raise ModelError(
                f"The weights {variable} of the layer {shown(name)} have the shape {array.shape} in the file; its "
                f"settings ask for {shape}. {RESAVE}"
            )
    return dict(zip(variables, arrays, strict=True))


def describe_oddities(weights: Mapping[str, Weights]) -> tuple[str, ...]:
    """Return what is odd about weights, a sentence each."""
    odd = [name for name, arrays in weights.items() if not all(np.isfinite(each).all() for each in arrays.values())]
    return tuple(f"Some weights of the layer {shown(name)} are not numbers (NaN or infinite)." for name in odd)
