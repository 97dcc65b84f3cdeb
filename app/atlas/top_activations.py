"""What the maps of a network look for: the real digits that excite each of them most, of all layers in one run.

Showing what excites a unit most is the oldest way to ask what it looks for; see Zeiler and Fergus 2014, section 4.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from weakref import ref

import numpy as np

from ..cnn.cost import RunLimits
from ..cnn.kinds import Layer
from ..cnn.network import Network
from ..cnn.types import PoolingMode
from ..explore.evaluation import run_on_image
from ..imaging.drawing import InvalidDrawing
from .examples import Examples, ExampleSet
from .layers import NoMaps, count_maps, list_layers, why_not
from .runs import InMode
from .strongest import Search, Strongest

Report = Callable[[int], None]  # told how many examples are done; what it raises ends the run


@dataclass(frozen=True)
class TopActivations:
    """What each map of a network is excited by most."""

    network: Network
    pooling: PoolingMode | None  # that was in effect
    examples: ExampleSet
    unread: tuple[str, ...]  # the names of pictures that cannot be read, and count for nothing
    layers: Mapping[str, Strongest]  # by layer, in the order of the layers

    @property
    def nbytes(self) -> int:
        """About what it takes in memory."""
        return sum(each.nbytes for each in self.layers.values())

    def of(self, layer: Layer) -> Strongest:
        """Return what was found for a layer. Raises: NoMaps."""
        if reason := why_not(layer):
            raise NoMaps(reason)
        return self.layers[layer.name]


@dataclass(frozen=True)
class TopActivationsRun(InMode):
    """A network and a pooling mode, and the examples to show it."""

    network: Network
    pooling: PoolingMode | None = None  # None is as trained
    examples: ExampleSet = field(default_factory=Examples)

    @property
    def key(self) -> Hashable:
        """All that the result depends on."""
        return "top activations", ref(self.network), self.mode, self.examples

    @property
    def total(self) -> int:
        """How many examples are shown."""
        return self.examples.count

    def require_possible(self, limits: RunLimits) -> None:
        """Refuse what would fail, before anything is run.

        Raises: NoSuchCount, NotForDigits, WrongImageSize, TooCostly.
        """
        self.examples.require_possible(self.network, self.mode, limits)

    def compute(self, report: Report | None = None) -> TopActivations:
        """Run it. Raises: WrongImageSize, RunFailed, and what report raises."""
        network, labels, classes = self.network, self.examples.labels, len(self.examples.classes)
        searches = {layer.name: Search(count_maps(layer), classes) for layer in list_layers(network)}
        unread = []
        for place in range(self.examples.count):
            try:
                image = self.examples.image(place, network.card)
            except InvalidDrawing:
                unread.append(self.examples.name(place))
                continue
            forward = run_on_image(network, image, self.pooling)
            for name, search in searches.items():
                with np.errstate(invalid="ignore", over="ignore"):  # a broken network's values are not finite
                    search.add(place, int(labels[place]), forward.activations[name])
            forward.release_pages()
            if report is not None:
                report(place + 1)
        layers = {name: search.finish() for name, search in searches.items()}
        return TopActivations(network, self.mode, self.examples, tuple(unread), layers)
