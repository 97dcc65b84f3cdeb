"""The weights of an .h5 file: a group for each layer of the model, which lists its weights by name and in order."""

from collections.abc import Mapping, Sequence

import h5py

from ..cnn.kinds import Layer
from ..cnn.types import Variables
from .errors import missing_weights
from .hdf5 import member, name_list
from .nested_weights import NestedModel
from .plan import FileLayer, LayerPath

Layers = Mapping[LayerPath, Sequence[FileLayer]]  # of each model, in the file's order
Wanted = Mapping[LayerPath, tuple[type[Layer], Variables]]


def find_by_name(group: h5py.Group, layers: Layers, wanted: Wanted) -> dict[LayerPath, list[h5py.Dataset]]:
    """Return the datasets of the layers that are wanted, in the order of their variables. Raises: ModelError."""
    places = _groups(group, layers, wanted)
    found: dict[LayerPath, list[h5py.Dataset]] = {}
    for name, place in places.items():
        datasets = _datasets(place, name)
        inside = {path: each for path, each in wanted.items() if path[0] == name}
        if (name,) in inside:
            found[(name,)] = list(datasets.values())
        else:
            found |= NestedModel((name,), layers, inside).place(datasets)
    return found


def _groups(group: h5py.Group, layers: Layers, wanted: Wanted) -> dict[str, h5py.Group]:
    """Return the group of each of the model's own layers that has weights."""
    listed = {name: _group(group, name) for name in name_list(group, "layer_names")}
    groups = {name: each for name, each in listed.items() if name_list(each, "weight_names")}
    needed = {path[0] for path in wanted}
    here = [layer.name for layer in layers[()] if layer.name in needed]
    if set(here) <= groups.keys():
        return {name: groups[name] for name in here}
    if len(here) == len(groups):
        # Some tools rename the layers of a model after it was built; their order stays.
        return dict(zip(here, groups.values(), strict=True))
    raise missing_weights(next(name for name in here if name not in groups))


def _group(group: h5py.Group, name: str) -> h5py.Group:
    found = member(group, name)
    if not isinstance(found, h5py.Group):
        raise missing_weights(name)
    return found


def _datasets(group: h5py.Group, layer: str) -> dict[str, h5py.Dataset]:
    found = {}
    for name in name_list(group, "weight_names"):
        if (dataset := member(group, name)) is None:
            raise missing_weights(layer)
        found[name] = dataset
    return found
