"""The graph of a functional model as Keras 1, 2 and 3 write it, and the part of it that the answer is made of."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

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
    operations: dict[Reference, Operation] = {}
    uses: dict[Reference, Use] = {}
    for entry in entries:
        name = name_of(entry)
        if is_operation(entry):
            found = {(name, number, 0): each for number, each in enumerate(parse_operations(entry))}
            operations |= found
            uses |= {at: Use(entry, []) for at in found}  # in the file's order; what they read is known below
        elif entry["class_name"] != "InputLayer":
            uses |= {(name, number, 0): Use(entry, call) for number, call in enumerate(calls(entry))}
    for at, operation in gather_channels(operations).items():
        uses[at] = Use(uses[at].entry, operation.inputs, operation)
    outputs = references(config.get("output_layers"))
    key = _key_of(uses, outputs)
    uses = {at: replace(use, inputs=key.all(use.inputs)) for at, use in uses.items()}
    inputs = tuple((name, 0, 0) for name, *_ in references(config.get("input_layers")))
    known = {name_of(entry) for entry in entries}
    if missing := [name for name, *_ in outputs if name not in known]:
        raise ModelError(f"The model's output {shown(missing[0])} is none of its layers. {RESAVE}")
    if not outputs:
        raise ModelError(f"The model gives no output. {RESAVE}")
    return FunctionalGraph(uses, inputs, tuple(key.all(outputs)))


@dataclass(frozen=True)
class _Key:
    """Normalises references to layers' outputs: the calls of a nested model are counted from 0 or 1, as the Keras does.

    Of one that is called once, the number is dropped.
    """

    calls: Mapping[str, int]  # of each nested model
    from_one: set[str]  # nested models whose calls are counted from 1

    def of(self, reference: Reference) -> Reference:
        name, call, output = reference
        if name not in self.calls:
            return reference
        return name, 0 if self.calls[name] == 1 else call - (name in self.from_one), output

    def all(self, references: Iterable[Reference]) -> list[Reference]:
        return [self.of(reference) for reference in references]


def _key_of(uses: Mapping[Reference, Use], outputs: Iterable[Reference]) -> _Key:
    """Find out how calls are counted: from 1, where one is named that would be one too many."""
    calls = Counter(name for (name, *_), use in uses.items() if use.entry["class_name"] in MODELS)
    named = [*outputs, *(reference for use in uses.values() for reference in use.inputs)]
    return _Key(calls, {name for name, call, _ in named if call >= calls[name] > 0})
