"""Layerglass: a drawing goes in, everything that the network made of it comes out."""

__version__ = "0.2.0"
