"""Models that are opened and run in this process, by the services behind the page and the API."""

import json
import weakref
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import cached_property, partial
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Unpack

from pydantic import TypeAdapter

from ..attribution.attribution import attribute
from ..attribution.baseline import make_baseline
from ..attribution.case import Settings as MethodSettings
from ..attribution.case import read_patch
from ..attribution.contributions import explain, name_cells
from ..attribution.method import find_method
from ..cnn.cost import RunLimits
from ..cnn.network import Network
from ..cnn.types import Array
from ..explore import prediction
from ..explore.activations import encode_activations, name_arrays
from ..explore.comparison import accuracies, compare
from ..explore.drawing_runs import DrawingRun
from ..explore.edits_file import describe_saved, read_edits
from ..explore.exploration import MapRange, RenderOptions, draw_layer
from ..explore.forward_passes import ForwardPasses
from ..explore.inspection import Place, inspect
from ..imaging.drawing import DrawingLimits
from ..imaging.encoding import stream_enlarged
from ..library.library import Library
from ..model_argument import open_model
from ..model_files.writing import read_parts, write_keras_file
from ..settings import Settings
from ..web.attribution.schemas import AttributionAnswer, ContributionsAnswer
from ..web.schemas import ComparisonAnswer, InspectionAnswer, ModelDetails, describe_model
from .answers import Cell, Comparison, Prediction
from .explanations import Attribution, Contributions
from .in_memory import SavesItself, save
from .model import Model, RunRequest
from .options import AttributionKeywords, AttributionOptions, GridKeywords, GridOptions, read_pooling
from .run import Run, read_class

# A person's own pictures, in their own process: a telephone's photograph is larger than what a server takes.
_LIMITS = DrawingLimits(64 * 2**20, 8192)
_MOST_PIXELS = 48_000_000  # of a grid, as by the API
_MOST_COMPARED = 32_000_000  # of all pictures of a comparison
_STRONGEST = 10  # maps, and cells, of a layer in a document, as by the API
_PREDICTION = TypeAdapter(prediction.Prediction)


def open(model: str | PathLike[str] | SavesItself, card: Mapping[str, Any] | None = None) -> "LocalModel":
    """Open a model in this process. Nothing in its file is executed: a sandboxed process reads it, as for the page.

    model: a .keras, .h5, .hdf5 or .zip file; the name of a model that comes with Layerglass; or a Keras model in
    memory, which is saved to a temporary file first. card: what to say of a model of one's own, with the fields of a
    card, such as {"classes": ["cat", "dog"], "value_range": [0, 255]}.
    Raises: FileNotFoundError; LookupError, if no model has this name; ModelError, if it cannot be opened.
    """
    settings = Settings()
    limits = RunLimits(settings.run_megabytes, settings.run_seconds)
    with ExitStack() as stack:
        path = fspath(model) if isinstance(model, str | PathLike) else save(model, stack)
        network, library = stack.enter_context(open_model(str(path), settings, limits, card=card))
        return LocalModel(network, library, ForwardPasses(limits=_LIMITS, run_limits=limits), stack.pop_all())


class LocalModel(Model):
    """A model in this process. Its worker process, if it has one, ends when it is closed or no longer used."""

    def __init__(
        self, network: Network, library: Library, passes: ForwardPasses, stack: ExitStack, edits: str = ""
    ) -> None:
        self.name = network.name
        self._edits = edits
        self._network, self._library, self._passes = network, library, passes
        self._close = weakref.finalize(self, stack.close)

    @cached_property
    def details(self) -> ModelDetails:
        return describe_model(self._library.entry(self.name), self._network)

    def close(self) -> None:
        self._close()

    def edited(self, edits: str) -> "LocalModel":
        made = read_edits(edits, self._network)
        network = self._network.edited(made)
        stack = ExitStack()
        stack.callback(partial(_keep, self))  # whose library must not be closed before this one is
        stack.callback(network.engine.close)
        said = ";".join(filter(None, [self._edits, str(made)]))
        return LocalModel(network, self._library, self._passes, stack, said)

    def save(self, path: str | PathLike[str], pooling: str | None = None) -> None:
        definition = self._network.definition.with_pooling(read_pooling(pooling))
        told = describe_saved(self._network, self._edits)
        with write_keras_file(definition, told) as written, Path(path).open("wb") as file:
            file.writelines(read_parts(written))

    def _start(self, request: RunRequest) -> "LocalRun":
        network = self._network.drawing_into(request.input)
        run = DrawingRun(
            network, request.drawing, request.pooling, self._passes, request.region, request.held, request.blank
        )
        return LocalRun(run, self)


def _keep(model: LocalModel) -> None:
    """Do nothing: whatever may call this keeps the model alive."""


class LocalRun(Run):
    """A picture that was run in this process."""

    def __init__(self, run: DrawingRun, model: LocalModel) -> None:
        super().__init__(run.network.name, run.pooling, [layer.name for layer in run.network.feature_map_layers])
        self._run, self._network = run, run.network
        self._model = model  # whose library must not be closed while a run may ask for weights
        self._forward = run.forward()

    @cached_property
    def prediction(self) -> Prediction | None:
        if self._network.answers_with_picture:
            return None
        answer = prediction.predict(self._network, self._forward)
        return Prediction.from_document(json.loads(_PREDICTION.dump_json(answer)))

    @property
    def arrays(self) -> Mapping[str, Array]:
        return name_arrays(self._forward)

    def npz(self) -> Iterator[bytes]:
        encoded = encode_activations(self._forward)
        return iter([encoded]) if isinstance(encoded, bytes) else encoded

    def grid_png(self, layer: str, **options: Unpack[GridKeywords]) -> bytes:
        asked = GridOptions.read(options)
        chosen = RenderOptions.chosen(asked.colormap, asked.signed, asked.scale, asked.columns, asked.differences)
        maps = MapRange(self._network.layer(layer), asked.first, asked.count)
        png = draw_layer(self._forward, maps, self._run.complete(chosen), _MOST_PIXELS, asked.zoom).png
        return png if asked.zoom == 1 else b"".join(stream_enlarged(png, asked.zoom))

    def cell(self, layer: str, channel: int, row: int, column: int) -> Cell:
        found = inspect(self._network, self._forward, self._network.layer(layer), Place(channel, row, column))
        return Cell.from_document(json.loads(InspectionAnswer.from_inspection(found).model_dump_json()))

    def contributions(
        self, target: str | int | None = None, against: str | int | None = None, layer: str | None = None
    ) -> Contributions:
        wanted = None if layer is None else (self._network.layer(layer).name,)
        classes = read_class(target), read_class(against)
        found = explain(self._network, self._forward, *classes, wanted, self._run.passes.run_limits)
        answer = ContributionsAnswer.of(found, _STRONGEST)
        return Contributions.from_document(json.loads(answer.model_dump_json()), partial(name_cells, found))

    def attribution(
        self,
        method: str,
        target: str | int | None = None,
        against: str | int | None = None,
        **options: Unpack[AttributionKeywords],
    ) -> Attribution:
        asked, chosen = AttributionOptions.read(options), find_method(method)
        layer = None if asked.layer is None else self._network.layer(asked.layer).name
        patch = read_patch(asked.patch_rows, asked.patch_columns)
        settings = MethodSettings(layer, make_baseline(self._run, asked.baseline), asked.steps, patch, asked.stride)
        classes, seed = (read_class(target), read_class(against)), asked.seed if asked.check else None
        limits = self._run.passes.run_limits
        found = attribute(self._network, self._forward, chosen, *classes, settings, seed, limits)
        document = json.loads(AttributionAnswer.of(found).model_dump_json())
        return Attribution.from_document(document, lambda: {"attribution": found.values})

    def compare(self, *layers: str) -> Comparison:
        network = self._network
        wanted = [network.layer(name) for name in dict.fromkeys(layers)] or None
        run_in = partial(self._run.run_in, invert=False)
        found = compare(network, run_in, RenderOptions(), False, wanted, most_pixels=_MOST_COMPARED)
        answer = ComparisonAnswer.from_comparison(found, accuracies(network, self._model._library), False)
        return Comparison.from_document(json.loads(answer.model_dump_json()))
