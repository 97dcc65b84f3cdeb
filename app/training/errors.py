"""What can be wrong with what a training run is given."""


class BadInput(ValueError):
    """A file or a name that cannot be used; the message is a sentence for the person who gave it."""
