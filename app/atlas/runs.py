"""What the runs of a network over examples share: the pooling mode in effect, and for one layer what it depends on."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import ClassVar
from weakref import ref

from ..cnn.kinds import Layer
from ..cnn.network import Network
from ..cnn.types import PoolingMode


class InMode:
    """A network that is run in a pooling mode."""

    network: Network
    pooling: PoolingMode | None

    @property
    def mode(self) -> PoolingMode | None:
        """The pooling mode in effect; None without pooling, or where the layers' own modes differ."""
        return self.network.mode_in_effect(self.pooling)


@dataclass(frozen=True)
class LayerRun(InMode):
    """One layer of a network, and how many digits it is shown."""

    name: ClassVar[str]  # of what is found out

    network: Network
    layer: Layer
    pooling: PoolingMode | None = None  # None is as trained
    count: int = 0  # of digits

    @property
    def key(self) -> Hashable:
        """All that the result depends on."""
        return self.name, ref(self.network), self.layer.name, self.mode, self.count
