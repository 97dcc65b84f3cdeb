"""Malformed pictures and model files. Not part of the tests: `make fuzz` runs them for five minutes."""
