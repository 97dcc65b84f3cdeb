"""The graph of a functional model as Keras 1, 2 and 3 write it, and the part of it that the answer is made of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..errors import RESAVE, ModelError, shown
from .called_functions import is_operation
from .nodes import MODELS, Config, Reference, calls, layers_of, name_of, references
from .operations import Operation, gather_channels, parse_operations


@dataclass(frozen=True)
class Use:
    """One call of a layer, or of an operation."""

    entry: Config
    inputs: list[Reference]
    operation: Operation | None = None


@dataclass(frozen=True)
class FunctionalGraph:
    """A functional model's graph."""

    uses: Mapping[Reference, Use]  # what makes each output
    inputs: tuple[Reference, ...]
    outputs: tuple[Reference, ...]  # the first is the answer

    @property
    def answer(self) -> Reference:
        return self.outputs[0]

    def needed(self) -> dict[Reference, Use]:
        """Return the calls that the answer depends on, in the file's order."""
        sources = self._sources()
        return {key: use for key, use in self.uses.items() if key in sources}

    def left_out(self) -> list[str]:
        """Return the layers that the answer does not depend on; a channel that was stacked with others is no layer."""
        needed = {name for name, *_ in self._sources()}
        unused = {key[0]: use for key, use in self.uses.items() if key[0] not in needed}
        return [name for name, use in unused.items() if use.operation is None or use.operation.channel is None]

    def inputs_needed(self) -> tuple[Reference, ...]:
        """Return the inputs that the answer depends on."""
        sources = self._sources()
        return tuple(key for key in self.inputs if key in sources)

    def _sources(self) -> set[Reference]:
        found: set[Reference] = set()
        waiting = [self.answer]
        while waiting:
            key = waiting.pop()
            if key not in found:
                found.add(key)
                waiting.extend(self.uses[key].inputs if key in self.uses else ())
        return found


def parse_graph(model: Config) -> FunctionalGraph:
    """Return the graph of a functional model's config. Raises: ModelError."""
    entries, config = layers_of(model), model["config"]
    key = _Key({name_of(entry) for entry in entries if entry["class_name"] in MODELS})
    operations: dict[Reference, Operation] = {}
    uses: dict[Reference, Use] = {}
    for entry in entries:
        name = name_of(entry)
        if is_operation(entry):
            found = {(name, number, 0): each for number, each in enumerate(parse_operations(entry))}
            operations |= found
            uses |= {at: Use(entry, []) for at in found}  # in the file's order; what they read is known below
        elif entry["class_name"] != "InputLayer":
            made = calls(entry)
            if name in key.single and len(made) > 1:
                raise ModelError(f"The model uses the model {shown(name)} several times, within itself.")
            uses |= {key.of((name, number, 0)): Use(entry, key.all(call)) for number, call in enumerate(made)}
    for at, operation in gather_channels(operations).items():
        uses[at] = Use(uses[at].entry, key.all(operation.inputs), operation)
    inputs = tuple((name, 0, 0) for name, *_ in references(config.get("input_layers")))
    outputs = tuple(key.all(references(config.get("output_layers"))))
    known = {name_of(entry) for entry in entries}
    if missing := [name for name, *_ in outputs if name not in known]:
        raise ModelError(f"The model's output {shown(missing[0])} is none of its layers. {RESAVE}")
    if not outputs:
        raise ModelError(f"The model gives no output. {RESAVE}")
    return FunctionalGraph(uses, inputs, outputs)


@dataclass(frozen=True)
class _Key:
    """Normalises references to layers' outputs.

    A nested model counts its calls from 0 or 1, depending on the Keras; it has one, so the number is dropped.
    """

    single: set[str]

    def of(self, reference: Reference) -> Reference:
        return (reference[0], 0, reference[2]) if reference[0] in self.single else reference

    def all(self, references: Iterable[Reference]) -> list[Reference]:
        return [self.of(reference) for reference in references]
