"""What a lesson's expressions may name: facts of layers, models and answers, each computed when it is asked for.

`docs/lessons.md` lists them for whoever writes a lesson.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TypeVar

import numpy as np

from ..cnn.cells import ConvolutionCell, DenseCell, PoolingCell
from ..cnn.cost import TooCostly
from ..cnn.errors import RunFailed, UnknownInput, WrongImageSize
from ..cnn.kinds import Layer
from ..cnn.network import ForwardPass, Network, UnknownLayer
from ..cnn.types import Array, PoolingMode, as_maps_shape
from ..datasets.digits import load_test_digits, load_training_digits
from ..explore.forward_passes import ForwardPasses
from ..explore.inspection import Inspection, UnknownCell, find_place, inspect
from ..explore.prediction import NoClasses, Prediction, predict
from ..imaging.drawing import FIRST_SAMPLE, SAMPLES, draw_sample
from ..library.library import Library, UnknownModel
from ..model_files.errors import ModelError
from .errors import Fault
from .expressions import Expression, Reference, Value, evaluate
from .places import Place

_OWN_DRAWING = (
    "The drawing of this step is a person's own, so that nothing can be said of it: name a sample, as by &sample=7."
)

T = TypeVar("T")


@dataclass(frozen=True)
class Scope:
    """The network, the pooling and the drawing that a fact is of, and the cell that the step's address holds."""

    network: Network
    passes: ForwardPasses
    pooling: PoolingMode | None
    sample: str | None  # None is a drawing that came with the address
    cell: tuple[str, int, int | None, int | None] | None  # layer, channel, row, column
    shown: PoolingMode | None  # the pooling in which the page shows it

    @cached_property
    def forward(self) -> ForwardPass:
        """The forward pass. Raises: Fault."""
        if self.sample is None:
            raise Fault(_OWN_DRAWING)
        try:
            return self.passes.run(self.network, draw_sample_once(self.sample), self.pooling)
        except (RunFailed, TooCostly, UnknownInput, WrongImageSize) as error:
            raise Fault(str(error)) from None

    @cached_property
    def prediction(self) -> Prediction:
        try:
            return predict(self.network, self.forward)
        except NoClasses as error:
            raise Fault(str(error)) from None

    @cached_property
    def inspection(self) -> Inspection:
        """The cell that the address holds; without row and column, the strongest one of the map that the page shows."""
        if self.cell is None:
            raise Fault("No cell is held here: the step's address has no layer.")
        name, channel, row, column = self.cell
        page = replace(self, pooling=self.shown)
        try:
            layer = self.network.layer(name)
            place = find_place(page.forward, layer, channel, row, column)
            return inspect(self.network, self.forward, layer, place)
        except (UnknownLayer, UnknownCell) as error:
            raise Fault(str(error)) from None

    def layer(self, name: str) -> Layer:
        try:
            return self.network.layer(name)
        except UnknownLayer as error:
            raise Fault(str(error)) from None

    def shape(self, layer: Layer) -> tuple[int, ...]:
        """Return a layer's output shape; where it may be any, that for the drawing."""
        if None in layer.output_shape:
            return self.forward.activations[layer.name].shape
        return tuple(size or 0 for size in layer.output_shape)

    def maps(self, layer: Layer) -> Array:
        """Return a layer's activation as (height, width, maps)."""
        activation = self.forward.activations[layer.name]
        return activation.reshape(as_maps_shape(activation.shape))


draw_sample_once = cache(draw_sample)


class Vocabulary:
    """Works out expressions for a step."""

    def __init__(self, library: Library, passes: ForwardPasses, only_built_in: bool = False) -> None:
        """only_built_in: refuse other models, which may take many seconds."""
        self.library = library
        self.passes = passes
        self.only_built_in = only_built_in

    def of_built_in_models(self) -> "Vocabulary":
        """Return the same for whom nobody else's model is worth waiting for."""
        return Vocabulary(self.library, self.passes, only_built_in=True)

    def resolver(self, place: Place) -> Callable[[Expression], Value]:
        """Return what works out the expressions of a step that stands there. It raises Faults."""
        return lambda expression: evaluate(expression, lambda reference: self.look_up(reference, place))

    def look_up(self, reference: Reference, place: Place) -> Value:
        """Return a fact. Raises: Fault."""
        first, *names = reference.path
        if first not in _LOOK_UPS:
            raise Fault(f"There is no “{reference}”. An expression begins with {_either(_LOOK_UPS)}.")
        counts, form, look_up = _LOOK_UPS[first]
        if len(names) not in counts:
            raise Fault(f"“{reference}” has too many or too few names: write {form}.")
        return look_up(self.scope(reference, place), *names)

    def scope(self, reference: Reference, place: Place) -> Scope:
        """Return what a reference is of. Raises: Fault."""
        network = self.network(place, reference.model)
        if reference.pooling is not None and reference.pooling not in list(PoolingMode):
            raise Fault(f"There is no pooling mode “{reference.pooling}”. There is: {', '.join(PoolingMode)}.")
        if reference.sample is not None and reference.sample not in SAMPLES:
            raise Fault(f"There is no sample “{reference.sample}”. There is: {', '.join(SAMPLES)}.")
        shown = place.get("pooling") or None
        pooling = reference.pooling or shown
        layer = place.get("layer")
        return Scope(
            network,
            self.passes,
            PoolingMode(pooling) if pooling else None,
            reference.sample or place.get("sample") or (None if place.fragment else FIRST_SAMPLE),
            (layer, place.number("channel") or 0, place.number("row"), place.number("column")) if layer else None,
            PoolingMode(shown) if shown else None,
        )

    def network(self, place: Place, name: str | None = None) -> Network:
        """Return the network that runs at a place, or another one. Raises: Fault."""
        wanted = name or place.get("model") or self.library.default_name
        try:
            if self.only_built_in and not self.library.entry(wanted).is_built_in:
                raise Fault(f"No number of “{wanted}” is worked out on this page, as it did not come with Layerglass.")
            network = self.library.network(wanted)
            if name is None and place.get("weights") == "retrained":
                pooling = place.get("pooling")
                sibling = self.library.sibling_name(network, PoolingMode(pooling) if pooling else None)
                network = self.library.network(sibling)
        except (UnknownModel, ModelError) as error:
            raise Fault(str(error)) from None
        return network

    def check_place(self, place: Place) -> None:
        """Raise a Fault where the place's model, layer, map or cell does not exist."""
        scope = self.scope(Reference(()), place)
        if scope.cell is None:
            return
        name, channel, row, column = scope.cell
        height, width, maps = as_maps_shape(scope.shape(scope.layer(name)))
        for what, number, count in (("map", channel, maps), ("row", row, height), ("column", column, width)):
            if number is not None and number >= count:
                raise Fault(f"The layer “{name}” has no {what} {number}. It has {count}, from 0 to {count - 1}.")


def _either(words: dict[str, T]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def _pick(facts: dict[str, Callable[[T], Value]], of: str, name: str, subject: T) -> Value:
    if name not in facts:
        raise Fault(f"There is no “{of}.{name}”. There is: {', '.join(facts)}.")
    value = facts[name](subject)
    return value.item() if isinstance(value, np.generic) else value


# -- layers ----------------------------------------------------------------------------------------------------------

_Of = tuple[Scope, Layer]


def _spatial(of: _Of) -> tuple[int, int, int]:
    scope, layer = of
    return as_maps_shape(scope.shape(layer))


def _window(of: _Of) -> tuple[int, int]:
    _, layer = of
    if layer.window is None:
        raise Fault(f"The layer “{layer.name}” has no window that slides.")
    return layer.window.size


def _stride(of: _Of) -> int:
    _window(of)
    window = of[1].window
    return window.strides[0] if window else 1


def _sees(of: _Of) -> tuple[int, int]:
    scope, layer = of
    seen = scope.network.receptive_fields[layer.name]
    if seen is None:
        raise Fault(f"A cell of “{layer.name}” sees all of the input.")
    return seen


def _silent(of: _Of) -> int:
    silent = np.flatnonzero(~of[0].maps(of[1]).any(axis=(0, 1)))
    if not silent.size:
        raise Fault(f"“{of[1].name}” has no map that is zero everywhere.")
    return int(silent[0])


LAYER_FACTS: dict[str, Callable[[_Of], Value]] = {
    "width": lambda of: _spatial(of)[1],
    "height": lambda of: _spatial(of)[0],
    "maps": lambda of: _spatial(of)[2],
    "cells": lambda of: math.prod(of[0].shape(of[1])),
    "units": lambda of: math.prod(of[0].shape(of[1])),
    "size": lambda of: "×".join(map(str, of[0].shape(of[1]))),
    "inputs": lambda of: of[0].network.input_channels(of[1]),
    "parameters": lambda of: of[1].parameters,
    "weights": lambda of: of[1].parameters - of[1].biases,
    "biases": lambda of: of[1].biases,
    "window": lambda of: "×".join(map(str, _window(of))),
    "window_cells": lambda of: math.prod(_window(of)),
    "window_side": lambda of: _window(of)[0],
    "stride": _stride,
    "sees": lambda of: "×".join(map(str, _sees(of))),
    "sees_side": lambda of: _sees(of)[0],
    "highest": lambda of: float(of[0].maps(of[1]).max()),
    "lowest": lambda of: float(of[0].maps(of[1]).min()),
    "mean": lambda of: float(of[0].maps(of[1]).mean(dtype=np.float64)),
    "zeros": lambda of: float((of[0].maps(of[1]) == 0).mean()),
    "constant": lambda of: int((np.ptp(of[0].maps(of[1]), axis=(0, 1)) == 0).sum()),
    "silent": _silent,
    "strongest": lambda of: int(np.abs(of[0].maps(of[1])).sum(axis=(0, 1), dtype=np.float64).argmax()),
}

# -- models ----------------------------------------------------------------------------------------------------------


def _accuracy(network: Network) -> float:
    if network.card.test_accuracy is None:
        raise Fault(f"The card of “{network.name}” tells no accuracy.")
    return network.card.test_accuracy


def _count(network: Network, is_counted: Callable[[Layer], bool]) -> int:
    return sum(map(is_counted, network.layers))


MODEL_FACTS: dict[str, Callable[[Network], Value]] = {
    "name": lambda network: network.name,
    "layers": lambda network: len(network.layers),
    "convolutions": lambda network: _count(network, lambda layer: layer.is_convolution),
    "poolings": lambda network: _count(network, lambda layer: layer.is_pooling),
    "parameters": lambda network: sum(layer.parameters for layer in network.layers),
    "weights": lambda network: sum(layer.parameters - layer.biases for layer in network.layers),
    "biases": lambda network: sum(layer.biases for layer in network.layers),
    "classes": lambda network: len(network.card.classes),
    "heaviest": lambda network: max(network.layers, key=lambda layer: layer.parameters).name,
    "pooling": lambda network: str(network.card.pooling or "none"),
}


def _pooled_accuracy(scope: Scope, mode: str | None = None) -> Value:
    if mode is None:
        return _accuracy(scope.network)
    told = scope.network.card.test_accuracy_by_pooling
    if mode not in told:
        raise Fault(f"The card of “{scope.network.name}” tells no accuracy under “{mode}”.")
    return told[PoolingMode(mode)]


# -- the drawing and its answer --------------------------------------------------------------------------------------

INPUT_FACTS: dict[str, Callable[[Scope], Value]] = {
    "width": lambda scope: _input_shape(scope)[1],
    "height": lambda scope: _input_shape(scope)[0],
    "channels": lambda scope: _input_shape(scope)[2],
    "cells": lambda scope: math.prod(_input_shape(scope)),
    "ink": lambda scope: float((scope.forward.image > scope.forward.image.min()).mean()),
}


def _input_shape(scope: Scope) -> tuple[int, ...]:
    shape = scope.network.card.input_shape
    return scope.forward.image.shape if None in shape else tuple(size or 0 for size in shape)


def _likely(scope: Scope, rank: int) -> tuple[str, float]:
    ranked = scope.prediction.ranked
    if len(ranked) <= rank:
        raise Fault(f"“{scope.network.name}” does not answer with that many classes.")
    return ranked[rank].label, float(ranked[rank].probability)


ANSWER_FACTS: dict[str, Callable[[Scope], Value]] = {
    "label": lambda scope: scope.prediction.label,
    "probability": lambda scope: _likely(scope, 0)[1],
    "second": lambda scope: _likely(scope, 1)[0],
    "second_probability": lambda scope: _likely(scope, 1)[1],
}

# -- the cell that is held -------------------------------------------------------------------------------------------


def _parts(scope: Scope) -> ConvolutionCell | DenseCell:
    cell = scope.inspection.cell
    if not isinstance(cell, ConvolutionCell | DenseCell):
        raise Fault(f"A cell of “{scope.inspection.layer.name}” is no sum with a bias.")
    return cell


def _pooled(scope: Scope) -> PoolingCell:
    cell = scope.inspection.cell
    if not isinstance(cell, PoolingCell):
        raise Fault(f"“{scope.inspection.layer.name}” does not pool.")
    return cell


CELL_FACTS: dict[str, Callable[[Scope], Value]] = {
    "value": lambda scope: scope.inspection.value,
    "map": lambda scope: scope.inspection.place.channel,
    "row": lambda scope: scope.inspection.place.row,
    "column": lambda scope: scope.inspection.place.column,
    "sum": lambda scope: float(_parts(scope).pre_activation),
    "bias": lambda scope: float(_parts(scope).bias),
    "maximum": lambda scope: float(_pooled(scope).maximum),
    "average": lambda scope: float(_pooled(scope).average),
    "minimum": lambda scope: float(_pooled(scope).minimum),
}

DATA_FACTS: dict[str, Callable[[None], Value]] = {
    "test": lambda _: len(load_test_digits()),
    "training": lambda _: len(load_training_digits()),
}


def _layer_fact(scope: Scope, layer: str, fact: str) -> Value:
    return _pick(LAYER_FACTS, "layer", fact, (scope, scope.layer(layer)))


# How many names follow the first word, how that is written, and what works it out.
_LOOK_UPS: dict[str, tuple[tuple[int, ...], str, Callable[..., Value]]] = {
    "layer": ((2,), "layer.NAME.FACT", _layer_fact),
    "model": ((1,), "model.FACT", lambda scope, fact: _pick(MODEL_FACTS, "model", fact, scope.network)),
    "accuracy": ((0, 1), "accuracy or accuracy.POOLING", _pooled_accuracy),
    "input": ((1,), "input.FACT", lambda scope, fact: _pick(INPUT_FACTS, "input", fact, scope)),
    "answer": ((1,), "answer.FACT", lambda scope, fact: _pick(ANSWER_FACTS, "answer", fact, scope)),
    "cell": ((1,), "cell.FACT", lambda scope, fact: _pick(CELL_FACTS, "cell", fact, scope)),
    "digits": ((1,), "digits.FACT", lambda scope, fact: _pick(DATA_FACTS, "digits", fact, None)),
}
