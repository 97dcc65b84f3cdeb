"""The allow-list: every object that a config names, however deep, is checked against it before anything is built."""

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ...cnn.declared import DeclaredLambda
from ...cnn.kinds import ALIASES, AUGMENTATIONS, KINDS
from ...cnn.kinds.activation_functions import FUNCTIONS
from ..errors import RESAVE, ModelError, shown
from ..limits import CONFIG_BYTES, CONFIG_ITEMS, NESTING
from .called_functions import function_of, is_operation, is_operations_module, written_name
from .composites import COMPOSITES
from .lambdas import check_declared
from .nodes import LAMBDA, MODELS, Config, name_of
from .refusals import describe_model_class, describe_object, own_name

# Modules where Keras has kept its own layers, from Keras 2 on. They are compared, never imported.
_KERAS = r"(?:keras|tf_keras|tensorflow\.keras|tensorflow\.python\.keras|tensorflow_core\.keras|keras\.api|keras\.src)"
_PLACES = r"(?:\.(?:src|api|engine|layers|models|initializers|regularizers|constraints|dtype_policies|mixed_precision))"
_MODULE = re.compile(rf"{_KERAS}(?:{_PLACES}(?:\.[a-z0-9_]+){{0,3}})?")
_ACTIVATIONS_MODULE = re.compile(rf"{_KERAS}\.activations(?:\.activations)?")

# Layers that are no kind of their own here: app.model_files.config.migrations replaces them.
_MIGRATED = frozenset({"InputLayer", "Merge", "ThresholdedReLU", "FixedDropout"})
_INITIALIZERS = frozenset(
    [
        "Constant",
        "GlorotNormal",
        "GlorotUniform",
        "HeNormal",
        "HeUniform",
        "Identity",
        "IdentityInitializer",
        "LecunNormal",
        "LecunUniform",
        "Ones",
        "Orthogonal",
        "OrthogonalInitializer",
        "RandomNormal",
        "RandomUniform",
        "TruncatedNormal",
        "VarianceScaling",
        "Zeros",
    ]
)
_OLD_INITIALIZERS = {f"{name}{version}" for name in _INITIALIZERS for version in ("V1", "V2")}
_REGULARIZERS = frozenset(
    [
        "L1",
        "L2",
        "L1L2",
        "OrthogonalRegularizer",
        "WeightRegularizer",
        "ActivityRegularizer",
        "NonNeg",
        "MaxNorm",
        "UnitNorm",
        "MinMaxNorm",
    ]
)
_POLICIES = frozenset({"DTypePolicy", "FloatDTypePolicy", "Policy"})
# What stands for a value among the arguments of a call. None is ever made: what is used is read as data.
_ARGUMENTS = frozenset({"__keras_tensor__", "__tuple__", "__tensor__", "__numpy__", "__ellipsis__", "__slice__"})
_LAYERS = KINDS.keys() | ALIASES.keys() | AUGMENTATIONS | MODELS | COMPOSITES.keys() | _MIGRATED
CLASSES = _LAYERS | _INITIALIZERS | _OLD_INITIALIZERS | _REGULARIZERS | _POLICIES | _ARGUMENTS

_WAY_OUT = (
    "Layerglass builds only layers of Keras that it knows, and runs no code from a file. Build the model from layers "
    "of Keras that compute the same, set the weights, and save it again."
)


def parse_config(text: bytes | str, what: str = "The model's config") -> Config:
    """Parse JSON into a dictionary. Raises: ModelError, where it is no JSON, too long or too deep."""
    if len(text) > CONFIG_BYTES:
        raise ModelError(f"{what} has {len(text):,} bytes; at most {CONFIG_BYTES:,} are read.")
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{what} is not JSON that can be read. {RESAVE}") from error
    if not isinstance(config, dict):
        raise ModelError(f"{what} does not describe a model. {RESAVE}")
    _measure(config, what)
    return config


def _measure(config: Config, what: str) -> None:
    level: list[Any] = [config]
    items = 0
    for _ in range(NESTING):
        items += len(level)
        if items > CONFIG_ITEMS:
            raise ModelError(f"{what} holds more than {CONFIG_ITEMS:,} entries, more than any model's.")
        level = [each for thing in level for each in _children(thing)]
        if not level:
            return
    raise ModelError(f"{what} nests more than {NESTING} deep, deeper than any model's.")


def _children(thing: Any) -> list[Any]:
    if isinstance(thing, dict):
        return list(thing.values())
    return thing if isinstance(thing, list) else []


def check_config(config: Config, declared: Mapping[str, DeclaredLambda] = MappingProxyType({})) -> Config:
    """Return the config without how it was compiled, every object in it on the allow-list.

    How a model was compiled (loss, metrics, optimizer) matters in training only, and is never read; nor is what a
    Lambda layer holds. declared: what Lambda layers compute.
    Raises: ModelError; UndeclaredLambdas, where nothing else than Lambdas keeps the model from being opened.
    """
    kept = {key: value for key, value in config.items() if key != "compile_config"}
    if not isinstance(kept.get("class_name"), str) or "config" not in kept:
        raise ModelError(f"The model's config does not say what the model is. {RESAVE}")
    if kept["class_name"] not in MODELS:
        raise ModelError(describe_model_class(kept))
    lambdas = _check(kept)
    names = [name_of(each) for each in lambdas]
    functions = {name: function for name, each in zip(names, lambdas, strict=True) if (function := _function(each))}
    check_declared(names, declared, functions)
    return kept


def _check(config: Config) -> list[Config]:
    """Check every object, and return the Lambda layers in the file's order, what they hold left unread."""
    waiting: list[Any] = [config]
    lambdas = []
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, dict) and thing.get("class_name") == LAMBDA and "config" in thing:
            lambdas.append(thing)
            thing = {key: value for key, value in thing.items() if key not in _OF_LAMBDA}
        elif isinstance(thing, dict):
            _check_object(thing)
        waiting.extend(reversed(_children(thing)))
    return lambdas


_OF_LAMBDA = ("class_name", "module", "registered_name", "config")  # unread, so whatever they say


def _function(layer: Config) -> str | None:
    """Return the name of a Lambda's function, where the file has a name for it."""
    config = layer["config"]
    function = config.get("function") if isinstance(config, dict) else None
    if isinstance(function, dict) and function.get("class_name") == "function":
        function = function.get("config")
    return function if isinstance(function, str) and function.isidentifier() else None


def _check_object(thing: Config) -> None:
    # "module" and "registered_name" make an object of anything, so one of them is enough to be looked at.
    if not {"class_name", "module", "registered_name"} & thing.keys():
        return
    name = thing.get("class_name")
    if is_activation(thing):
        return
    if isinstance(name, str) and is_operation(thing):
        _check_operation(thing)
        return
    module, registered = thing.get("module"), thing.get("registered_name")
    if not isinstance(name, str) or name not in CLASSES:
        raise ModelError(describe_object(thing, _is_of_keras(module) and registered in (None, name)))
    if isinstance(registered, str) and ">" in registered and _is_known_as(registered, name):
        return
    if not _is_of_keras(module):
        raise ModelError(f"The model names {shown(name)} in {shown(module)}, no module of Keras. {_WAY_OUT}")
    if registered not in (None, name):
        raise ModelError(f"The model holds {shown(registered)}, a class of its author's own. {_WAY_OUT}")


def _is_known_as(registered: str, name: str) -> bool:
    return ALIASES.get(registered) == name or (registered in COMPOSITES and registered.endswith(f">{name}"))


def _check_operation(thing: Config) -> None:
    if function_of(thing) is None:
        raise ModelError(
            f"The model calls the function {shown(written_name(thing))} in its operation {shown(own_name(thing))}, "
            f"which Layerglass does not know. {_WAY_OUT}"
        )
    name, module, registered = thing["class_name"], thing.get("module"), thing.get("registered_name")
    if registered not in (None, name):
        raise ModelError(f"The model holds {shown(registered)}, a class of its author's own. {_WAY_OUT}")
    is_known = module is None or is_operations_module(module) or (isinstance(module, str) and _MODULE.fullmatch(module))
    if not is_known:
        raise ModelError(f"The model names {shown(name)} in {shown(module)}, no module of Keras. {_WAY_OUT}")


def _is_of_keras(module: Any) -> bool:
    """Return whether a module is where Keras keeps its own layers; an old file names none."""
    return module is None or (isinstance(module, str) and _MODULE.fullmatch(module) is not None)


def is_activation(thing: Any) -> bool:
    """Return whether this is an activation function of Keras, written as a function object."""
    if not isinstance(thing, dict) or thing.get("class_name") != "function":
        return False
    module, name, registered = thing.get("module"), thing.get("config"), thing.get("registered_name")
    if module not in (None, "builtins") and not (isinstance(module, str) and _ACTIVATIONS_MODULE.fullmatch(module)):
        return False
    return isinstance(name, str) and name in FUNCTIONS and registered in (None, "function", name)
