"""One network run on one drawing: what is run, in which pooling mode, and what other inputs hold."""

from dataclasses import dataclass, field, replace
from functools import partial

from ..cnn.network import ForwardPass, Network
from ..cnn.types import PoolingMode
from ..imaging.colormap import Scale
from ..imaging.drawing import Box, NothingDrawn
from .exploration import RenderOptions
from .forward_passes import ForwardPasses
from .held import Held


@dataclass(frozen=True)
class DrawingRun:
    """A drawing, and the network and pooling mode to run on it."""

    network: Network
    drawing: bytes | None  # None is an empty sheet of paper; of no matter where the network starts from a vector
    pooling: PoolingMode | None
    passes: ForwardPasses
    region: Box | None = None  # of the drawing's picture; None is all of it
    held: Held = field(default_factory=dict)  # by inputs that are not drawn into
    takes_blank: bool = False  # a drawing without ink is run as an empty sheet of paper, and not refused

    def forward(self) -> ForwardPass:
        """Run the network, or look up the result.

        Raises: InvalidDrawing, UnknownInput, WrongImageSize, TooCostly, RunFailed.
        """
        return self.run_in(self.pooling)

    def complete(self, options: RenderOptions) -> RenderOptions:
        """Return these options with the forward pass as trained, if they need one that is not the drawing's own."""
        needs = options.scale is Scale.HOLD or options.differences
        if not needs or not self.network.pools or self.pooling in {None, self.network.card.pooling}:
            return options
        return replace(options, trained=self.run_in(None))

    def run_in(self, pooling: PoolingMode | None, invert: bool = False) -> ForwardPass:
        """Run it in another pooling mode; None is as trained. invert: swap ink and paper. Raises: as forward does."""
        run = partial(self.passes.run, self.network)
        try:
            return run(self.drawing, pooling, invert, self.region, self.held)
        except NothingDrawn:
            if not self.takes_blank:
                raise
        return run(None, pooling, invert, held=self.held)
