"""The microscope: how one cell got its value, drawn."""

from .numbers import ColouredNumber, colour_numbers
from .pictures import Link, Picture
from .sources import MAX_MATRIX_CELLS
from .terms import TermView
from .view import SHOWN_CONTRIBUTIONS, SHOWN_TERMS, MicroscopeView, view_inspection, view_inspections

__all__ = [
    "MAX_MATRIX_CELLS",
    "SHOWN_CONTRIBUTIONS",
    "SHOWN_TERMS",
    "ColouredNumber",
    "Link",
    "MicroscopeView",
    "Picture",
    "TermView",
    "colour_numbers",
    "view_inspection",
    "view_inspections",
]
