"""Training of the models in models/ on MNIST and pen strokes. Only the command line imports it."""

from .. import cnn  # noqa: F401  It sets Keras' backend, which must happen before Keras is imported.
