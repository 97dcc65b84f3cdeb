"""Mutations of bytes (flipped, cut, repeated, spliced, with extreme numbers) and of JSON."""

import random
import struct
from collections.abc import Callable
from typing import Any

_NUMBERS = (0, 1, 2, 127, 128, 255, 256, 4096, 4097, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_FORMS = ("<B", ">H", "<H", ">I", "<I")
_MAX_CHANGES = 4
_HEADER = 64  # bytes, in which half of all changes are made: most of what a decoder decides is told there

VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 2, 10**9, 10**30, 0.5, float("inf"), "", "same", "relu", "x" * 10_000, "../../x", "\x00",
    [], [[]], [1, 2], [0, 0], [None, None, 1],
    {}, {"class_name": "Lambda", "config": {}}, {"class_name": "Dense", "config": {"units": 2}},
)  # fmt: skip


def mutate(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """Change bytes in one to four ways. others: the source of spliced pieces."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, _MAX_CHANGES)):
        chance.choice(_CHANGES)(changed, others, chance)
    return bytes(changed)


def change_value(tree: Any, chance: random.Random) -> Any:
    """Replace, remove or double one value anywhere in a JSON document."""
    places = list(_places(tree))
    if not places:
        return chance.choice(VALUES)
    holder, key = chance.choice(places)
    dice = chance.random()
    if dice < 0.15:
        del holder[key]
    elif dice < 0.25 and isinstance(holder, list):
        holder.insert(key, holder[key])
    else:
        holder[key] = chance.choice(VALUES)
    return tree


def _places(tree: Any) -> Any:
    for key in tree if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ():
        yield tree, key
        yield from _places(tree[key])


def _place(data: bytearray, chance: random.Random) -> int:
    end = len(data) if chance.random() < 0.5 else min(len(data), _HEADER)
    return chance.randrange(end) if end else 0


def _flip(data: bytearray, _: list[bytes], chance: random.Random) -> None:
    if data:
        data[_place(data, chance)] ^= 1 << chance.randrange(8)


def _overwrite(data: bytearray, _: list[bytes], chance: random.Random) -> None:
    at, count = _place(data, chance), chance.randint(1, 8)
    data[at : at + count] = chance.randbytes(count)


def _put_number(data: bytearray, _: list[bytes], chance: random.Random) -> None:
    form, at = chance.choice(_FORMS), _place(data, chance)
    size = struct.calcsize(form)
    data[at : at + size] = struct.pack(form, chance.choice(_NUMBERS) & (256**size - 1))


def _cut(data: bytearray, _: list[bytes], chance: random.Random) -> None:
    del data[_place(data, chance) :]


def _remove(data: bytearray, _: list[bytes], chance: random.Random) -> None:
    at = _place(data, chance)
    del data[at : at + chance.randint(1, 64)]


def _repeat(data: bytearray, _: list[bytes], chance: random.Random) -> None:
    at = _place(data, chance)
    data[at:at] = data[at : at + chance.randint(1, 64)] * chance.randint(1, 16)


def _splice(data: bytearray, others: list[bytes], chance: random.Random) -> None:
    other, at = chance.choice(others), _place(data, chance)
    start = chance.randrange(len(other))
    data[at:] = other[start : start + chance.randint(1, len(other))]


_Change = Callable[[bytearray, list[bytes], random.Random], None]
_CHANGES: tuple[_Change, ...] = (_flip, _flip, _overwrite, _put_number, _put_number, _cut, _remove, _repeat, _splice)
