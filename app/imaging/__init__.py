"""Bytes to arrays and arrays to bytes. NumPy, Pillow and the deflate library only."""
