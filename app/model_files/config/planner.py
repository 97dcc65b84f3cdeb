"""A checked config as a plan: every layer once for each call, in the order in which the data flows."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from ...cnn.declared import DeclaredLambda
from ...cnn.kinds import AUGMENTATIONS, KINDS, Layer, LayerSettings
from ...cnn.kinds.convolution import Conv2D
from ...cnn.kinds.inputs import InputLayer
from ...cnn.kinds.reshaping import Permute, Reshape
from ...cnn.types import Array, ImageShape, Shape
from ..errors import RESAVE, ModelError, shown
from ..limits import LAYERS, NESTED_MODELS
from ..plan import FileLayer, LayerPath, Plan, Step, check_settings, describe_image, sort_as_keras
from .composites import COMPOSITES, Distribution, distribute
from .functional_graph import FunctionalGraph, Use, parse_graph
from .inputs import TakenInput, channels_last, choose_drawn, input_shape, inputs_of, times
from .migrations import LayerConfig, migrate
from .nodes import LAMBDA, MODELS, Config, Reference, is_trainable, layers_of, name_of, settings_of
from .operations import Operation
from .stand_ins import as_layer

_FORBIDDEN = re.compile(r"[^A-Za-z0-9_.>-]")
_NAME_LENGTH = 60
_NAMES = 8  # in a sentence
_TURNED = "The model keeps an image's channels before its height and width; here they come last."


def make_plan(config: Config, era: int, declared: Mapping[str, DeclaredLambda] = MappingProxyType({})) -> Plan:
    """Return the plan of a checked config. Raises: ModelError.

    era: the Keras that wrote it. declared: what its Lambda layers compute, all of them.
    """
    channels_first = are_channels_first(config)
    planner = _Planner(era, channels_first, declared)
    inputs = [TakenInput(name, input_shape(shape)) for shape, name in inputs_of(config)]
    if channels_first:
        planner.note(_TURNED)
        inputs = [TakenInput(each.name, channels_last(each.shape)) for each in inputs]
    drawn = choose_drawn(inputs)
    if channels_first and len(drawn.shape) != 3:
        raise ModelError(f"The model takes {times(drawn.shape)} numbers, which is no image with its channels first.")
    sources = [planner.take(each, drawn) for each in inputs]
    outputs = planner.model(config, sources, ())
    if outputs[0] in {*sources, planner.source}:
        raise ModelError("The model has no layers between its input and its output.")
    return planner.plan(outputs[0])


@dataclass
class _Planner:
    era: int
    channels_first: bool
    declared: Mapping[str, DeclaredLambda]
    steps: dict[str, Step] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    layers: dict[LayerPath, tuple[FileLayer, ...]] = field(default_factory=dict)
    notes: Counter[str] = field(default_factory=Counter)
    renamed: dict[str, str] = field(default_factory=dict)
    source: str = ""  # the input that the image is given to
    shape: ImageShape = (None, None, 0)  # of the image
    numbers: int | None = None  # that the model takes in a row, where the image is made of them
    reshaped: dict[str, str] = field(default_factory=dict)  # steps that reshape an image, by its input
    image_channels: dict[str, int] = field(default_factory=dict)  # of images as the model takes them, by their input
    repeated: set[LayerPath] = field(default_factory=set)  # models that are used several times
    left_out: list[str] = field(default_factory=list)  # layers that the answer does not depend on
    distributed: int = 0  # wrappers that give a layer each part of its input by itself, around what is being added
    flat: set[str] = field(default_factory=set)  # steps whose output is no image, as far as the steps before tell

    def note(self, sentence: str) -> None:
        self.notes[sentence] += 1

    def take(self, each: TakenInput, drawn: TakenInput) -> str:
        """Add an input, and return the step that gives the model what it takes. drawn: the one that is drawn into."""
        image = each.image_beside(drawn)
        name = self._unique(each.name)
        if image is None:
            self.flat.add(name)
        if each is drawn:
            self.source, self.numbers = name, each.numbers or None
            self.shape = image or (1, each.numbers, 1)
            taken: Shape = self.shape
        else:
            taken = image or each.shape
            self.step(InputLayer, {"shape": taken}, (), name, ())
        if taken == each.shape:
            self.image_channels[name] = (taken[-1] or 0) if image else 0
            return name
        if image and not each.numbers:  # of numbers in a row, it is said once it is known that they are an image
            self.note(describe_image(each.shape, image))
        self.reshaped[name] = self.step(Reshape, {"target_shape": each.shape}, (name,), "as_the_model_takes_it", ())
        return self.reshaped[name]

    def step(
        self, kind: type[Layer], settings: LayerSettings, inputs: tuple[str, ...], name: str, origin: LayerPath
    ) -> str:
        if len(self.steps) >= LAYERS:
            raise ModelError(f"The model has more than {LAYERS:,} layers.")
        name = name if kind.is_held else self._unique(name)
        self.steps[name] = Step(name, kind, settings, inputs, origin)
        if kind.makes_vector or self.flat.intersection(inputs[:1]):
            self.flat.add(name)
        return name

    def _unique(self, wanted: str) -> str:
        """Return a name that TensorFlow takes, and that no other layer has."""
        safe = _FORBIDDEN.sub("_", wanted[:_NAME_LENGTH])
        safe = safe if safe[:1].isalnum() else f"layer{safe}"
        name, number = safe, 1
        while name in self.names:
            number += 1
            name = f"{safe}_{number}"
        self.names.add(name)
        if safe != wanted:
            self.renamed[wanted] = name
        return name

    def model(self, config: Config, inputs: list[str], path: LayerPath) -> list[str]:
        """Return the names of the steps that give the model's outputs."""
        if len(path) > NESTED_MODELS:
            raise ModelError(f"The model holds more than {NESTED_MODELS} models within each other.")
        entries = layers_of(config)
        if isinstance(config["config"], list):
            self.note("The layers were listed in the layout of Keras before 2.2.3.")
        self.layers[path] = tuple(
            FileLayer(name_of(entry), str(entry["class_name"]), is_trainable(entry)) for entry in entries
        )
        if config["class_name"] == "Sequential":
            return self._sequential(entries, inputs, path)
        return self._functional(config, inputs, path)

    def _sequential(self, entries: list[Config], inputs: list[str], path: LayerPath) -> list[str]:
        for entry in entries:
            if entry["class_name"] != "InputLayer":
                inputs = self._call(entry, inputs, path)
        return inputs

    def _functional(self, config: Config, inputs: list[str], path: LayerPath) -> list[str]:
        graph = parse_graph(config)
        if len(graph.outputs) > 1:
            self.note(_several_outputs(graph))
        made = self._bind(graph, inputs, path)
        waiting = graph.needed()
        self.left_out.extend(graph.left_out())
        while waiting:
            ready = [key for key, use in waiting.items() if all(source in made for source in use.inputs)]
            if not ready:
                names = ", ".join(shown(name_of(use.entry)) for use in list(waiting.values())[:3])
                raise ModelError(f"The model's graph runs in a circle, or out of the model, at {names}. {RESAVE}")
            for key in ready:
                use = waiting.pop(key)
                made[key] = self._use(use, [made[source] for source in use.inputs], path)
        if graph.answer not in made:
            raise ModelError(f"The model's output {shown(graph.answer[0])} is never made. {RESAVE}")
        return [made[graph.answer]]

    def _bind(self, graph: FunctionalGraph, inputs: list[str], path: LayerPath) -> dict[Reference, str]:
        # The model itself is given those inputs that its answer depends on.
        wanted = graph.inputs if path or len(graph.inputs) == 1 else graph.inputs_needed()
        if len(wanted) != len(inputs):
            raise ModelError(f"A model takes {len(wanted)} inputs, and is given {len(inputs)}. {RESAVE}")
        return dict(zip(wanted, inputs, strict=True))

    def _use(self, use: Use, inputs: list[str], path: LayerPath) -> str:
        if use.operation is not None:
            return self._operate(use.operation, inputs, (*path, use.operation.name))
        return self._one(self._call(use.entry, inputs, path), use.entry)

    def _operate(self, operation: Operation, inputs: list[str], origin: LayerPath) -> str:
        if operation.channels is not None:
            return self._reorder(operation.channels, inputs[0], operation.name)
        for layer in operation.layers:
            if self.channels_first and any(isinstance(value, tuple) for value in layer.settings.values()):
                raise ModelError(
                    f"The operation {shown(operation.name)} has a number for each channel, which come first."
                )
            inputs = [self._add(layer, tuple(inputs), operation.name, origin)]
        return inputs[0]

    def _reorder(self, channels: tuple[int, ...], source: str, name: str) -> str:
        """Add a convolution of single cells whose weights are ones and zeros: each channel gets another place."""
        count = self._channels(source)
        order = channels or tuple(reversed(range(count)))
        if count and max(order) >= count:
            raise ModelError(f"{shown(name)} takes the channel {max(order)}, counted from 0, of an image of {count}.")
        if self.channels_first or not count:
            raise ModelError(
                f"{shown(name)} changes the order of something other than the image's channels, which is not done here."
            )
        self.note(f"The order of the channels is changed by a convolution of 1×1 with fixed weights, {name}.")
        settings, kernel = _reordering(order, count)
        made = self.step(Conv2D, settings, (source,), name, ())
        self.steps[made] = replace(self.steps[made], fixed=(kernel,))
        return made

    def _channels(self, source: str) -> int:
        """Return how many channels the image has, where a step still has the image's; else 0."""
        while source in self.steps and self.steps[source].kind.keeps_channels:
            source = self.steps[source].inputs[0]
        return self.image_channels.get(source, 0)

    def _one(self, outputs: list[str], entry: Config) -> str:
        if len(outputs) != 1:
            raise ModelError(f"The layer {shown(name_of(entry))} gives {len(outputs)} outputs; one is shown.")
        return outputs[0]

    def _call(self, entry: Config, inputs: list[str], path: LayerPath, called: str | None = None) -> list[str]:
        """Return the steps that give the outputs of a layer. called: their name; None is the layer's own."""
        name, kind = name_of(entry), entry["class_name"]
        called = called or name
        if not inputs:
            raise ModelError(f"The layer {shown(name)} reads nothing. {RESAVE}")
        if kind in MODELS:
            if (*path, name) in self.layers and (*path, name) not in self.repeated:
                self.repeated.add((*path, name))
                self.note(f"The model uses the model {shown(name)} several times; each use has layers of its own here.")
            outputs = self.model(entry, inputs, (*path, name))
            return outputs if called == name else [self._add(LayerConfig("Identity", {}), tuple(outputs), called, ())]
        if kind == LAMBDA:
            return [self._stand_in(name, tuple(inputs))]
        layer = migrate(LayerConfig(kind, settings_of(entry), self.era))
        if layer.kind in AUGMENTATIONS:
            self.note(f"{kind}, which changes pictures in training only, was left out.")
            return inputs
        self._note_precision(layer)
        origin = (*path, name)
        is_within_repeated = any(path[: len(model)] == model for model in self.repeated)
        if not is_within_repeated and any(step.origin == origin for step in self.steps.values()):
            self.note(f"The model uses the layer {shown(name)} several times; each use is a layer of its own here.")
        if layer.kind in COMPOSITES:
            return self._compose(layer, inputs, origin, called, is_trainable(entry))
        outputs = [self._add(layer, tuple(inputs), called, origin)]
        for after in layer.then:
            outputs = [self._add(after, tuple(outputs), f"{called}_{after.kind.lower()}", ())]
        return outputs

    def _stand_in(self, name: str, inputs: tuple[str, ...]) -> str:
        """Add what computes the same as a Lambda, as it was declared."""
        stand_in = as_layer(name, self.declared[name])
        if stand_in.channels is not None:
            self.note(f"Declared: the Lambda {shown(name)} changes the order of the channels.")
            inputs = (self._reorder(stand_in.channels, inputs[0], name),)
        return inputs[0] if stand_in.layer is None else self._add(stand_in.layer, inputs, name, ())

    def _compose(self, layer: LayerConfig, inputs: list[str], path: LayerPath, name: str, trainable: bool) -> list[str]:
        """Return the steps that give the outputs of a layer that is other layers here."""
        if len(path) > NESTED_MODELS:
            raise ModelError(f"The model holds more than {NESTED_MODELS} layers within each other.")
        settings = check_settings(COMPOSITES[layer.kind], name, layer.settings)
        try:
            composite = COMPOSITES[layer.kind](**settings)
        except TypeError as error:
            raise ModelError(
                f"The layer {shown(name)} ({layer.kind}) lacks settings that it needs. {RESAVE}"
            ) from error
        parts = composite.parts(len(inputs))
        for sentence in layer.notes:
            self.note(sentence)
        self.layers[path] = tuple(
            FileLayer(name_of(each.entry), str(each.entry["class_name"]), is_trainable(each.entry), each.place)
            for each in parts
            if each.place
        )
        self.distributed += isinstance(composite, Distribution)
        made: dict[int | str, list[str]] = {number: [source] for number, source in enumerate(inputs)}
        for part in parts:
            own = name_of(part.entry)
            read = [source for each in part.inputs for source in made[each]]
            made[own] = self._call(part.entry, read, path, name if part is parts[-1] else f"{name}_{own}")
        self.distributed -= isinstance(composite, Distribution)
        return made[name_of(parts[-1].entry)]

    def _add(self, layer: LayerConfig, inputs: tuple[str, ...], name: str, origin: LayerPath) -> str:
        for sentence in layer.notes:
            self.note(sentence)
        if layer.kind not in KINDS or KINDS[layer.kind].is_held:
            raise ModelError(f"The layer {shown(name)} is a {shown(layer.kind)}, which is no layer.")
        kind = KINDS[layer.kind]
        settings: LayerSettings = layer.settings
        if self.channels_first and inputs[0] not in self.flat:
            # Values are laid out in the order in which they lie, unless it was said that channels come first.
            if kind.makes_vector and kind.ignores_input_shape and settings.get("data_format") != "channels_first":
                inputs = (self.step(Permute, {"dims": (3, 1, 2)}, inputs, f"{name}_order", ()),)
            settings = _turn_channels_last(kind, name, settings)
        settings = check_settings(kind, name, settings)
        for _ in range(self.distributed):
            kind, settings = distribute(kind, settings)
        return self.step(kind, settings, inputs, name, origin)

    def _note_precision(self, layer: LayerConfig) -> None:
        dtype = layer.settings.get("dtype")
        if isinstance(dtype, dict):
            config = dtype.get("config")
            dtype = config.get("name") if isinstance(config, dict) else None
        if dtype not in (None, "float32"):
            self.note(f"The model computes in {shown(dtype)}; here it computes in 32-bit numbers.")

    def plan(self, output: str) -> Plan:
        """Return everything that the output depends on."""
        for source, reshaped in self.reshaped.items():
            self._drop_reshape(source, reshaped)
        steps = sort_as_keras(self.steps, output)
        kept = {step.name for step in steps}
        left = self.left_out + [step.name for step in self.steps.values() if step.origin and step.name not in kept]
        if left:
            self.note(f"Layers that the answer does not depend on were left out: {_listed(left)}.")
        return Plan(self.shape, self.source, steps, output, self.layers, self._sentences(), self.numbers)

    def _drop_reshape(self, source: str, reshaped: str) -> None:
        """Leave out the reshaping of an input where what follows gives the same without it."""
        readers = [step for step in self.steps.values() if reshaped in step.inputs]
        if all(step.kind.ignores_input_shape for step in readers):
            for step in readers:
                self.steps[step.name] = replace(step, inputs=(source,))

    def _sentences(self) -> tuple[str, ...]:
        counted = (
            f"{sentence[:-1]} ({count} layers)." if count > 1 else sentence for sentence, count in self.notes.items()
        )
        names = [
            f"The layer {shown(old)} is called {shown(new)} here, since TensorFlow refuses its name."
            for old, new in self.renamed.items()
        ]
        if more := names[_NAMES:]:  # every layer of a DenseNet
            names[_NAMES:] = [f"TensorFlow refuses the names of {len(more):,} more layers, which are changed likewise."]
        return (*counted, *names)


def are_channels_first(config: Config) -> bool:
    """Return whether some layer of the model says so, under the setting of any Keras."""
    waiting: list[Any] = [config]
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, dict):
            if thing.get("data_format") == "channels_first" or thing.get("dim_ordering") == "th":
                return True
            waiting.extend(thing.values())
        elif isinstance(thing, list):
            waiting.extend(thing)
    return False


def _turn_channels_last(kind: type[Layer], name: str, settings: LayerSettings) -> LayerSettings:
    """Return a layer's settings for images with their channels last: TensorFlow on a processor computes with no other.

    Raises: ModelError, where it cannot be turned.
    """
    if (turned := kind.turn_channels_last(settings)) is None:
        raise ModelError(
            f"The model keeps channels first, and its layer {shown(name)} ({kind.__name__}) cannot be turned to "
            "channels last. Convert the model, and save it again."
        )
    return turned


def _reordering(order: tuple[int, ...], channels: int) -> tuple[LayerSettings, Array]:
    """Return settings and kernel of a convolution that gives its input's channels in this order."""
    kernel = np.eye(channels, dtype=np.float32)[:, list(order)]
    settings = {"filters": len(order), "kernel_size": (1, 1), "use_bias": False}
    return settings, kernel.reshape(1, 1, channels, len(order))


def _several_outputs(graph: FunctionalGraph) -> str:
    names = [name for name, *_ in graph.outputs]
    return f"The model gives {len(names)} outputs: {_listed(names)}. The first, {shown(names[0])}, is the answer here."


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(map(shown, names[:_NAMES])) + more
