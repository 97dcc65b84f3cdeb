"""The weights of a nested model in an .h5 file, which lists those of all its layers together.

Their names tell them apart: base/conv/kernel:0 is the kernel of the layer conv. Where they do not, as in a model that
was loaded twice into one graph of TensorFlow 1, the order does, by which Keras itself goes: all that training changes,
layer after layer, before all that it does not.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import h5py

from ..cnn.kinds import Layer
from ..cnn.types import Variables
from .errors import missing_weights
from .plan import FileLayer, LayerPath

Datasets = Mapping[str, h5py.Dataset]  # by name, in the file's order
_Slot = tuple[LayerPath, str]  # a layer and its variable
_TRAINING = ("/vector_u", "/sn_u")  # by which SpectralNormalization goes on


@dataclass(frozen=True)
class NestedModel:
    """A nested model, and what is wanted of it."""

    path: LayerPath
    layers: Mapping[LayerPath, Sequence[FileLayer]]  # of each model, in the file's order
    wanted: Mapping[LayerPath, tuple[type[Layer], Variables]]  # those of its layers whose weights are needed

    def place(self, datasets: Datasets) -> dict[LayerPath, list[h5py.Dataset]]:
        """Return each layer's datasets, in the order of its variables. Raises: ModelError."""
        datasets = {name: each for name, each in datasets.items() if not name.partition(":")[0].endswith(_TRAINING)}
        slots = [(path, variable) for path, (_, variables) in self.wanted.items() for variable in variables]
        found = self._by_name(datasets)
        if any(slot not in found for slot in slots):
            found = self._by_order(datasets) or found
        if missing := next((path for path, variable in slots if (path, variable) not in found), None):
            raise missing_weights("/".join(missing))
        return {path: [found[path, name] for name in variables] for path, (_, variables) in self.wanted.items()}

    def _by_name(self, datasets: Datasets) -> dict[_Slot, h5py.Dataset]:
        """Return what one name alone stands for."""
        owners = self._owners()
        found: dict[_Slot, list[h5py.Dataset]] = {}
        for name, dataset in datasets.items():
            scope, _, variable = name.partition(":")[0].strip("/").rpartition("/")
            paths = _innermost(scope, owners) if scope else tuple(self.wanted)  # a Normalization's are called mean:0
            slots = [(path, own) for path in paths if (own := self._variable(path, variable)) is not None]
            if len(slots) == 1:
                found.setdefault(slots[0], []).append(dataset)
        return {slot: each[0] for slot, each in found.items() if len(each) == 1}

    def _owners(self) -> dict[str, tuple[LayerPath, ...]]:
        """Return the layers, needed or not, by each end of their paths: trunk/block/conv, block/conv and conv."""
        owners: dict[str, tuple[LayerPath, ...]] = {}
        for path, layers in self.layers.items():
            if path[: len(self.path)] == self.path:
                for here in ((*path, layer.name) for layer in layers):
                    for start in range(len(here)):
                        key = "/".join(here[start:])
                        owners[key] = (*owners.get(key, ()), self._lone_part(here))
        return owners

    def _lone_part(self, path: LayerPath) -> LayerPath:
        """Return the one layer that a wrapper is around, as the wrapper's weights may be called after either."""
        parts = self.layers.get(path, ())
        return self._lone_part((*path, parts[0].name)) if len(parts) == 1 and parts[0].place else path

    def _variable(self, path: LayerPath, name: str) -> str | None:
        """Return the layer's own word for a variable; None where it has none, or is not needed."""
        if path not in self.wanted:
            return None
        kind, variables = self.wanted[path]
        own = kind.old_variables.get(name, name)
        return own if own in variables else None

    def _by_order(self, datasets: Datasets) -> dict[_Slot, h5py.Dataset]:
        """Return each dataset's slot by Keras' order; none, where their number or sizes say that it is another one."""
        slots = [*self._in_order(self.path, trained=True), *self._in_order(self.path, trained=False)]
        sizes = [prod(self.wanted[path][1][variable]) for path, variable in slots]
        if sizes != [prod(each.shape) for each in datasets.values()]:
            return {}
        return dict(zip(slots, datasets.values(), strict=True))

    def _in_order(self, model: LayerPath, trained: bool, frozen: bool = False) -> Iterator[_Slot]:
        """Yield the variables that training changes, or all others.

        frozen: a model around this one says that training changes none.
        """
        for layer in self.layers[model]:
            path, is_frozen = (*model, layer.name), frozen or not layer.trainable
            if path in self.layers:
                yield from self._in_order(path, trained, is_frozen)
            elif path in self.wanted:
                kind, variables = self.wanted[path]
                yield from (
                    (path, variable)
                    for variable in variables
                    if (not is_frozen and variable not in kind.untrained) == trained
                )


def _innermost(scope: str, owners: Mapping[str, tuple[LayerPath, ...]]) -> tuple[LayerPath, ...]:
    """Return the layers that the longest end of a scope is the name of: base/block/conv, else block/conv, else conv."""
    steps = scope.split("/")
    ends = ("/".join(steps[start:]) for start in range(len(steps)))
    return next((owners[end] for end in ends if end in owners), ())
