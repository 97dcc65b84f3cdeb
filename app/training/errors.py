"""The error of a training run."""


class BadInput(ValueError):
    """A file or a name that cannot be used. The message is a sentence for the person who gave it."""
