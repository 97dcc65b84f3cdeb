"""Keras files as other people publish them, opened without trusting them.

A file is read as data. No name in it is ever imported: a layer is built only if its class is one of `app.cnn.kinds` and
declares each of its settings, from values that were checked one by one.
"""

# For the backend and its silence, which must be set before Keras is first imported.
from .. import cnn  # noqa: F401
