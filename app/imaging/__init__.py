"""Bytes to arrays and arrays to bytes. NumPy and Pillow only."""
