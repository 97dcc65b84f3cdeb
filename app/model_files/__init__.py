"""Keras files as other people publish them, opened without trusting them.

A file is read as data. No name in it is ever imported: a layer is built only where its class and each of its settings
stand in our own tables (`description.vocabulary`), from values that were checked one by one.
"""

# For the backend and its silence, which must be set before Keras is first imported.
from .. import cnn  # noqa: F401
