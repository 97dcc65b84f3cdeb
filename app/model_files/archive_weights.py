"""The weights of a .keras file: a group for each layer, called by its class and a number, whatever the layer's name."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import h5py

from .config.nodes import MODELS
from .errors import RESAVE, ModelError, missing_weights, shown
from .hdf5 import Tree
from .plan import FileLayer, LayerPath

Layers = Mapping[LayerPath, Sequence[FileLayer]]  # of each model, in the file's order

# Since Keras 3, and in the .keras files of Keras 2.
_CONTAINERS = ("layers", "_layer_checkpoint_dependencies")
# Classes that a config calls otherwise than the weights do.
_CLASSES = {"GroupQueryAttention": "GroupedQueryAttention"}


def find_by_class(
    tree: Tree, layers: Layers, wanted: Collection[LayerPath], path: LayerPath = ()
) -> dict[LayerPath, list[h5py.Dataset]]:
    """Return the datasets of the layers that are wanted, in order. Raises: ModelError.

    tree: of the model whose path is given.
    """
    container = next((tree[name] for name in _CONTAINERS if name in tree), None)
    found: dict[LayerPath, list[h5py.Dataset]] = {}
    for layer, group in _match(container, layers[path], _needed(wanted, path)).items():
        here = (*path, layer.name)
        if group is None:
            raise missing_weights("/".join(here))
        found |= _find_inside(group, layer, layers, wanted, here)
    return found


def _find_inside(
    group: Tree, layer: FileLayer, layers: Layers, wanted: Collection[LayerPath], path: LayerPath
) -> dict[LayerPath, list[h5py.Dataset]]:
    """Return the datasets of a layer that is wanted, or of what is wanted inside it."""
    if layer.kind in MODELS:
        return find_by_class(group, layers, wanted, path)
    if path not in layers:
        return {path: _vars(group, "/".join(path))}
    found: dict[LayerPath, list[h5py.Dataset]] = {}
    needed = _needed(wanted, path)
    for part in layers[path]:
        if part.name in needed:
            # Keras 3 writes an attribute that begins with _ under the property of the same name, where there is one.
            place = group if part.place == "." else group.get(part.place) or group.get(part.place.lstrip("_"))
            if not isinstance(place, dict):
                raise missing_weights("/".join(path))
            found |= _find_inside(place, part, layers, wanted, (*path, part.name))
    return found


def _needed(wanted: Collection[LayerPath], path: LayerPath) -> set[str]:
    """Return the names of a model's layers that are wanted, or hold one that is."""
    return {each[len(path)] for each in wanted if len(each) > len(path) and each[: len(path)] == path}


def _match(container: Any, layers: Sequence[FileLayer], needed: set[str]) -> dict[FileLayer, Tree | None]:
    """Return the group of each layer that is needed; None where there is none.

    Keras 3 counts all layers of a class, those without weights too. Keras 2 counted some twice, so that its numbers
    have gaps: there the groups that hold numbers follow each other as the layers do.
    """
    groups = container if isinstance(container, dict) else {}
    counted: dict[str, int] = {}
    exact: dict[FileLayer, Tree | None] = {}
    for layer in layers:
        base = _base(layer)
        number = counted[base] = counted.get(base, -1) + 1
        if layer.name in needed:
            group = groups.get(f"{base}_{number}" if number else base)
            exact[layer] = group if _holds_numbers(group) else None
    if None not in exact.values():
        return exact
    waiting = {base: iter(_with_numbers(groups, base)) for base in counted}
    return {layer: next(waiting[_base(layer)], None) for layer in exact}


def _base(layer: FileLayer) -> str:
    return snake_case(_CLASSES.get(layer.kind, layer.kind))


def snake_case(kind: str) -> str:
    """Return a class as Keras names it in its files: DepthwiseConv2D is depthwise_conv2d."""
    spaced = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", re.sub(r"\W+", "", kind))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", spaced).lower()


def _with_numbers(groups: Tree, base: str) -> list[Tree]:
    """Return the groups base, base_1, base_2, ... that hold any numbers, in this order."""
    numbered = [
        (int(match.group(1) or 0), group)
        for name, group in groups.items()
        if (match := re.fullmatch(re.escape(base) + r"(?:_(\d{1,6}))?", name))
    ]
    return [group for _, group in sorted(numbered, key=lambda each: each[0]) if _holds_numbers(group)]


def _holds_numbers(group: Any) -> bool:
    if not isinstance(group, dict):
        return False
    return any(
        isinstance(each, h5py.Dataset) or (name != "seed_generator" and _holds_numbers(each))
        for name, each in group.items()
    )


def _vars(group: Tree, name: str) -> list[h5py.Dataset]:
    """Return a layer's own datasets, or those of its recurrent cell: vars/0, vars/1, ..."""
    cell = group.get("cell")
    places = (group.get("vars"), cell.get("vars") if isinstance(cell, dict) else None)
    found = next((place for place in places if isinstance(place, dict) and place), None)
    if found is None:
        raise missing_weights(name)
    if sorted(found) != sorted(map(str, range(len(found)))):
        raise ModelError(f"The weights of the layer {shown(name)} are not numbered as Keras numbers them. {RESAVE}")
    return [found[str(index)] for index in range(len(found))]
