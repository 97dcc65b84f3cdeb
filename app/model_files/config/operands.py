"""Arguments of an operation as Keras 2 and Keras 3 write them: outputs of layers, numbers, and options."""

from dataclasses import dataclass
from typing import Any

from app.cnn.kinds.settings import UNITS, real, several
from app.model_files.config.allow_list import Config
from app.model_files.config.nodes import Reference, history, name_of, reference
from app.model_files.errors import RESAVE, ModelError, shown


@dataclass(frozen=True)
class Constant:
    """A finite number, or one for each channel."""

    values: float | tuple[float, ...]


Operand = Reference | Constant

# The names that TensorFlow and Keras have for the first operand and for the second.
_FIRST = ("x", "x1", "value")
_SECOND = ("y", "x2", "bias")
_VALUES = frozenset({"__numpy__", "__tensor__"})


@dataclass(frozen=True)
class Arguments:
    """One call of an operation."""

    operands: tuple[Any, ...]  # in order, as they are written
    options: dict[str, Any]  # whatever else it was called with that is not off


def arguments_of(node: Any, entry: Config) -> Arguments:
    """Return the arguments of one call. Raises: ModelError, where it is not written as Keras writes one."""
    positional, named = _written(node, name_of(entry))
    named = {key: value for key, value in named.items() if key != "name"}
    first = [named.pop(key) for key in _FIRST if key in named]
    second = [named.pop(key) for key in _SECOND if key in named]
    options = {key: value for key, value in named.items() if value is not None and value is not False}
    return Arguments((*first, *positional, *second), options)


def _written(node: Any, name: str) -> tuple[list[Any], dict[str, Any]]:
    if isinstance(node, dict):  # Keras 3
        positional, named = node.get("args"), node.get("kwargs") or {}
    else:
        positional, named = _written_by_keras_2(node)
    if not isinstance(positional, list) or not isinstance(named, dict):
        raise ModelError(f"The operation {shown(name)} is not called as Keras calls one. {RESAVE}")
    return positional, named


def _written_by_keras_2(node: Any) -> tuple[Any, Any]:
    """[layer, call, output, arguments], or ["_CONSTANT_VALUE", -1, number, arguments], alone or in a list."""
    if isinstance(node, list) and len(node) == 1:
        node = node[0]
    if not isinstance(node, list) or len(node) not in {3, 4}:
        return None, None
    named = node[3] if len(node) == 4 else {}
    return [node[2] if node[0] == "_CONSTANT_VALUE" else node[:3]], named


def operand(value: Any, name: str) -> Operand:
    """Return an operand: another layer's output, or numbers. Raises: ModelError.

    name: the operation's, for the sentence.
    """
    if (found := as_reference(value)) is not None:
        return found
    if isinstance(value, dict) and value.get("class_name") in _VALUES:
        value = value["config"].get("value") if isinstance(value.get("config"), dict) else None
    while isinstance(value, list) and len(value) == 1:  # an axis of one, which repeats
        value = value[0]
    try:
        return Constant(several(real, most=UNITS)(value) if isinstance(value, list) and value else real(value))
    except (ValueError, OverflowError):
        raise ModelError(
            f"The operation {shown(name)} is called with {shown(value)}; expected the output of a layer, a number, or "
            "a number for each channel."
        ) from None


def as_reference(value: Any) -> Reference | None:
    """Return the output of a layer that a value names, if it names one. Raises: ModelError, for one that cannot be."""
    if (found := history(value)) is not None:
        return reference(found)
    return reference(value) if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str) else None
