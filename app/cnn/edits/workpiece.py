"""A model while edits are made in it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import starmap

import numpy as np

from ..errors import CannotMute, InvalidEdit
from ..kinds import HeldCell, Layer
from ..types import Array, Weights
from .maps import count_maps

_MOST_WEIGHTS = 2**24  # that are copied
_NAMED = 20  # layers in a sentence


class Workpiece:
    """Layers and weights of which those that are edited are copied first."""

    def __init__(self, layers: Sequence[Layer], weights: Mapping[str, Weights]) -> None:
        self.layers = {layer.name: layer for layer in layers}
        self.weights: dict[str, Weights] = dict(weights)
        self.heard: dict[str, set[int]] = {}  # by layer: maps of which alone something is heard
        self.silent: dict[str, set[int]] = {}  # by layer: maps that are muted
        self.held: dict[str, dict[tuple[int, ...], float]] = {}  # by layer: cells, and what they are set to
        self._own: set[tuple[str, str]] = set()
        self._copied: dict[str, int] = {}  # numbers, by layer

    def layer(self, name: str) -> Layer:
        """Return the layer of this name. Raises: InvalidEdit."""
        found = self.layers.get(name)
        if found is None:
            names = [*self.layers]
            more = ", …" if len(names) > _NAMED else ""
            raise InvalidEdit(f"There is no layer “{name}” here. There is: {', '.join(names[:_NAMED])}{more}.")
        return found

    def array(self, layer: Layer, name: str) -> Array:
        """Return weights of a layer, to be changed. Raises: InvalidEdit."""
        require_editable(layer, name)
        if (layer.name, name) not in self._own:
            self._count(layer)
            arrays = self.weights[layer.name]
            self.weights[layer.name] = {**arrays, name: np.array(arrays[name])}
            self._own.add((layer.name, name))
        return self.weights[layer.name][name]

    def finish(self) -> None:
        """Make zero what is muted, and what is not heard, by zeros among the weights; then set cells.

        Raises: InvalidEdit.
        """
        for name in {**self.silent, **self.heard}:
            layer = self.layers[name]
            self._count(layer)
            unheard = set(range(count_maps(layer))) - self.heard[name] if name in self.heard else set()
            chosen = sorted(unheard | self.silent.get(name, set()))
            try:
                self.weights[name] = layer.mute(self.weights.get(name, {}), chosen)
            except CannotMute as error:
                raise InvalidEdit(f"No map of “{name}” can be muted. {error}") from error

        for name, cells in self.held.items():
            layer = self.layers[name]
            all_cells = {**dict(layer.held_cells), **cells}
            self.layers[name] = replace(layer, held_cells=tuple(starmap(HeldCell, all_cells.items())))

    def _count(self, layer: Layer) -> None:
        """Check that no more is copied than there is room for. Raises: InvalidEdit."""
        self._copied[layer.name] = sum(math.prod(shape) for shape in layer.variables.values())
        total = sum(self._copied.values())
        if total > _MOST_WEIGHTS:
            raise InvalidEdit(
                f"{', '.join(self._copied)} have {total:,} weights together. Edits are made in layers that have "
                f"{_MOST_WEIGHTS:,} at most together."
            )


def require_editable(layer: Layer, name: str) -> None:
    """Check that a layer has such weights. Raises: InvalidEdit."""
    if name not in layer.variables:
        has = f"It has: {', '.join(layer.variables)}." if layer.variables else "It has none."
        raise InvalidEdit(f"“{layer.name}” has no weights called “{name[:40]}”. {has}")
