"""Reasons why a network, or one of its layers, cannot do what was asked."""


class ImageTooSmall(ValueError):
    """A network for images of any size was given one that its windows do not fit in."""

    def __init__(self, height: int, width: int) -> None:
        super().__init__(
            f"An image of {width}×{height} pixels is too small for this model: the windows of its layers do not fit "
            "in. Send a larger drawing."
        )


class UnsupportedLayer(NotImplementedError):
    """LiteRT does not compute a layer, or one of its settings; TensorFlow does."""


class InvalidLayer(Exception):
    """Settings that do not go together; the message goes on where the layer's name ends, without a full stop."""


class NeedsKeras(Exception):
    """Keras alone can say what shape a layer's output has, or what is wrong with its settings."""


MOST_NUMBERS = 2**18  # that the arithmetic of one value may list


class NoArithmetic(NotImplementedError):
    """The arithmetic of a kind of layer is not shown."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"The arithmetic of {kind} layers is not shown yet; its maps and their values are.")


class TooManyNumbers(NoArithmetic):
    """The arithmetic of one value would list more numbers than a page or an answer can hold."""

    def __init__(self, count: int) -> None:
        NotImplementedError.__init__(
            self, f"The arithmetic here reads {count:,} numbers; it is shown for {MOST_NUMBERS:,} at most."
        )


def require_few(count: int) -> None:
    """Check how many numbers an arithmetic would list, before they are read. Raises: TooManyNumbers."""
    if count > MOST_NUMBERS:
        raise TooManyNumbers(count)
