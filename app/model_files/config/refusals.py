"""What a config may hold that is not opened: told by its name, with the way out that works for it."""

import re
from typing import Any, NamedTuple

from ...cnn.kinds.activation_functions import FUNCTIONS
from ..errors import printable, shown
from .nodes import Config

_SET_WEIGHTS = "take the weights over with new.set_weights(old.get_weights()), and save that"
_REBUILD = f"Build the model from layers of Keras that compute the same, {_SET_WEIGHTS}."
_OTHER_INPUT = "Layerglass gives a model pictures and vectors, so bring a network that takes those."
_BEFORE_QUANTIZING = "Bring the model as it was saved before model.quantize(...)."
_BACK_FROM_INT8 = (
    f"{_BEFORE_QUANTIZING} Without that, build it anew, set each quantized kernel to layer.kernel / layer.kernel_scale "
    "and all other weights as they are, and save that."
)
_QKERAS = (
    "Where QKeras is, call qkeras.utils.model_save_quantized_weights(model, 'weights.h5'), build the same model of "
    "plain layers (Conv2D for QConv2D, ReLU for QActivation), load those weights and save it. "
    "Activations are not rounded then."
)


class _Refusal(NamedTuple):
    """A phrase for what it is, and a sentence with the way out."""

    what: str
    way_out: str


def _text(name: str) -> _Refusal:
    return _Refusal(f"a {name}, which reads words or categories", _OTHER_INPUT)


def _vocabulary(name: str) -> _Refusal:
    article = "an" if name[0] in "AEIOU" else "a"
    return _Refusal(f"{article} {name}, which reads words or categories and may read another file", _OTHER_INPUT)


_CLASSES = {
    "__lambda__": _Refusal(
        "a Python function of its author", "Layerglass runs no code from a file. Use a layer of Keras in its place."
    ),
    "TFSMLayer": _Refusal(
        "a TFSMLayer, which loads another file as code",
        "Bring the Keras model that this SavedModel was made from, saved with model.save('name.keras').",
    ),
    "TorchModuleWrapper": _Refusal(
        "a TorchModuleWrapper, which runs a pickle",
        "Build the same layers in Keras, set their weights from the module's, and save that.",
    ),
    **{name: _Refusal(f"a {name}, which is code of its author", _REBUILD) for name in ("JaxLayer", "FlaxLayer")},
    **{name: _vocabulary(name) for name in ("StringLookup", "IntegerLookup", "TextVectorization")},
    **{
        name: _text(name)
        for name in ("CategoryEncoding", "Hashing", "HashedCrossing", "Discretization", "FeatureSpace", "DenseFeatures")
    },
    "Embedding": _Refusal("an “Embedding”, which reads whole numbers such as words", _OTHER_INPUT),
    "KerasLayer": _Refusal(
        "a KerasLayer of TensorFlow Hub, whose graph is not in the file",
        "Build the model on the same network of keras.applications instead, and train its last layers again.",
    ),
    "PruneLowMagnitude": _Refusal(
        "a PruneLowMagnitude, which prunes a layer while it is trained",
        "Take it off and save again: tfmot.sparsity.keras.strip_pruning(model).save('name.h5').",
    ),
    "ClusterWeights": _Refusal(
        "a ClusterWeights, which clusters a layer's weights while it is trained",
        "Take it off and save again: tfmot.clustering.keras.strip_clustering(model).save('name.h5').",
    ),
    **{
        name: _Refusal(
            f"a {name}, which imitates 8-bit numbers while a model is trained",
            "Save the model before quantize_model(...), or build it of plain layers and set their weights from the "
            "wrapped layers'.",
        )
        for name in ("QuantizeLayer", "QuantizeWrapper", "QuantizeWrapperV2", "QuantizeAnnotate")
    },
}
_QUANTIZED = re.compile(r"(?:Int4|Int8|Float8|GPTQ|AWQ)\w*|Quantiz\w+|Quantized\w*DTypePolicy|AbsMaxQuantizer")
_MODE_LENGTH = 20
_QKERAS_CLASS = re.compile(
    r"Q(?:Conv|Dense|Depthwise|Separable|Activation|AdaptiveActivation|BatchNormalization|Average|Global|SimpleRNN|LSTM"
    r"|GRU|Bidirectional|Octave|Mobile|Initializer)\w*|(?:quantized|stochastic)_\w+|bernoulli|ternary|binary"
)
_OTHER_DIMENSIONS = re.compile(r"\w+([13])D(?:Transpose)?")
# Libraries of layers, by how a module or a registered name of theirs begins.
_LIBRARIES = {
    "tensorflow_addons": "TensorFlow Addons",
    "Addons>": "TensorFlow Addons",
    "keras_cv_attention_models": "Keras CV Attention Models",
    "kecam": "Keras CV Attention Models",
    "keras_cv": "KerasCV",
    "keras_hub": "KerasHub",
    "keras_nlp": "KerasNLP",
    "keras_contrib": "Keras-contrib",
    "segmentation_models": "Segmentation Models",
    "efficientnet": "EfficientNet of qubvel",
    "keras_resnet": "keras-resnet",
    "transformers": "Transformers",
    "tensorflow_hub": "TensorFlow Hub",
    "spektral": "Spektral",
    "kapre": "Kapre",
    "vit_keras": "vit-keras",
}


def describe_object(thing: Config, is_of_keras: bool) -> str:
    """Return the sentences that refuse an object of a config: what it is and where, and the way out.

    is_of_keras: its module is one of Keras, or none is named, and no author registered it.
    """
    name = thing.get("class_name")
    if name == "function":
        what, way_out = _describe_function(thing)
    elif isinstance(name, str) and (found := _find(name, thing, is_of_keras)):
        what, way_out = found
    else:
        what, way_out = _describe_class(thing), _REBUILD
    return f"{_holder(thing)} {what}. {way_out}"


def _find(name: str, thing: Config, is_of_keras: bool) -> _Refusal | None:
    plain = name.rpartition(">")[2]
    if found := _CLASSES.get(plain):
        return found
    if _QKERAS_CLASS.fullmatch(plain):
        return _Refusal(f"{shown(plain)} of QKeras, which rounds to few bits", _QKERAS)
    if _QUANTIZED.fullmatch(plain):
        mode = _mode_of(thing)
        way_out = _BACK_FROM_INT8 if mode == "int8" else _BEFORE_QUANTIZING
        return _Refusal(f"quantized weights ({mode or shown(plain)})", way_out)
    if library := _library_of(thing):
        return _Refusal(f"{shown(plain)} of the library {library}, whose code is not in the file", _REBUILD)
    if not is_of_keras:
        return None
    if match := _OTHER_DIMENSIONS.fullmatch(plain):
        shape = "sequences" if match[1] == "1" else "volumes"
        return _Refusal(f"{shown(plain)}, which computes on {shape} and which Layerglass does not know", _OTHER_INPUT)
    if thing.get("module") == "keras.layers":
        return _Refusal(f"{shown(plain)}, a layer of Keras that Layerglass does not know", _REBUILD)
    return None


def _mode_of(policy: Config) -> str | None:
    """Return how a policy quantizes, such as int8; None where it does not say."""
    config = policy.get("config")
    mode = config.get("mode") if isinstance(config, dict) else None
    return mode if isinstance(mode, str) and mode.isidentifier() and len(mode) < _MODE_LENGTH else None


def _describe_function(thing: Config) -> _Refusal:
    what = f"the function {shown(thing.get('config'))} of the module {shown(thing.get('module'))}"
    known = ", ".join(sorted(FUNCTIONS))
    return _Refusal(what, f"Layerglass runs no code from a file. Of functions it knows these activations: {known}.")


def _describe_class(thing: Config) -> str:
    name, module, registered = thing.get("class_name"), thing.get("module"), thing.get("registered_name")
    place = f" of the module {shown(module)}" if module is not None else ""
    as_what = f", registered as {shown(registered)}" if registered not in (None, name) else ""
    return f"{shown(name)}{place}{as_what}, which Layerglass does not know and whose code it would not run"


def _library_of(thing: Config) -> str | None:
    """Return the library that a class belongs to, by its module or the name that it is registered under."""
    for key in ("module", "registered_name", "class_name"):
        value = thing.get(key)
        for beginning, library in _LIBRARIES.items():
            if isinstance(value, str) and value.startswith(beginning):
                return library
    return None


def _holder(thing: Config) -> str:
    name = own_name(thing)  # which layers have, and hardly anything else
    return f"The layer {shown(name)} is" if name else "The model holds"


def own_name(thing: Config) -> str:
    """Return the name that an object of a config has for itself; empty where it has none."""
    config = thing.get("config")
    name = config.get("name") if isinstance(config, dict) else thing.get("name")
    return name.strip() if isinstance(name, str) else ""


def describe_model_class(model: Config) -> str:
    """Return the sentences that refuse a model of a class of its own."""
    name, config = model["class_name"], model["config"]
    if library := _library_of(model):
        of_library = f"The model is {shown(name)} of the library {library}, whose code is not in the file. "
        return of_library + "Where that library is, " + _as_functional(model)
    if isinstance(config, dict) and {"layers", "input_layers"} <= config.keys():
        return (
            f"The model is of the class {shown(name)}, Python code that the file does not hold. Where that code is, "
            "load it and save it without the class: keras.Model(model.inputs, model.outputs).save('name.keras')."
        )
    return (
        f"The model is of the class {shown(name)}, Python code that the file does not hold. Where that code is, "
        f"{_as_functional(model)}"
    )


def _as_functional(model: Config) -> str:
    return (
        "load it and save it as a functional model: "
        f"x = keras.Input(({_built_shape(model)})); keras.Model(x, model.call(x)).save('name.keras')."
    )


def _built_shape(model: Config) -> str:
    """Return the shape that the model was built for, as one writes it in Python; a usual one where it is not said."""
    build: Any = model.get("build_config")
    shape = build.get("input_shape") if isinstance(build, dict) else None
    if not isinstance(shape, list) or not 1 < len(shape) <= 4:
        return "28, 28, 1"
    return printable(", ".join(str(size)[:8] for size in shape[1:])) + ("," if len(shape) == 2 else "")
