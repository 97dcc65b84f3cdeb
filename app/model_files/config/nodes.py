"""The graph of a functional model as files write it, in the layouts of Keras 1, 2 and 3."""

from typing import Any

from ...cnn.kinds import AUGMENTATIONS
from ..errors import RESAVE, ModelError, shown
from ..limits import LAYERS

Config = dict[str, Any]

LAMBDA = "Lambda"
MODELS = frozenset({"Sequential", "Functional", "Model"})

Reference = tuple[str, int, int]  # layer, which of its calls, which of its outputs
Call = list[Reference]  # what a layer reads, the one time


def layers_of(model: Config) -> list[Config]:
    """Return the layers of a model's config, in the file's order. Raises: ModelError."""
    config = model["config"]
    # Keras 1 and early Keras 2 wrote a Sequential model as a bare list.
    entries = config.get("layers") if isinstance(config, dict) else config
    if not isinstance(entries, list) or not entries:
        raise ModelError(f"The model's config lists no layers. {RESAVE}")
    if len(entries) > LAYERS:
        raise ModelError(f"The model has {len(entries):,} layers; at most {LAYERS:,} are read.")
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("class_name"), str) or "config" not in entry:
            raise ModelError(f"The model's config lists something that is not a layer. {RESAVE}")
    names = [name_of(entry) for entry in entries]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ModelError(f"The model has two layers of the name {shown(twice)}. {RESAVE}")
    return entries


def name_of(entry: Config) -> str:
    """Return a layer's own name in the file. Raises: ModelError."""
    config = entry["config"]
    name = entry.get("name") or (config.get("name") if isinstance(config, dict) else None)
    if name is None and entry["class_name"] in MODELS:
        return "model"
    if not isinstance(name, str) or not name.strip():
        raise ModelError(f"A layer of the class {shown(entry['class_name'])} has no name. {RESAVE}")
    return name


def settings_of(entry: Config) -> Config:
    """Return a layer's own config. Raises: ModelError."""
    config = entry["config"]
    if not isinstance(config, dict):
        raise ModelError(f"The layer {shown(name_of(entry))} has no settings. {RESAVE}")
    return config


def is_trainable(entry: Config) -> bool:
    """Return whether training changes the layer, or the model."""
    config = entry["config"]
    return not isinstance(config, dict) or config.get("trainable") is not False


def references(struct: Any, reader: str = "") -> list[Reference]:
    """Return all outputs that a list of them names: [["conv", 0, 0], ...], or one alone, or by key.

    reader: the layer that reads them, for a sentence.
    """
    if isinstance(struct, dict):
        return [found for value in struct.values() for found in references(value, reader)]
    if not isinstance(struct, list):
        raise ModelError(f"The model's graph is not written as Keras writes one. {RESAVE}")
    if len(struct) in {3, 4} and isinstance(struct[0], str):
        return [reference(struct, reader)]
    return [found for value in struct for found in references(value, reader)]


def reference(entry: list[Any], reader: str = "") -> Reference:
    """Return an output as (layer, call, output); the arguments of the call may follow. Raises: ModelError."""
    name, call, output = entry[:3]
    if not isinstance(name, str) or not all(isinstance(number, int) for number in (call, output)):
        raise ModelError(f"The model's graph is not written as Keras writes one. {RESAVE}")
    if output != 0:
        raise ModelError(f"The model reads the second output of the layer {shown(name)}; layers here have one.")
    _check_arguments(entry[3] if len(entry) == 4 else {}, reader or name)
    return name, call, output


def calls(entry: Config) -> list[Call]:
    """Return what a layer reads, each time that it is called. Raises: ModelError."""
    nodes = entry.get("inbound_nodes")
    if not isinstance(nodes, list):
        raise ModelError(f"The layer {shown(name_of(entry))} is in no graph. {RESAVE}")
    read = _call_of_query if entry["class_name"] in _QUERIED else _call
    return [read(node, entry) for node in nodes]


def _call(node: Any, entry: Config) -> Call:
    return _call_of_keras_3(node, entry) if isinstance(node, dict) else references(node, name_of(entry))


# Layers that are called with several tensors, in this order or by name, and not with a list of them.
_QUERIED = frozenset({"MultiHeadAttention", "GroupQueryAttention", "GroupedQueryAttention"})
_QUERY = ("query", "value", "key")


def _call_of_query(node: Any, entry: Config) -> Call:
    """Return query, value and, where there is one, key. Raises: ModelError."""
    name, written = name_of(entry), node
    if isinstance(written, list) and len(written) == 1 and isinstance(written[0], list):
        written = written[0]  # Keras 2: layer, call and output of the query, and the other arguments
    if isinstance(written, list) and len(written) in {3, 4}:
        written = {"args": [written[:3]], "kwargs": written[3] if len(written) == 4 else {}}
    positional, named = (written.get("args"), written.get("kwargs")) if isinstance(written, dict) else (None, None)
    if not isinstance(positional, list) or not isinstance(named, dict):
        raise ModelError(f"The layer {shown(name)} is not called as Keras calls one. {RESAVE}")
    tensors = positional + [named[key] for key in _QUERY if named.get(key) is not None]
    # What it attended to would be its second output.
    rest = {key: value for key, value in named.items() if key not in (*_QUERY, "return_attention_scores")}
    _check_arguments(rest, name)
    histories = [history(each) or each for each in tensors]
    if not all(isinstance(each, list) and len(each) == 3 for each in histories):
        raise ModelError(f"The layer {shown(name)} is called with something other than the output of layers.")
    return [reference(each, name) for each in histories]


def _call_of_keras_3(node: Config, entry: Config) -> Call:
    name = name_of(entry)
    _check_arguments(node.get("kwargs") or {}, name, trains=entry["class_name"] in _PREPROCESSING)
    arguments = node.get("args")
    if isinstance(arguments, list) and len(arguments) == 1:
        tensors = arguments[0] if isinstance(arguments[0], list) else arguments
        histories = [history(tensor) for tensor in tensors]
        if all(histories):
            return [reference(history) for history in histories if history]
    raise ModelError(f"The layer {shown(name)} is called with something other than the output of layers.")


def history(tensor: Any) -> list[Any] | None:
    """Return the layer, call and output that a tensor of Keras 3 is; None where it is no tensor."""
    if not isinstance(tensor, dict) or tensor.get("class_name") != "__keras_tensor__":
        return None
    config = tensor.get("config")
    history = config.get("keras_history") if isinstance(config, dict) else None
    return history if isinstance(history, list) and len(history) == 3 else None


# Keras writes training=True into every call of these, and goes by what the model itself is told when it runs.
_PREPROCESSING = AUGMENTATIONS | {"Resizing", "CenterCrop"}


def _check_arguments(arguments: Any, name: str, trains: bool = False) -> None:
    """Accept only what changes nothing when a trained model runs: training=False, mask=None. Raises: ModelError.

    trains: training=True changes nothing either.
    """
    if not isinstance(arguments, dict):
        raise ModelError(f"The layer {shown(name)} is not called as Keras calls one. {RESAVE}")
    for key, value in arguments.items():
        if key == "training" and value is True and trains:
            continue
        if key == "training" and value is True:
            raise ModelError(f"The layer {shown(name)} always runs as in training, so its answers would be random.")
        if value is not None and value is not False:
            raise ModelError(f"The layer {shown(name)} is called with {shown(key)}, which Layerglass does not know.")
