"""Reasons why a network, or one of its layers, cannot do what was asked."""

from collections.abc import Sequence


class WrongImageSize(ValueError):
    """A network for images of any size was given one that it cannot be run on."""


class SizesDiffer(WrongImageSize):
    """A layer is given maps of different sizes, as where an odd side was halved and doubled again."""

    def __init__(self, size: tuple[int, int], layer: str, inputs: Sequence[tuple[int, ...]]) -> None:
        height, width = size
        sizes = " and ".join("×".join(map(str, shape)) for shape in inputs[:4])
        super().__init__(
            f"An image of {width}×{height} pixels does not go through this model: its layer “{layer}” would be given "
            f"{sizes}, which do not go together. Send a drawing whose sides are multiples of 32, or at least of 2."
        )


class ImageTooSmall(WrongImageSize):
    """A network for images of any size was given one that its windows do not fit in."""

    def __init__(self, height: int, width: int) -> None:
        super().__init__(
            f"An image of {width}×{height} pixels is too small for this model: the windows of its layers do not fit "
            "in. Send a larger drawing."
        )


class RunFailed(Exception):
    """Running a network came to no end, or to a bad one. The message says why, and what to do."""


class RunInterrupted(RunFailed):
    """A network was not run for a reason that is the server's. Trying again may help."""


class UnsupportedLayer(NotImplementedError):
    """LiteRT does not compute a layer, or one of its settings; TensorFlow does."""


class InvalidLayer(Exception):
    """Settings that do not go together; the message goes on where the layer's name ends, without a full stop."""


class NeedsKeras(Exception):
    """Keras alone can say what shape a layer's output has, or what is wrong with its settings."""


class UnknownInput(ValueError):
    """A network has no such input, or none that can be drawn into or held so. The message says what it has."""


class CannotMute(ValueError):
    """A layer's maps cannot be made zero by zeros among its weights. The message says why."""


class CannotSave(ValueError):
    """A network cannot be written as a file of Keras' own layers. The message says why, and what would do."""

    def __init__(self, reason: str) -> None:
        """reason: a clause, without a full stop."""
        super().__init__(f"{reason}, so this network cannot be saved as a .keras file. Save its edits instead.")


class InvalidEdit(ValueError):
    """An edit cannot be read, or made in this network. The message says why, and what would do."""


MOST_NUMBERS = 2**17  # that the arithmetic of one value may list
MOST_READ = 2**24  # that it may read


class NoArithmetic(NotImplementedError):
    """The arithmetic of a kind of layer is not shown."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"The arithmetic of {kind} layers is not shown yet; its maps and their values are.")


class HeldInput(NoArithmetic):
    """An input's value has no arithmetic."""

    def __init__(self, name: str) -> None:
        NotImplementedError.__init__(self, f"“{name}” is an input: this value was given to the network, not computed.")


class HeldValue(NoArithmetic):
    """A value has no arithmetic, because it was set by hand."""

    def __init__(self) -> None:
        NotImplementedError.__init__(self, "This value was set by hand, whatever the layer computes here.")


class TooManyNumbers(NoArithmetic):
    """The arithmetic of one value would list more numbers than a page or an answer can hold."""

    def __init__(self, count: int, most: int) -> None:
        NotImplementedError.__init__(
            self, f"The arithmetic here reads {count:,} numbers; it is shown for {most:,} at most."
        )


def require_few(count: int) -> None:
    """Check how many numbers an arithmetic would list, before they are read. Raises: TooManyNumbers."""
    if count > MOST_NUMBERS:
        raise TooManyNumbers(count, MOST_NUMBERS)


def require_readable(count: int) -> None:
    """Check how many numbers an arithmetic would read without listing them. Raises: TooManyNumbers."""
    if count > MOST_READ:
        raise TooManyNumbers(count, MOST_READ)


class NoGradient(ValueError):
    """A gradient does not go back through a layer."""

    def __init__(self, layer: str, reason: str) -> None:
        super().__init__(f"No gradient goes back through “{layer}”: {reason}.")
        self.layer = layer  # by its name

    def with_nearest(self, layer: str) -> "NoGradient":
        """Return the same error, with the furthest layer whose output a gradient gets to."""
        error = NoGradient(self.layer, "")
        error.args = (f"{self} Ask about “{layer}” or a layer after it.",)
        return error
