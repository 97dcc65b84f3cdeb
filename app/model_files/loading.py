"""A model's file loaded: checked, migrated in memory, its layers and weights found."""

import itertools
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import h5py
import numpy as np

from ..cnn.declared import DeclaredLambda
from ..cnn.definition import ModelDefinition
from ..cnn.kinds import Layer
from ..cnn.types import Array
from .archive import METADATA, METADATA_KEY, Archive, find_archive, read_archive
from .bundle import Bundle, read_bundle
from .config.allow_list import check_config, parse_config
from .config.nodes import Config
from .config.planner import are_channels_first, make_plan
from .errors import ModelError, shown
from .formats import FileFormat, detect_format, detect_in_memory
from .hdf5 import open_hdf5, text_attribute
from .labels import LabelsFile
from .layers import define, infer_layers
from .plan import Plan, describe_image
from .weights import Reorder, describe_oddities, read_weights
from .zip_file import open_zip

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class LoadedModel:
    """A model out of a file."""

    plan: Plan  # that it is built by
    definition: ModelDefinition
    mends: tuple[str, ...]  # what was migrated, and what is odd: a sentence each
    keras_version: str | None  # that wrote the file, where it says so
    labels: LabelsFile | None = None  # that came with it in a zip
    lambdas: Mapping[str, DeclaredLambda] = field(default_factory=dict)  # what a person declared of the file

    @property
    def model(self) -> "keras.Model":
        """The model in Keras, built anew."""
        assert self.definition.build is not None
        return self.definition.build(self.definition.weights)


@dataclass(frozen=True)
class _Source:
    """Everything in a model's file but the weights."""

    config: Config
    keras_version: str | None
    backend: str | None
    weights: Path | bytes  # an HDF5 file
    labels: LabelsFile | None = None


def load_model(path: Path, lambdas: Mapping[str, DeclaredLambda] = MappingProxyType({})) -> LoadedModel:
    """Load the model in a .keras, .h5 or .hdf5 file, or in a zip of one. No code of it is run.

    lambdas: what its Lambda layers compute, by their names. Raises: ModelError, UndeclaredLambdas among them.

    For an untrusted file use app.workers.sandbox.open_in_sandbox: the HDF5 library, written in C, has been seen to
    crash on malformed files, and would take this process with it.
    """
    source = _read(path)
    plan, layers = _plan_layers(source, lambdas)
    with open_hdf5(source.weights) as file:
        weights = read_weights(file, plan, {layer.name: layer.variables for layer in layers}, _reorder(source))
    notes = plan.notes + describe_oddities(weights)
    return LoadedModel(plan, define(plan, layers, weights), notes, source.keras_version, source.labels, lambdas)


def _plan_layers(source: _Source, lambdas: Mapping[str, DeclaredLambda]) -> tuple[Plan, tuple[Layer, ...]]:
    """Return the plan, and its layers. Numbers in a row are an image where the model makes no more numbers of them."""
    plan = make_plan(check_config(source.config, lambdas), _era(source), lambdas)
    layers = infer_layers(plan)
    if plan.flat is None:
        return plan, layers
    is_picture = plan.shape[0] != 1 and math.prod(size or 1 for size in layers[-1].output_shape) <= plan.flat
    if is_picture:
        return plan.with_note(describe_image((plan.flat,), plan.shape)), layers
    return plan.with_numbers(), layers


def _read(path: Path) -> _Source:
    if detect_format(path) is FileFormat.HDF5:
        return _of_hdf5(path)
    with open_zip(path) as file:
        folder = find_archive(file)
        contents = read_bundle(file) if folder is None else read_archive(file, folder)
    if isinstance(contents, Archive):
        return _of_archive(contents)
    return replace(_of_bundle(contents), labels=contents.labels)


def _of_bundle(bundle: Bundle) -> _Source:
    if detect_in_memory(bundle.model, bundle.name) is FileFormat.HDF5:
        return _of_hdf5(bundle.model)
    with open_zip(bundle.model) as file:
        return _of_archive(read_archive(file))


def _of_archive(archive: Archive) -> _Source:
    metadata = parse_config(archive.metadata, "The archive's metadata")
    version = _version(metadata.get("keras_version")) or "3"
    return _Source(parse_config(archive.config), version, None, archive.weights, _labels_in(metadata))


def _labels_in(metadata: Config) -> LabelsFile | None:
    """Return the classes' names that a file has in it that was saved by Layerglass."""
    told = metadata.get(METADATA_KEY)
    names = told.get("labels") if isinstance(told, dict) else None
    return LabelsFile(METADATA, json.dumps(names).encode(), "") if isinstance(names, list) else None


def _of_hdf5(source: Path | bytes) -> _Source:
    with open_hdf5(source) as file:
        text, version = text_attribute(file, "model_config"), text_attribute(file, "keras_version")
        backend = text_attribute(file, "backend")
        whole = "model_weights" in file
        if text is None:
            raise ModelError(_without_model(file))
    if not whole:
        raise ModelError(
            "The .h5 file describes a model without its weights. Build it again, load its weights, and save all of it "
            "with model.save('name.keras')."
        )
    return _Source(parse_config(text), _version(version), backend, source)


def _without_model(file: h5py.File) -> str:
    """Return what an HDF5 file is that describes no model."""
    if "layer_names" in file.attrs:
        return _WEIGHTS_ONLY.format("name.h5")
    if "layers" in file or "_layer_checkpoint_dependencies" in file:  # Keras 3, which goes by this ending
        return _WEIGHTS_ONLY.format("name.weights.h5")
    held = [shown(name) for name in itertools.islice(file, _LISTED)]
    return _OTHER_HDF5.format(f" but {', '.join(held)}" if held else "")


_LISTED = 4  # members of a file, in a sentence
_WEIGHTS_ONLY = (
    "This .h5 file holds weights only, without the layers that they belong to. Build the model, call "
    "model.load_weights('{0}') with the file under a name that ends so, and save all of it with "
    "model.save('name.keras')."
)
_OTHER_HDF5 = "This HDF5 file holds no Keras model{}. Bring one that was saved with model.save('name.keras')."


def _version(value: object) -> str | None:
    return value if isinstance(value, str) and re.fullmatch(r"\d[\w.+-]{0,30}", value) else None


def _era(source: _Source) -> int:
    """Return the Keras that wrote the file: 1, 2 or 3. The first did not say."""
    return min(3, int(source.keras_version.split(".")[0])) if source.keras_version else 1


def _reorder(source: _Source) -> Reorder:
    """Return what brings a convolution's kernel into the order of rows, columns, inputs, outputs."""
    outputs_first = _era(source) == 1 and are_channels_first(source.config)
    flipped = source.backend == "theano"  # which turned a kernel by half a turn before it multiplied

    def reorder(kernel: Array) -> Array:
        ordered = kernel.transpose(2, 3, 1, 0) if outputs_first else kernel
        return np.ascontiguousarray(ordered[::-1, ::-1] if flipped else ordered)

    return reorder
