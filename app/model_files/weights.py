"""Weights out of a file, found for each layer and checked one by one before a single one is set."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import h5py
import numpy as np

from ..cnn.types import Array, Variables, Weights
from .config.nodes import MODELS
from .errors import RESAVE, ModelError, shown
from .hdf5 import member, name_list, numbers
from .plan import LayerPath, Plan, Step

Reorder = Callable[[Array], Array]


def read_weights(
    file: h5py.File, plan: Plan, variables: Mapping[str, Variables], reorder: Reorder
) -> dict[str, Weights]:
    """Return the weights of every layer, each checked against its shape. Raises: ModelError.

    file: a whole HDF5 model, or the weights of a .keras archive. variables: of each layer. reorder: what brings an old
    kernel into the order of rows, columns, inputs, outputs.
    """
    wanted = {step.origin: tuple(names) for step in plan.steps if step.origin and (names := variables[step.name])}
    legacy = file.get("model_weights", file if "layer_names" in file.attrs else None)
    found = _legacy(legacy, plan, wanted) if legacy is not None else _by_class(file, (), plan, wanted)
    values = {path: [reorder(each) if each.ndim == 4 else each for each in arrays] for path, arrays in found.items()}
    return {step.name: _of_step(step, values, variables[step.name]) for step in plan.steps}


def _of_step(step: Step, values: Mapping[LayerPath, list[Array]], variables: Variables) -> Weights:
    if not variables:
        return {}
    arrays = step.fixed or values.get(step.origin)
    if arrays is None:
        raise _missing(step.name)
    return match_weights(step.name, arrays, variables)


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


def _legacy(group: h5py.Group, plan: Plan, wanted: Mapping[LayerPath, tuple[str, ...]]) -> dict[LayerPath, list[Array]]:
    """Read an .h5 file: a group for each layer, which lists its weights by name and in order."""
    listed = {name: _group(group, name) for name in name_list(group, "layer_names")}
    groups = {name: each for name, each in listed.items() if name_list(each, "weight_names")}
    here = [name for name, _ in plan.layers[()] if any(path[0] == name for path in wanted)]
    if set(here) <= groups.keys():
        places = {name: groups[name] for name in here}
    elif len(here) == len(groups):
        # Some tools rename the layers of a model after it was built; their order stays.
        places = dict(zip(here, groups.values(), strict=True))
    else:
        raise _missing(next(name for name in here if name not in groups))
    return {path: _legacy_values(places[path[0]], path, names) for path, names in wanted.items()}


def _group(group: h5py.Group, name: str) -> h5py.Group:
    found = member(group, name)
    if not isinstance(found, h5py.Group):
        raise _missing(name)
    return found


def _legacy_values(group: h5py.Group, path: LayerPath, wanted: tuple[str, ...]) -> list[Array]:
    names = name_list(group, "weight_names")
    if len(path) > 1:
        # A nested model lists all that can be trained before all that cannot: the order says little, the names all.
        names = [_nested_name(names, path, variable) for variable in wanted]
    values = []
    for name in names:
        if (dataset := member(group, name)) is None:
            raise _missing(path[-1])
        values.append(numbers(dataset))
    return values


def _nested_name(names: list[str], path: LayerPath, variable: str) -> str:
    matching = [name for name in names if name.split(":")[0].split("/")[-2:] == [path[-1], variable]]
    if len(matching) != 1:
        raise _missing("/".join(path))
    return matching[0]


def _by_class(
    group: h5py.Group, path: LayerPath, plan: Plan, wanted: Mapping[LayerPath, tuple[str, ...]]
) -> dict[LayerPath, list[Array]]:
    """Read a .keras file: layers/conv2d, layers/conv2d_1, ... by class, whatever the names of the layers."""
    container = next((found for name in _CONTAINERS if (found := member(group, name)) is not None), None)
    values: dict[LayerPath, list[Array]] = {}
    taken: dict[str, int] = {}
    for name, kind in plan.layers[path]:
        here = (*path, name)
        if not any(each[: len(here)] == here for each in wanted):
            continue
        base = _snake_case(kind)
        candidates = _with_weights(container, base)
        index = taken.get(base, 0)
        taken[base] = index + 1
        if index >= len(candidates):
            raise _missing("/".join(here))
        if kind in MODELS:
            values |= _by_class(candidates[index], here, plan, wanted)
        else:
            values[here] = _vars(candidates[index], "/".join(here))
    return values


# Since Keras 3, and in the .keras files of Keras 2.
_CONTAINERS = ("layers", "_layer_checkpoint_dependencies")


def _snake_case(kind: str) -> str:
    """Return a class as Keras names it in its files: DepthwiseConv2D is depthwise_conv2d."""
    spaced = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", re.sub(r"\W+", "", kind))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", spaced).lower()


def _with_weights(container: Any, base: str) -> list[h5py.Group]:
    """Return the groups base, base_1, base_2, ... that hold any numbers, in this order."""
    if not isinstance(container, h5py.Group):
        return []
    numbered = [
        (int(match.group(1) or 0), container[name])
        for name in container
        if (match := re.fullmatch(re.escape(base) + r"(?:_(\d{1,6}))?", name))
    ]
    return [group for _, group in sorted(numbered, key=lambda each: each[0]) if _holds_numbers(group)]


def _holds_numbers(group: Any) -> bool:
    if not isinstance(group, h5py.Group):
        return False
    return any(
        isinstance(each, h5py.Dataset) or (name != "seed_generator" and _holds_numbers(each))
        for name, each in group.items()
    )


def _vars(group: h5py.Group, name: str) -> list[Array]:
    """Return a layer's own numbers, or those of its recurrent cell: vars/0, vars/1, ..."""
    places = (member(group, "vars"), member(group, "cell/vars"))
    vars_ = next((place for place in places if isinstance(place, h5py.Group) and len(place)), None)
    if vars_ is None:
        raise _missing(name)
    if sorted(vars_) != sorted(map(str, range(len(vars_)))):
        raise ModelError(f"The weights of the layer {shown(name)} are not numbered as Keras numbers them. {RESAVE}")
    return [numbers(vars_[str(index)]) for index in range(len(vars_))]


def _missing(name: str) -> ModelError:
    return ModelError(f"The file has no weights for the layer {shown(name)}. {RESAVE}")
