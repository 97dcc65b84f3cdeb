"""A model written as a .keras file that Keras opens without any class of ours. It starts no TensorFlow.

The file has the layers of Keras' own that compute what the model computes: a minimum pooling is a maximum pooling
between two Rescaling layers. Source of the format: keras.src.saving.saving_lib, version 3.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from zipfile import ZipFile

import h5py
import numpy as np

from ..cnn.definition import ModelDefinition
from ..cnn.errors import CannotSave
from ..cnn.kinds import KINDS, Layer, LayerSettings
from ..cnn.kinds.held_cells import as_scale_and_offset
from ..cnn.types import Array, Shape, unused_name
from .archive import CONFIG, METADATA, METADATA_KEY, WEIGHTS
from .archive_weights import snake_case
from .plan import Step, sort_as_keras

_IN_MEMORY = 4 * 2**20  # bytes; a larger file is written to the disk
_MOST_CELLS = 100_000  # of a layer of which some are set: the file has two numbers for each
_COPIED = 2**20  # bytes at once
_KERAS = "3.0.0"  # that has the format, where no Keras is installed


def write_keras_file(definition: ModelDefinition, told: Mapping[str, Any]) -> IO[bytes]:
    """Return the file, to be read from its start and closed. told: what its metadata says of it, as plain values.

    Raises: CannotSave; OSError, where there is no room for it.
    """
    steps, shapes = _make_steps(definition)
    config = _write_model(definition, steps, shapes)
    file: IO[bytes] = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  the caller closes it
    try:
        with SpooledTemporaryFile(_IN_MEMORY) as weights:
            _write_weights(weights, steps, {layer.name: layer for layer in definition.layers})
            _zip(file, config, told, weights)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def _make_steps(definition: ModelDefinition) -> tuple[tuple[Step, ...], dict[str, Shape]]:
    """Return the layers to write, in Keras' order, and the shape of each one's output. Raises: CannotSave."""
    chain = _Chain(definition)
    for layer in definition.layers:
        form = layer.as_keras()
        read = [chain.outputs[source] for source in layer.sources]
        for kind in form.before:
            read = [chain.add(chain.name(layer, kind[0]), kind, read, chain.shapes[read[0]])]
        weights = tuple(definition.weights.get(layer.name, {}).values())
        made = chain.add(layer.name, form.own, read, layer.output_shape, weights)
        for kind in (*form.after, *_hold_cells(layer)):
            made = chain.add(chain.name(layer, kind[0]), kind, [made], layer.output_shape)
        chain.outputs[layer.name] = made
    return sort_as_keras(chain.steps, made), chain.shapes


def _hold_cells(layer: Layer) -> list[tuple[str, LayerSettings]]:
    """Return the layer that sets cells of another one's output. Raises: CannotSave."""
    if not layer.held_cells:
        return []
    sizes = [size or 0 for size in layer.output_shape]
    if math.prod(sizes) > _MOST_CELLS:
        raise CannotSave(
            f"A cell of “{layer.name}” is set, which has {math.prod(sizes):,} cells, more than the {_MOST_CELLS:,} of "
            "which each has two numbers in a file"
        )
    scale, offset = as_scale_and_offset(layer.held_cells, sizes)
    return [("Rescaling", {"scale": scale.tolist(), "offset": offset.tolist()})]


class _Chain:
    """Layers to write, each behind those that it reads."""

    def __init__(self, definition: ModelDefinition) -> None:
        self.steps: dict[str, Step] = {}
        self.shapes: dict[str, Shape] = {definition.input_name: definition.input_shape}
        self.outputs: dict[str | None, str] = {None: definition.input_name}  # by layer, the step that makes it
        self._taken = {definition.input_name, *(layer.name for layer in definition.layers)}

    def name(self, layer: Layer, kind: str) -> str:
        """Return a name for a layer of this kind that helps another one."""
        name = unused_name(f"{layer.name}_{snake_case(kind)}", self._taken)
        self._taken.add(name)
        return name

    def add(
        self,
        name: str,
        kind: tuple[str, LayerSettings],
        read: Sequence[str],
        shape: Shape,
        weights: tuple[Array, ...] = (),
    ) -> str:
        """Add a step whose output has this shape, and return its name."""
        self.steps[name] = Step(name, KINDS[kind[0]], kind[1], tuple(read), (), weights)
        self.shapes[name] = shape
        return name


def _write_model(definition: ModelDefinition, steps: Sequence[Step], shapes: Mapping[str, Shape]) -> dict[str, Any]:
    """Return the config of a functional model."""
    names = [definition.input_name, *(layer.name for layer in definition.held_inputs)]
    inputs = [_write_input(name, shapes[name]) for name in names]
    references = [[name, 0, 0] for name in names]
    config = {
        "name": "model",
        "trainable": True,
        "layers": [*inputs, *(_write_layer(step, shapes) for step in steps if not step.kind.is_held)],
        "input_layers": references if len(names) > 1 else references[0],
        "output_layers": [steps[-1].name, 0, 0],
    }
    return {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "config": config,
        "registered_name": "Functional",
    }


def _write_input(name: str, shape: Shape) -> dict[str, Any]:
    config = {"batch_shape": [None, *shape], "dtype": "float32", "sparse": False, "name": name}
    return _write_class("InputLayer", config) | {"name": name, "inbound_nodes": []}


def _write_layer(step: Step, shapes: Mapping[str, Shape]) -> dict[str, Any]:
    tensors = [_write_tensor(name, shapes[name]) for name in step.inputs]
    call = {"args": [tensors if len(tensors) > 1 else tensors[0]], "kwargs": {}}
    config = {"name": step.name, **_write_settings(step)}
    return _write_class(step.kind.__name__, config) | {"name": step.name, "inbound_nodes": [call]}


def _write_settings(step: Step) -> dict[str, Any]:
    """Return the settings; a layer among them is written as any layer is. Raises: CannotSave."""
    wrapped = step.settings.get("layer")
    if wrapped is None:
        return dict(step.settings)
    name, settings = wrapped["class_name"], wrapped["config"]
    made = step.kind(name=step.name, **step.settings).inner.as_keras()  # type: ignore[attr-defined]
    if made.before or made.after or made.own[0] != name:
        raise CannotSave(f"“{step.name}” is a {name} of each part, for which Keras has no layer")
    return {**step.settings, "layer": _write_class(name, {"name": f"{step.name}_part", **settings})}


def _write_class(name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    return {"module": "keras.layers", "class_name": name, "config": config, "registered_name": None}


def _write_tensor(name: str, shape: Shape) -> dict[str, Any]:
    config = {"shape": [None, *shape], "dtype": "float32", "keras_history": [name, 0, 0]}
    return {"class_name": "__keras_tensor__", "config": config}


def _write_weights(file: IO[bytes], steps: Sequence[Step], layers: Mapping[str, Layer]) -> None:
    """Write the HDF5 file: a group for each layer, called by its class and a number, as Keras counts them."""
    counted: Counter[str] = Counter()
    with h5py.File(file, "w") as weights:
        for step in steps:
            base = snake_case(step.kind.__name__)
            group = f"layers/{base}_{counted[base]}" if counted[base] else f"layers/{base}"
            counted[base] += 1
            for number, array in enumerate(step.fixed):
                place = f"{group}/{step.kind.weights_path}/{number}"
                weights.create_dataset(place, data=np.asarray(array, _dtype(layers[step.name], number)))


def _dtype(layer: Layer, number: int) -> Any:
    """Return the type of a layer's weights of this number: what a Normalization counted is a whole number."""
    return np.int64 if [*layer.variables][number] == "count" else np.float32


def _zip(file: IO[bytes], config: Mapping[str, Any], told: Mapping[str, Any], weights: IO[bytes]) -> None:
    try:
        keras_version = version("keras")
    except PackageNotFoundError:
        keras_version = _KERAS
    saved = f"{datetime.now(UTC):%Y-%m-%d@%H:%M:%S}"
    with ZipFile(file, "w") as archive:
        archive.writestr(
            METADATA, json.dumps({"keras_version": keras_version, "date_saved": saved, METADATA_KEY: told})
        )
        archive.writestr(CONFIG, json.dumps(config))
        weights.seek(0)
        with archive.open(WEIGHTS, "w", force_zip64=True) as member:
            for part in read_parts(weights):
                member.write(part)


def read_parts(file: IO[bytes]) -> Iterator[bytes]:
    """Yield a file's bytes from where it stands, some at a time."""
    while part := file.read(_COPIED):
        yield part
