"""The pictures that a network is shown, one after the other."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..cnn.card import Card
from ..cnn.cost import RunLimits
from ..cnn.network import Network
from ..cnn.types import Array, PoolingMode
from ..datasets.digits import DigitSet, load_test_digits
from ..experiments.experiment import choose_numbers
from ..explore.evaluation import NotForDigits, to_image
from ..explore.forward_passes import choose_reduction

CLASSES = 10


@dataclass(frozen=True)
class Examples:
    """Some of MNIST's test digits, evenly spread over all of them. None of them is copied."""

    count: int = len(load_test_digits())

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
