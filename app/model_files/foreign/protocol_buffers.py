"""Models written as protocol buffers, which have no signature: ONNX, SavedModel, TensorFlow graph, Core ML.

They are told by the numbers and the kinds of their first fields, as the .proto files of these formats number them.
"""

from collections.abc import Iterator
from typing import NamedTuple

from .sentences import CORE_ML, GRAPH, ONNX, SAVED_MODEL, SAVED_MODEL_OF_KERAS_2

_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5
_FIELDS = 6  # that are looked at
_HEAD = 2**16  # bytes that are taken apart
_KERAS_2 = b"_tf_keras_"  # in the objects of a SavedModel
_LATEST = 40  # version of ONNX and Core ML, with some to come


class _Field(NamedTuple):
    """One field of a message: its number, and its value."""

    number: int
    value: int | bytes


def describe_protocol_buffer(data: bytes) -> str | None:
    """Return the sentence about a model that is a protocol buffer; None for anything else."""
    first, second, *_ = (*_fields(data[:_HEAD]), None, None)
    if first is None or first.number != 1:
        return None
    if isinstance(first.value, bytes):
        return GRAPH if _starts_as_node(first.value) else None
    if second is None or not isinstance(second.value, bytes) or not 0 < first.value < _LATEST:
        return None
    return _describe_versioned(data, first.value, second.number, second.value)


def _describe_versioned(data: bytes, version: int, number: int, value: bytes) -> str | None:
    """Tell the three apart that begin with their version, field 1, by the field that follows it."""
    if number != 2 or _is_name(value):  # of ONNX the name of what wrote it, which may be left out
        return ONNX if number in {2, 3, 4, 6, 7, 8} else None
    inner = next(_fields(value), None)
    if inner is None or not isinstance(inner.value, bytes):
        return None
    if inner.number == 1 and _begins_with_name(inner.value):
        return CORE_ML
    if version != 1:
        return None
    return SAVED_MODEL_OF_KERAS_2 if _KERAS_2 in data else SAVED_MODEL


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
