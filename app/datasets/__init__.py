"""Data that comes with Layerglass: real handwritten digits, and the names of classes."""
