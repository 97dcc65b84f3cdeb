"""Edits of a network: what one mutes, and sets by hand."""

from .cells import SetCell
from .edit import Edit
from .edits import MOST_CHARACTERS, MOST_EDITS, Edits
from .mutes import Mute, Solo
from .numbers import write_number
from .pooling import SetPooling
from .weights import SetBias, SetKernel, SetWeight

__all__ = [
    "MOST_CHARACTERS",
    "MOST_EDITS",
    "Edit",
    "Edits",
    "Mute",
    "SetBias",
    "SetCell",
    "SetKernel",
    "SetPooling",
    "SetWeight",
    "Solo",
    "write_number",
]
