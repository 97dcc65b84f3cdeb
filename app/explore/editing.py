"""What is edited of a network, in words, and what can be edited of a map or a unit."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from ..cnn.edits import Edits, Mute, SetBias, SetCell, SetKernel, SetPooling, Solo, write_number
from ..cnn.errors import InvalidEdit
from ..cnn.kinds import Layer
from ..cnn.network import Network
from ..cnn.types import PoolingMode
from .inspection import Inspection

_MOST_KERNELS, _MOST_NUMBERS = 4, 49  # of a map, and of each of them: more are set by the API


@dataclass(frozen=True)
class MadeEdit:
    """One edit: its text, what it changes, and that in words."""

    text: str
    layer: str
    words: str


@dataclass(frozen=True)
class Switch:
    """An edit that is made or not."""

    text: str
    is_made: bool


@dataclass(frozen=True)
class Numbers:
    """What an edit sets: its text as far as the equals sign, and the numbers now, row by row."""

    target: str
    rows: list[list[str]]
    channel: int = 0  # that a kernel reads


@dataclass(frozen=True)
class Editing:
    """What can be edited of a map, or a unit: None for what cannot."""

    mute: Switch | None
    solo: Switch | None
    bias: Numbers | None
    kernels: list[Numbers]
    pooling: str | None  # the text as far as the equals sign
    own_mode: PoolingMode | None  # that the layer was given
    cell: Numbers | None
    set_cell: str | None  # the edit that sets this cell, where one is made
    is_silent: bool  # it is muted, or others are heard alone: its weights are zeros, and not to be set

    @property
    def is_possible(self) -> bool:
        return bool(self.mute or self.bias or self.kernels or self.pooling or self.cell)


def list_edits(network: Network, edits: Edits) -> list[MadeEdit]:
    """Return the edits that are made in a network."""
    words = edits.describe(network.layers)
    return [MadeEdit(edit.write(), edit.layer, each) for edit, each in zip(edits, words, strict=True)]


def find_editing(
    network: Network, layer: Layer, inspection: Inspection, edits: Edits, channels: Iterable[int]
) -> Editing:
    """Return what can be edited of a map or a unit, and of one cell. edits: made. channels: whose kernels are shown."""
    place = inspection.place
    number = place.channel if layer.is_spatial else place.column
    cell = SetCell(layer.name, (number, place.row, place.column) if layer.is_spatial else (number,), inspection.value)
    set_cells = [edit.write() for edit in edits if edit.target == cell.target]
    made = {edit.write() for edit in edits}
    mute, solo = (kind(layer.name, number).write() for kind in (Mute, Solo))
    modes = [edit.mode for edit in edits if isinstance(edit, SetPooling) and edit.layer == layer.name]
    is_silent = _is_silent(layer, number, edits)
    # Those that are set stay in view while they are, in an order in which none changes its place.
    own = [
        edit.channel for edit in edits if isinstance(edit, SetKernel) and (edit.layer, edit.map) == (layer.name, number)
    ]
    shown = [] if is_silent else sorted([*dict.fromkeys([*own, *channels])][:_MOST_KERNELS])
    kernels = [_read_kernel(network, layer, number, channel) for channel in shown]
    return Editing(
        Switch(mute, mute in made) if layer.can_mute else None,
        Switch(solo, solo in made) if layer.can_mute else None,
        None if is_silent else _read_bias(network, layer, number),
        [each for each in kernels if each],
        _target(SetPooling(layer.name, PoolingMode.MAX).write()) if layer.pin_pooling(PoolingMode.MAX) else None,
        next(iter(modes), None),
        _read_cell(layer, cell),
        next(iter(set_cells), None),
        is_silent,
    )


def _is_silent(layer: Layer, number: int, edits: Edits) -> bool:
    own = [edit for edit in edits if edit.layer == layer.name]
    heard = {edit.map for edit in own if isinstance(edit, Solo)}
    return any(isinstance(edit, Mute) and edit.map in (None, number) for edit in own) or (
        bool(heard) and number not in heard
    )


def _read_cell(layer: Layer, cell: SetCell) -> Numbers | None:
    with suppress(InvalidEdit):
        cell.require_in(layer)
        return Numbers(_target(cell.write()), [[write_number(cell.value)]])
    return None


def _read_bias(network: Network, layer: Layer, number: int) -> Numbers | None:
    with suppress(InvalidEdit):
        name, place = layer.bias_place(number)
        value = float(network.weights(layer)[name][place])
        return Numbers(_target(SetBias(layer.name, number, value).write()), [[write_number(value)]])
    return None


def _read_kernel(network: Network, layer: Layer, number: int, channel: int) -> Numbers | None:
    with suppress(InvalidEdit):
        name, place = layer.kernel_place(number, channel)
        kernel = network.weights(layer)[name][place]
        if kernel.ndim == 2 and kernel.size <= _MOST_NUMBERS:
            rows = [[write_number(value) for value in row] for row in kernel.tolist()]
            return Numbers(_target(SetKernel(layer.name, number, channel, ()).write()), rows, channel)
    return None


def _target(text: str) -> str:
    return text.partition("=")[0]
