"""Models written as protocol buffers, which have no signature: ONNX, SavedModel, graph, Core ML, Caffe.

They are told by the numbers and the kinds of their first fields. A message is read no deeper than four levels.
"""

from collections.abc import Iterator
from typing import NamedTuple

from .sample import Sample
from .sentences import CORE_ML, ONNX, REBUILD, SAVED_MODEL, SAVED_MODEL_OF_KERAS_2

_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5
_FIELDS = 6  # that are looked at
_SEARCHED = 2**25  # bytes in which the mark of Keras 2 is looked for
_KERAS_2 = b"_tf_keras_"
_LATEST_ONNX, _LATEST_CORE_ML = 40, 40  # versions, with some to come
_GRAPH = (
    "This is a TensorFlow graph whose weights are frozen into it, without the layers of the model. Bring the Keras "
    "model that it came from, saved with model.save('name.keras'); if there is none, build the same layers in Keras "
    "and set their weights from the graph's constants."
)
_CAFFE = "This is a Caffe model. " + REBUILD


class _Field(NamedTuple):
    """One field of a message: its number, and its value."""

    number: int
    value: int | bytes


def describe_protocol_buffer(sample: Sample) -> str | None:
    """Return the sentence about a model that is a protocol buffer; None for anything else."""
    fields = list(_fields(sample.head))
    if not fields:
        return None
    first = fields[0]
    if isinstance(first.value, int):
        return _describe_versioned(sample, first, fields[1:])
    if first.number == 1 and _starts_as_node(first.value):
        return _GRAPH
    is_named_net = first.number == 1 and _is_name(first.value) and len(fields) > 1
    if is_named_net and all(field.number in {2, 100} for field in fields[1:]):
        return _CAFFE
    return None


def _describe_versioned(sample: Sample, version: _Field, rest: list[_Field]) -> str | None:
    """Tell the three apart that begin with their version, field 1, by what follows it."""
    assert isinstance(version.value, int)
    if version.number != 1 or not rest or not isinstance(rest[0].value, bytes):
        return None
    number, value = rest[0]
    assert isinstance(value, bytes)
    if number == 2 and value and not _is_name(value):
        inner = next(_fields(value), None)
        if inner is None or not isinstance(inner.value, bytes):
            return None
        if inner.number == 1 and _begins_with_name(inner.value) and 0 < version.value < _LATEST_CORE_ML:
            return CORE_ML
        return _describe_saved_model(sample) if version.value == 1 else None
    if 0 < version.value < _LATEST_ONNX and number in {2, 3, 4, 6, 7, 8}:
        return ONNX
    return None


def _describe_saved_model(sample: Sample) -> str:
    return SAVED_MODEL_OF_KERAS_2 if _KERAS_2 in sample.read(_SEARCHED) else SAVED_MODEL


def _begins_with_name(message: bytes) -> bool:
    """Return whether a message's field 1 is a name, as in Core ML's description of an input."""
    first = next(_fields(message), None)
    return first is not None and first.number == 1 and isinstance(first.value, bytes) and _is_name(first.value)


def _starts_as_node(message: bytes) -> bool:
    """Return whether a message has a name and then the name of an operation, as a graph's node."""
    fields = list(_fields(message))[:2]
    return [field.number for field in fields] == [1, 2] and all(
        isinstance(field.value, bytes) and _is_name(field.value) for field in fields
    )


def _is_name(value: bytes) -> bool:
    return bool(value) and value.isascii() and value.decode("ascii").isprintable()


def _fields(message: bytes) -> Iterator[_Field]:
    """Yield the first fields of a message, the last of them cut where the message is. Stop at what is none."""
    place = 0
    for _ in range(_FIELDS):
        key, place = _varint(message, place)
        kind, number = key & 7, key >> 3
        if place > len(message) or not 0 < number < 2**29:
            return
        if kind == _VARINT:
            value, place = _varint(message, place)
            yield _Field(number, value)
        elif kind == _BYTES:
            size, place = _varint(message, place)
            if place > len(message):
                return
            yield _Field(number, message[place : place + size])
            place += size
        elif kind in {_EIGHT_BYTES, _FOUR_BYTES}:
            place += 8 if kind == _EIGHT_BYTES else 4
        else:
            return
        if place >= len(message):
            return


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """Return the number at a place, and the place after it; beyond the end where there is none."""
    value = 0
    for index, byte in enumerate(data[place : place + 10]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, place + index + 1
    return 0, len(data) + 1
