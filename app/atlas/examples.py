"""The pictures that a network is shown, one after the other."""

import io
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..cnn.card import Card
from ..cnn.cost import RunLimits
from ..cnn.network import Network
from ..cnn.types import Array, PoolingMode
from ..datasets.digits import DigitSet, load_test_digits
from ..experiments.experiment import choose_numbers
from ..explore.evaluation import NotForDigits, to_image
from ..explore.forward_passes import choose_reduction, make_input
from ..explore.picture_folders import MOST_PICTURES, PictureFolder
from ..imaging.drawing import DEFAULT_LIMITS, DrawingLimits, InvalidDrawing, decode
from ..imaging.encoding import encode_image

_QUALITY = 90  # of a copy, from 0 to 100
_ANY_SIDE = 512  # pixels of a picture at most, for a network that takes any
_DIGITS = tuple(str(digit) for digit in range(10))


class ExampleSet(Protocol):
    """Pictures that a network is shown, and what each of them is."""

    @property
    def count(self) -> int: ...

    @property
    def numbers(self) -> NDArray[np.intp]:
        """The numbers of the examples in the set that they are taken from, (count,)."""

    @property
    def classes(self) -> tuple[str, ...]: ...

    @property
    def labels(self) -> NDArray[np.integer[Any]]:
        """The class of each of them, (count,)."""

    def image(self, place: int, card: Card) -> Array:
        """Return the network's input for the example at this place. Raises: InvalidDrawing."""

    def name(self, place: int) -> str:
        """Return the name that an address has for an example."""

    def require_possible(self, network: Network, pooling: PoolingMode | None, limits: RunLimits) -> None:
        """Refuse what would fail, before anything is run."""

    def __hash__(self) -> int: ...


@dataclass(frozen=True)
class Examples:
    """Some of MNIST's test digits, evenly spread over all of them. None of them is copied."""

    count: int = len(load_test_digits())
    classes: ClassVar[tuple[str, ...]] = _DIGITS

    @cached_property
    def numbers(self) -> NDArray[np.intp]:
        """The digits' numbers in their set, (count,), ascending. Raises: NoSuchCount."""
        return choose_numbers(self.count)

    @cached_property
    def labels(self) -> NDArray[np.uint8]:
        """What each of them is, (count,), from 0 to 9."""
        return load_test_digits().labels[self.numbers]

    def image(self, place: int, card: Card) -> Array:
        """Return the network's input for the example at this place: (height, width, channels) float32."""
        return to_image(load_test_digits().images[self.numbers[place]], card)

    def name(self, place: int) -> str:
        """Return the name that an address has for an example, such as test-7."""
        return f"{DigitSet.TEST}-{self.numbers[place]}"

    def require_possible(self, network: Network, pooling: PoolingMode | None, limits: RunLimits) -> None:
        """Refuse what would fail, before anything is run.

        Raises: NoSuchCount, NotForDigits, WrongImageSize, TooCostly.
        """
        if network.card.takes_numbers:
            raise NotForDigits(network.name, "it starts from numbers, and nothing is drawn")
        choose_reduction(network, self.image(0, network.card).shape, pooling, limits)


@dataclass(frozen=True)
class PictureExamples:
    """Some of a person's own pictures, evenly spread over all of their folder. They are read when they are shown."""

    folder: PictureFolder
    most: int = MOST_PICTURES
    limits: DrawingLimits = DEFAULT_LIMITS  # how large a picture may be

    @cached_property
    def numbers(self) -> NDArray[np.intp]:
        """Their numbers in the folder, (count,), ascending."""
        return self.folder.take(self.most)

    @property
    def count(self) -> int:
        return len(self.numbers)

    @property
    def classes(self) -> tuple[str, ...]:
        return self.folder.classes

    @cached_property
    def labels(self) -> NDArray[np.integer[Any]]:
        """The class of each of them, (count,)."""
        return np.array(self.folder.labels, np.intp)[self.numbers]

    def image(self, place: int, card: Card) -> Array:
        """Return the network's input for a picture, fitted as on the pad. Raises: InvalidDrawing."""
        return make_input(self.read(place), card, self.limits).image

    def read(self, place: int) -> bytes:
        """Return a picture's file. Raises: InvalidDrawing."""
        path = self.folder.files[int(self.numbers[place])]
        try:
            with path.open("rb") as file:
                return file.read(self.limits.max_bytes + 1)  # a byte more, so that it is seen to be too large
        except OSError as error:
            raise InvalidDrawing(f"“{path.name}” cannot be read: {error.strerror}.") from error

    def copy(self, place: int, side: int) -> bytes:
        """Return a picture's copy of so many pixels a side at most, as PNG or WebP. Raises: InvalidDrawing."""
        picture = decode(self.read(place), self.limits)
        if max(picture.size) <= side:
            return encode_image(picture)
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        file = io.BytesIO()
        picture.save(file, "WEBP", quality=_QUALITY)
        return file.getvalue()

    def name(self, place: int) -> str:
        """Return a picture's file name."""
        return self.folder.files[int(self.numbers[place])].name

    def require_possible(self, network: Network, pooling: PoolingMode | None, limits: RunLimits) -> None:
        """Refuse what would fail, before anything is run. Raises: NotForDigits, WrongImageSize, TooCostly."""
        if network.card.takes_numbers:
            raise NotForDigits(network.name, "it starts from numbers, and nothing is drawn")
        height, width, channels = network.card.input_shape
        shape = (height or _ANY_SIDE, width or _ANY_SIDE, channels)
        choose_reduction(network, shape, pooling, limits)
