"""Edits of a network: what one mutes, and sets by hand."""

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
    "SetKernel",
    "SetPooling",
    "SetWeight",
    "Solo",
    "write_number",
]
